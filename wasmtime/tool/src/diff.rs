//! Unified diffs: parse, apply to a tree, produce.
//!
//! Application is strict: every context line must match. In [`Fit::Exact`] the line numbers must match as well;
//! [`Fit::Moved`] lets a hunk move to the one other place where all its old lines stand.

use std::fmt::Write as _;
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

use crate::failure::{Failure, Result};
use crate::tree::{File, Kind, Tree, is_inside};

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// How closely a hunk must fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// At the line it names.
    Exact,
    /// At the line it names, or at the only other place where its old lines occur.
    Moved,
}

/// The changes to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileDiff {
    pub(crate) path: String,
    hunks: Vec<Hunk>,
    /// The file does not exist afterwards.
    deletes: bool,
}

/// One `@@` section. Lines keep their line ends.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hunk {
    /// Zero-based line of the old file.
    at: usize,
    old: Vec<Vec<u8>>,
    new: Vec<Vec<u8>>,
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|b| *b == b'\n').collect()
}

/// Parses the diff part of a patch file. `name` is for messages.
pub(crate) fn parse(name: &str, text: &[u8]) -> Result<Vec<FileDiff>> {
    let mut files: Vec<FileDiff> = Vec::new();
    let mut input = lines(text).into_iter().enumerate().peekable();
    let wrong =
        |line: usize, what: &str| Failure::new(format!("{name}: diff line {}: {what}", line + 1));
    while let Some((number, line)) = input.next() {
        if let Some(old) = line.strip_prefix(b"--- ") {
            let new = match input.next() {
                Some((_, line)) => line
                    .strip_prefix(b"+++ ")
                    .ok_or_else(|| wrong(number + 1, "no +++ after ---"))?,
                None => return Err(wrong(number, "no +++ after ---")),
            };
            let (old, new) = (path_of(old), path_of(new));
            if old.is_none() && new.is_some() {
                return Err(wrong(number, "it creates a file").hint("new files belong in overlay/"));
            }
            let path = old
                .clone()
                .filter(|p| is_inside(p))
                .ok_or_else(|| wrong(number, "not a path"))?;
            if new.is_some() && new != old {
                return Err(wrong(number, "it renames a file")
                    .hint("delete the old one and put the new one in overlay/"));
            }
            files.push(FileDiff {
                path,
                hunks: Vec::new(),
                deletes: new.is_none(),
            });
        } else if line.starts_with(b"@@ ") {
            let (at, old, new) =
                hunk_header(line).ok_or_else(|| wrong(number, "not a hunk header"))?;
            let mut hunk = Hunk {
                at,
                old: Vec::new(),
                new: Vec::new(),
            };
            while hunk.old.len() < old || hunk.new.len() < new {
                let Some((number, line)) = input.next() else {
                    return Err(wrong(number, "the hunk is shorter than it says"));
                };
                match line.split_first() {
                    Some((b' ', rest)) => {
                        hunk.old.push(rest.to_vec());
                        hunk.new.push(rest.to_vec());
                    }
                    Some((b'-', rest)) => hunk.old.push(rest.to_vec()),
                    Some((b'+', rest)) => hunk.new.push(rest.to_vec()),
                    // An empty context line that has lost its blank.
                    Some((b'\n', _)) => {
                        hunk.old.push(line.to_vec());
                        hunk.new.push(line.to_vec());
                    }
                    _ => return Err(wrong(number, "the hunk is shorter than it says")),
                }
                if let Some((_, next)) = input.peek()
                    && next.starts_with(b"\\")
                {
                    if !line.starts_with(b"+") {
                        strip_last(&mut hunk.old);
                    }
                    if !line.starts_with(b"-") {
                        strip_last(&mut hunk.new);
                    }
                    input.next();
                }
            }
            if hunk.old.len() != old || hunk.new.len() != new {
                return Err(wrong(number, "the hunk is longer than it says"));
            }
            files
                .last_mut()
                .ok_or_else(|| wrong(number, "a hunk before any file"))?
                .hunks
                .push(hunk);
        } else if line.starts_with(b"GIT binary patch") || line.starts_with(b"rename ") {
            return Err(wrong(number, "only text changes are supported"));
        }
    }
    Ok(files)
}

fn strip_last(lines: &mut [Vec<u8>]) {
    if let Some(last) = lines.last_mut()
        && last.last() == Some(&b'\n')
    {
        last.pop();
    }
}

