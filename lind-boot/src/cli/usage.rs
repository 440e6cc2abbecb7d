//! Usage errors in lind's form: one sentence, one hint.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::args::Cli;
use crate::failure::Failure;

/// The failure that says what `error`, an error of the command line's grammar, says.
pub(super) fn failure(
    error: &clap::Error,
    command: &clap::Command,
    subcommand: Option<&str>,
) -> Failure {
    let help = match subcommand {
        Some(name) => format!("lind {name} --help"),
        None => "lind --help".to_owned(),
    };
    let failure = Failure::lind(sentence(error));
    if let Some(ContextValue::Strings(values)) = error.get(ContextKind::ValidValue)
        && !values.is_empty()
    {
        return failure.hint(format!("possible values: {}", values.join(", ")));
    }
    match suggestion(error, command, subcommand) {
        Some(known) => failure.hint(format!("did you mean '{known}'? ({help} lists all)")),
        None => failure.hint(format!("try '{help}'")),
    }
}

fn sentence(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::MissingRequiredArgument
        && let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg)
    {
        let name = |word: &String| word.trim_matches(['<', '>', '.']).to_owned();
        return format!(
            "missing {}",
            missing.iter().map(name).collect::<Vec<_>>().join(", ")
        );
    }
    let text = error.render().to_string();
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("error: ").unwrap_or(first).to_owned()
}

fn suggestion(
    error: &clap::Error,
    command: &clap::Command,
    subcommand: Option<&str>,
) -> Option<String> {
    for kind in [
        ContextKind::SuggestedValue,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
    ] {
        match error.get(kind) {
            Some(ContextValue::String(known)) => return Some(known.clone()),
            Some(ContextValue::Strings(known)) if !known.is_empty() => {
                return known.first().cloned();
            }
            _ => {}
        }
    }
    let (ErrorKind::UnknownArgument, Some(ContextValue::String(typed))) =
        (error.kind(), error.get(ContextKind::InvalidArg))
    else {
        return None;
    };
    let typed = typed.strip_prefix("--")?;
    let command = subcommand
        .and_then(|name| command.find_subcommand(name))
        .unwrap_or(command);
    let options = command.get_arguments().filter_map(clap::Arg::get_long);
    closest(typed, options).map(|known| format!("--{known}"))
}

/// The word of `known` that `typed` is most likely meant to be, if any is close.
pub(super) fn closest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |word: &str| strsim::damerau_levenshtein(word, typed);
    known
        .filter(|word| distance(word) <= 2 && distance(word) < typed.len())
        .min_by_key(|word| distance(word))
}

/// The subcommand that a program's name is likely meant to be.
pub(super) fn closest_subcommand(typed: &str) -> Option<String> {
    let command = <Cli as clap::CommandFactory>::command();
    closest(
        typed,
        command.get_subcommands().map(clap::Command::get_name),
    )
    .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_word_is_suggested() {
        let known = ["dir", "strace", "env"];
        assert_eq!(closest("dri", known.into_iter()), Some("dir"));
        assert_eq!(closest("straec", known.into_iter()), Some("strace"));
        assert_eq!(closest("xy", known.into_iter()), None);
        assert_eq!(closest("network", known.into_iter()), None);
    }
}
