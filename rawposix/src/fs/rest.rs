//! What is left of a path while it is resolved.

use std::borrow::Cow;
use std::ops::Range;

/// What is left of a path.
#[derive(Debug)]
pub(super) struct Rest<'a> {
    path: Cow<'a, [u8]>,
    /// Where the names begin that are still to be walked.
    at: usize,
    /// The path ends in a slash.
    slash: bool,
}

impl<'a> Rest<'a> {
    /// A whole path.
    pub(super) fn of(path: &'a [u8]) -> Self {
        Self {
            path: Cow::Borrowed(path),
            at: 0,
            slash: path.last() == Some(&b'/'),
        }
    }

    /// No name.
    pub(super) fn none(slash: bool) -> Self {
        Self {
            slash,
            ..Self::of(b"")
        }
    }

    /// The place of the next name, which is no longer left then.
    pub(super) fn take(&mut self) -> Option<Range<usize>> {
        let left = self.left();
        let start = self.at + left.iter().position(|byte| *byte != b'/')?;
        let name = self.path.get(start..)?;
        let length = name.iter().position(|byte| *byte == b'/');
        let end = start + length.unwrap_or(name.len());
        self.at = end;
        Some(start..end)
    }

    /// The text at a place.
    pub(super) fn text(&self, place: Range<usize>) -> &[u8] {
        self.path.get(place).unwrap_or_default()
    }

    fn left(&self) -> &[u8] {
        self.text(self.at..self.path.len())
    }

    /// The names that are left.
    pub(super) fn names(&self) -> impl Iterator<Item = &[u8]> {
        let names = self.left().split(|byte| *byte == b'/');
        names.filter(|name| !name.is_empty())
    }

    /// Whether no name is left.
    pub(super) fn is_empty(&self) -> bool {
        self.left().iter().all(|byte| *byte == b'/')
    }

    /// Where what is left begins.
    pub(super) fn place(&self) -> usize {
        self.at
    }

    /// Goes on to a place further on.
    pub(super) fn skip_to(&mut self, place: usize) {
        self.at = place;
    }

    /// Whether the path ends in a slash.
    pub(super) fn slash(&self) -> bool {
        self.slash
    }

    /// Where the last name that is left begins.
    pub(super) fn last(&self) -> usize {
        let is_slash = |byte: &u8| *byte == b'/';
        let left = self.left();
        let end = left.iter().rposition(|byte| !is_slash(byte));
        let before = end.and_then(|end| left.get(..end)?.iter().rposition(is_slash));
        self.at + before.map_or(0, |slash| slash + 1)
    }

    /// Puts a link's text before what is left.
    pub(super) fn prepend(&mut self, link: &[u8]) {
        if self.is_empty() {
            self.slash |= link.last() == Some(&b'/');
        }
        self.path = [link, b"/", self.left()].concat().into();
        self.at = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(path: &[u8]) -> Vec<Vec<u8>> {
        let names = path.split(|byte| *byte == b'/');
        let names = names.filter(|name| !name.is_empty());
        names.map(<[u8]>::to_vec).collect()
    }

    proptest! {
        /// Names come one after the other, those of a link before what was left.
        #[test]
        fn takes_names(path in "[/ab.]{0,12}", link in "[/ab.]{1,6}", before in 0..4_usize) {
            let (path, link) = (path.as_bytes(), link.as_bytes());
            let mut model = names(path);
            let mut rest = Rest::of(path);
            let mut slash = path.last() == Some(&b'/');
            for _ in 0..before {
                let expected = (!model.is_empty()).then(|| model.remove(0));
                let taken = rest.take().map(|place| rest.text(place).to_vec());
                prop_assert_eq!(taken, expected);
            }
            if model.is_empty() {
                slash |= link.last() == Some(&b'/');
            }
            model.splice(0..0, names(link));
            rest.prepend(link);
            prop_assert_eq!(rest.slash(), slash);
            prop_assert_eq!(rest.names().map(<[u8]>::to_vec).collect::<Vec<_>>(), model.clone());
            let last = rest.last();
            let middle = names(rest.text(rest.place()..last));
            prop_assert_eq!(middle.len(), model.len().saturating_sub(1));
            prop_assert_eq!(&*middle, model.get(..middle.len()).unwrap());
            rest.skip_to(last);
            prop_assert_eq!(rest.take().map(|place| rest.text(place).to_vec()), model.pop());
            prop_assert!(rest.is_empty());
            prop_assert_eq!(rest.take(), None);
        }
    }
}
