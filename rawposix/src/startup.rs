//! The image that a program finds at its start: argc, argv, envp, the auxiliary vector and their strings.

use rawposix_abi::Errno;
use rawposix_abi::flags::auxv;

use crate::entropy;
use crate::sandbox::Image;

/// Bytes that arguments and environment may take, with their pointers: a quarter of the default stack, as on Linux.
pub(crate) const ARG_MAX: usize = 2 << 20;
/// Bytes that one string may take, with its zero.
pub(crate) const MAX_ARG_STRLEN: usize = 128 << 10;
/// Entries of the auxiliary vector that the C library's start code fills in.
const SPARE: usize = 4;

/// Everything of the image but the address it is for.
#[derive(Debug)]
pub(crate) struct Startup {
    argv: Vec<Vec<u8>>,
    envp: Vec<Vec<u8>>,
    path: Vec<u8>,
    uid: u32,
    gid: u32,
    random: [u8; 16],
}

impl Startup {
    /// Checks the sizes: `E2BIG` as execve(2).
    pub(crate) fn new(image: &Image, uid: u32, gid: u32) -> Result<Self, Errno> {
        let strings = || image.argv.iter().chain(&image.envp);
        let total: usize = strings().map(|s| s.len() + 1 + 4).sum();
        if total > ARG_MAX || strings().any(|s| s.len() >= MAX_ARG_STRLEN) {
            return Err(Errno::E2BIG);
        }
        Ok(Self {
            argv: image.argv.clone(),
            envp: image.envp.clone(),
            path: image.path.clone(),
            uid,
            gid,
            random: entropy::random(),
        })
    }

    /// The image for this address, little-endian.
    pub(crate) fn build(&self, address: u32) -> Vec<u8> {
        let mut strings = Strings::new(address, self.word_count());
        let random = strings.add(&self.random);
        let path = strings.add_terminated(&self.path);
        let platform = strings.add_terminated(b"wasm32");
        let mut words = vec![u32::try_from(self.argv.len()).unwrap_or(0)];
        for list in [&self.argv, &self.envp] {
            words.extend(list.iter().map(|s| strings.add_terminated(s)));
            words.push(0);
        }
        for (kind, value) in self.auxiliary(random, path, platform) {
            words.extend([kind, value]);
        }
        let mut image: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        image.extend_from_slice(&strings.bytes);
        image
    }

    fn word_count(&self) -> usize {
        1 + self.argv.len() + 1 + self.envp.len() + 1 + 2 * self.auxiliary(0, 0, 0).len()
    }

    fn auxiliary(&self, random: u32, path: u32, platform: u32) -> Vec<(u32, u32)> {
        let mut entries = vec![
            (auxv::AT_PAGESZ, 4096),
            (auxv::AT_CLKTCK, 100),
            (auxv::AT_UID, self.uid),
            (auxv::AT_EUID, self.uid),
            (auxv::AT_GID, self.gid),
            (auxv::AT_EGID, self.gid),
            (auxv::AT_SECURE, 0),
            (auxv::AT_HWCAP, 0),
            (auxv::AT_RANDOM, random),
            (auxv::AT_EXECFN, path),
            (auxv::AT_PLATFORM, platform),
        ];
        entries.extend([(auxv::AT_IGNORE, 0); SPARE]);
        entries.push((auxv::AT_NULL, 0));
        entries
    }
}

/// The strings behind the words, and the addresses they get.
struct Strings {
    base: u32,
    bytes: Vec<u8>,
}

impl Strings {
    fn new(address: u32, words: usize) -> Self {
        let before = u32::try_from(words * 4).unwrap_or(u32::MAX);
        Self {
            base: address.wrapping_add(before),
            bytes: Vec::new(),
        }
    }

    fn add(&mut self, bytes: &[u8]) -> u32 {
        let address = self
            .base
            .wrapping_add(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
        self.bytes.extend_from_slice(bytes);
        address
    }

    fn add_terminated(&mut self, bytes: &[u8]) -> u32 {
        let address = self.add(bytes);
        self.bytes.push(0);
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_is_laid_out_like_a_stack() {
        let image = Image {
            argv: vec![b"a".to_vec(), b"bc".to_vec()],
            envp: vec![b"X=1".to_vec()],
            path: b"/a".to_vec(),
            initial_memory: 0,
        };
        let startup = Startup::new(&image, 7, 8).unwrap();
        let bytes = startup.build(0x1000);
        let word = |i: usize| u32::from_le_bytes(bytes[4 * i..4 * i + 4].try_into().unwrap());
        let string = |address: u32| {
            let rest = &bytes[address as usize - 0x1000..];
            rest[..rest.iter().position(|b| *b == 0).unwrap()].to_vec()
        };
        assert_eq!(word(0), 2);
        assert_eq!(string(word(1)), b"a");
        assert_eq!(string(word(2)), b"bc");
        assert_eq!(word(3), 0);
        assert_eq!(string(word(4)), b"X=1");
        assert_eq!(word(5), 0);
        assert_eq!((word(6), word(7)), (auxv::AT_PAGESZ, 4096));
        assert_eq!(startup.build(0).len(), bytes.len());
    }

    #[test]
    fn too_much_is_refused() {
        let image = Image {
            argv: vec![vec![b'x'; MAX_ARG_STRLEN]],
            ..Image::default()
        };
        assert_eq!(Startup::new(&image, 0, 0).unwrap_err(), Errno::E2BIG);
    }
}