/// The path of a `---`/`+++` line without its first component; `None` for /dev/null.
fn path_of(rest: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(rest);
    let path = text
        .trim_end_matches(['\n', '\r'])
        .split('\t')
        .next()
        .unwrap_or_default();
    (path != "/dev/null").then(|| path.split_once('/').map_or("", |(_, p)| p).to_owned())
}

/// (zero-based old line, old count, new count) of an `@@` line.
fn hunk_header(line: &[u8]) -> Option<(usize, usize, usize)> {
    let text = std::str::from_utf8(line.get(3..)?).ok().or_else(|| {
        // The section name after the second @@ may be in any encoding.
        let end = line.iter().skip(3).position(|b| *b == b'@')?;
        std::str::from_utf8(line.get(3..3 + end)?).ok()
    })?;
    let mut words = text.split_whitespace();
    let range = |word: Option<&str>, sign: char| -> Option<(usize, usize)> {
        let word = word?.strip_prefix(sign)?;
        match word.split_once(',') {
            Some((at, count)) => Some((at.parse().ok()?, count.parse().ok()?)),
            None => Some((word.parse().ok()?, 1)),
        }
    };
    let (at, old) = range(words.next(), '-')?;
    let (_, new) = range(words.next(), '+')?;
    // An empty range names the line before it.
    let at = if old == 0 { at } else { at.checked_sub(1)? };
    Some((at, old, new))
}

impl FileDiff {
    /// Applies the changes to `tree`. On failure returns what does not fit, one line per hunk, and leaves `tree` alone.
    pub(crate) fn apply(&self, tree: &mut Tree, fit: Fit) -> std::result::Result<(), Vec<String>> {
        let Some(file) = tree.get(&self.path).filter(|f| f.kind != Kind::Link) else {
            return Err(vec![format!("{}: upstream has no such file", self.path)]);
        };
        let old = lines(&file.bytes);
        let (mut out, mut rejects): (Vec<u8>, _) =
            (Vec::with_capacity(file.bytes.len()), Vec::new());
        let mut done = 0;
        for (index, hunk) in self.hunks.iter().enumerate() {
            match hunk.place(&old, done, fit) {
                Ok(place) => {
                    old.get(done..place.start)
                        .unwrap_or_default()
                        .iter()
                        .for_each(|l| out.extend_from_slice(l));
                    hunk.new.iter().for_each(|l| out.extend_from_slice(l));
                    done = place.end;
                }
                Err(why) => rejects.push(format!(
                    "{}: hunk {} (line {}): {why}",
                    self.path,
                    index + 1,
                    hunk.at + 1
                )),
            }
        }
        old.get(done..)
            .unwrap_or_default()
            .iter()
            .for_each(|l| out.extend_from_slice(l));
        if self.deletes && !out.is_empty() {
            rejects.push(format!("{}: it is deleted, but lines remain", self.path));
        }
        if !rejects.is_empty() {
            return Err(rejects);
        }
        if self.deletes {
            tree.remove(&self.path);
        } else {
            let file = File {
                kind: file.kind,
                bytes: out.into(),
            };
            tree.insert(self.path.clone(), file);
        }
        Ok(())
    }
}

impl Hunk {
    fn place(
        &self,
        file: &[&[u8]],
        from: usize,
        fit: Fit,
    ) -> std::result::Result<Range<usize>, String> {
        let fits = |at: usize| {
            at >= from
                && file
                    .get(at..at + self.old.len())
                    .is_some_and(|w| w.iter().zip(&self.old).all(|(a, b)| *a == b))
        };
        if fits(self.at) {
            return Ok(self.at..self.at + self.old.len());
        }
        let mut others = (from..=file.len().saturating_sub(self.old.len())).filter(|at| fits(*at));
        match (others.next(), others.next(), fit) {
            (Some(at), None, Fit::Moved) if !self.old.is_empty() => Ok(at..at + self.old.len()),
            (Some(at), None, _) => Err(format!("it would fit at line {} only", at + 1)),
            (Some(_), Some(_), _) => Err("its lines stand elsewhere, in several places".into()),
            _ => Err("its old lines are not in the file".into()),
        }
    }
}

/// The diff that turns `old` into `new`, files in order of their path. Files that only `new` has are left out.
pub(crate) fn between(old: &Tree, new: &Tree) -> Vec<u8> {
    let mut out = Vec::new();
    for (path, a) in old {
        let b = new.get(path);
        if b.is_none_or(|b| b.bytes != a.bytes) {
            file_between(path, &a.bytes, b.map(|f| &*f.bytes), &mut out);
        }
    }
    out
}

