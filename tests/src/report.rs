//! Showing how two outputs differ.

/// Lines of context before the first difference.
const CONTEXT: usize = 2;
/// Lines shown from the first difference on.
const SHOWN: usize = 12;

/// Describes where `actual` leaves `expected`; `None` when they are equal.
#[must_use]
pub fn difference(what: &str, expected: &[u8], actual: &[u8]) -> Option<String> {
    if expected == actual {
        return None;
    }
    let (expected, actual) = (
        String::from_utf8_lossy(expected),
        String::from_utf8_lossy(actual),
    );
    let same = expected
        .lines()
        .zip(actual.lines())
        .take_while(|(a, b)| a == b)
        .count();
    let start = same.saturating_sub(CONTEXT);
    let excerpt = |text: &str, mark: &str| {
        let lines = text.lines().skip(start).take(CONTEXT + SHOWN).enumerate();
        lines
            .map(|(i, line)| format!("{} {line}\n", if start + i < same { " " } else { mark }))
            .collect::<String>()
    };
    Some(format!(
        "{what} differs from line {} on\nnative (-):\n{}lind (+):\n{}",
        same + 1,
        excerpt(&expected, "-"),
        excerpt(&actual, "+")
    ))
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn names_the_first_different_line() {
        assert_eq!(difference("stdout", b"a\n", b"a\n"), None);
        let text = difference("stdout", b"a\nb\nc\n", b"a\nx\nc\n").unwrap();
        assert!(
            text.starts_with("stdout differs from line 2 on\n"),
            "{text}"
        );
        assert!(text.contains("- b\n") && text.contains("+ x\n"), "{text}");
    }
}