fn file_between(path: &str, old: &[u8], new: Option<&[u8]>, out: &mut Vec<u8>) {
    let mut text = format!("--- a/{path}\n");
    let _ = match new {
        Some(_) => writeln!(text, "+++ b/{path}"),
        None => writeln!(text, "+++ /dev/null"),
    };
    out.extend_from_slice(text.as_bytes());
    let (a, b) = (lines(old), lines(new.unwrap_or_default()));
    for group in group_diff_ops(capture_diff_slices(Algorithm::Myers, &a, &b), CONTEXT) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        let header = format!(
            "@@ -{} +{} @@\n",
            range_text(first.old_range().start..last.old_range().end),
            range_text(first.new_range().start..last.new_range().end)
        );
        out.extend_from_slice(header.as_bytes());
        for op in group {
            let (old, new) = (op.old_range(), op.new_range());
            match op {
                DiffOp::Equal { .. } => put_lines(b' ', a.get(old), out),
                _ => {
                    put_lines(b'-', a.get(old), out);
                    put_lines(b'+', b.get(new), out);
                }
            }
        }
    }
}

fn range_text(range: Range<usize>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => format!("{}", range.start + 1),
        count => format!("{},{count}", range.start + 1),
    }
}

fn put_lines(sign: u8, lines: Option<&[&[u8]]>, out: &mut Vec<u8>) {
    for line in lines.unwrap_or_default() {
        out.push(sign);
        out.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            out.extend_from_slice(b"\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(path: &str, text: &str) -> Tree {
        Tree::from([(
            path.to_owned(),
            File {
                kind: Kind::Plain,
                bytes: text.as_bytes().into(),
            },
        )])
    }

    fn round_trip(old: &str, new: &str) {
        let (a, b) = (tree("d/f", old), tree("d/f", new));
        let text = between(&a, &b);
        let mut c = a.clone();
        for file in parse("t", &text).unwrap() {
            file.apply(&mut c, Fit::Exact).unwrap();
        }
        assert_eq!(b, c, "{}", String::from_utf8_lossy(&text));
        assert_eq!(between(&a, &c), text);
    }

    #[test]
    fn what_between_writes_apply_reads() {
        let long: String = (0..100).map(|i| format!("line {i}\n")).collect();
        round_trip("a\nb\nc\n", "a\nB\nc\n");
        round_trip("a\nb", "a\nb\n");
        round_trip("a\nb\n", "a\nb");
        round_trip("x", "y");
        round_trip("", "new\n");
        round_trip("old\n", "");
        round_trip(
            &long,
            &long
                .replace("line 7\n", "")
                .replace("line 70\n", "line 70\nmore\n"),
        );
        round_trip("+++ x\n--- y\n@@ z\n", "--- y\n@@ z\n+++ x\n");
    }

    #[test]
    fn a_deleted_file_is_removed() {
        let old = tree("f", "a\n");
        let text = between(&old, &Tree::new());
        let mut now = old.clone();
        parse("t", &text).unwrap()[0]
            .apply(&mut now, Fit::Exact)
            .unwrap();
        assert!(now.is_empty());
    }

    #[test]
    fn a_moved_hunk_needs_permission_and_one_place() {
        let text = between(&tree("f", "a\nb\nc\n"), &tree("f", "a\nB\nc\n"));
        let diff = parse("t", &text).unwrap().remove(0);
        let mut moved = tree("f", "0\na\nb\nc\n");
        let why = diff.apply(&mut moved, Fit::Exact).unwrap_err();
        assert_eq!(why, ["f: hunk 1 (line 1): it would fit at line 2 only"]);
        diff.apply(&mut moved, Fit::Moved).unwrap();
        assert_eq!(moved, tree("f", "0\na\nB\nc\n"));
        let mut twice = tree("f", "0\na\nb\nc\na\nb\nc\n");
        assert!(diff.apply(&mut twice, Fit::Moved).unwrap_err()[0].contains("several places"));
        let mut other = tree("f", "a\nb\nd\n");
        assert!(diff.apply(&mut other, Fit::Moved).unwrap_err()[0].contains("not in the file"));
    }

    #[test]
    fn what_is_no_plain_change_is_refused() {
        for (text, why) in [
            (
                "--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n",
                "creates a file",
            ),
            ("--- a/f\n+++ b/g\n", "renames"),
            ("--- a/../f\n+++ b/../f\n", "not a path"),
            ("--- a/f\n+++ b/f\n@@ -1,2 +1 @@\n-x\n", "shorter"),
            ("@@ -1 +1 @@\n-x\n+y\n", "before any file"),
            ("--- a/f\n", "no +++"),
        ] {
            let error = parse("t", text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
