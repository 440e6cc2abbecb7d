//! Compiled programs kept between runs, on the host only.
//!
//! An entry is native code that lind will map and run with the user's rights, so nobody but the user may be able to
//! write it: the directory belongs to the user, nobody else can write to it, it is reached through one directory
//! handle, and no directory that contains it is ever granted to a guest with write access ([`Cache::refuse_grant`]).
//!
//! An entry's name is a digest of what went in: the program, the engine's settings and lind's version. Its last
//! 40 bytes are a digest of what came out, so an entry cut short or damaged is noticed and built again. Entries are
//! written beside their name and renamed: readers see a whole entry or none, however many writers there are.

use std::ffi::OsString;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use cap_std::fs::{Dir, MetadataExt, OpenOptions, OpenOptionsExt};
use sha2::{Digest, Sha256};

use crate::failure::reason;

/// Ends every entry, after the digest of all that precedes it.
const MAGIC: &[u8; 8] = b"lind-aot";
const DIGEST: usize = 32;
/// Bytes of entries to keep.
const CAPACITY: u64 = 2 << 30;
/// How the name of an entry that is being written ends.
const UNFINISHED: &str = ".new";
/// An entry that is being written for so long is not.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);
const TRAILER: u64 = (DIGEST + MAGIC.len()) as u64;

/// The name of a cache entry: a digest of everything its content depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// The key of `program` (the bytes of a module) compiled by an engine with `settings`.
    pub fn new(program: &[u8], settings: &impl Hash) -> Self {
        let mut settings_digest = HashInto(Sha256::new());
        settings.hash(&mut settings_digest);
        let mut digest = Sha256::new();
        digest.update(env!("CARGO_PKG_VERSION"));
        digest.update(settings_digest.0.finalize());
        digest.update(program);
        Self(hex(&digest.finalize()))
    }
}

/// Feeds a [`Hash`] into a digest that is the same in every process.
struct HashInto(Sha256);

impl Hasher for HashInto {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// An open cache directory.
#[derive(Debug)]
pub struct Cache {
    dir: Dir,
    /// Without symbolic links.
    path: PathBuf,
    /// Absolute, as it was given.
    typed: PathBuf,
}

/// Where the cache is: `LIND_CACHE`, or `lind` in `XDG_CACHE_HOME` or in `~/.cache`; none if no variable says.
pub fn location(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(path) = variable("LIND_CACHE") {
        return (!path.is_empty()).then(|| path.into());
    }
    // Both must be absolute (XDG Base Directory Specification).
    set("XDG_CACHE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .filter(|base| base.is_absolute())
        .map(|base| base.join("lind"))
}

impl Cache {
    /// Opens the cache directory `path`, creating what is missing with mode 0700.
    ///
    /// # Errors
    /// A sentence, if the directory cannot be used or another user could write to it.
    pub fn open(path: &Path) -> Result<Self, String> {
        let cannot = |error: io::Error| {
            format!(
                "cannot use the cache '{}': {}",
                path.display(),
                reason(&error)
            )
        };
        let open = || Dir::open_ambient_dir(path, cap_std::ambient_authority());
        let dir = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(path)
                    .map_err(cannot)?;
                open()
            }
            result => result,
        }
        .map_err(cannot)?;
        let metadata = dir.dir_metadata().map_err(cannot)?;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(format!(
                "the cache '{}' belongs to another user",
                path.display()
            ));
        }
        if metadata.mode() & 0o022 != 0 {
            return Err(format!(
                "the cache '{}' can be written by other users",
                path.display()
            ));
        }
        let typed = std::path::absolute(path).map_err(cannot)?;
        Ok(Self {
            dir,
            path: typed.canonicalize().map_err(cannot)?,
            typed,
        })
    }

    /// The cache directory's real path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Says why a guest may not be given write access to the host directory `granted`; `None` if it may.
    ///
    /// The directories are compared by identity, so a bind mount of the cache is found as well.
    ///
    /// # Errors
    /// The system's error, if a directory cannot be examined.
    pub fn refuse_grant(&self, granted: &Path) -> io::Result<Option<String>> {
        use std::os::unix::fs::MetadataExt;
        let identity = |path: &Path| std::fs::metadata(path).map(|data| (data.dev(), data.ino()));
        let contains = |outer: &Path, inner: &Path| -> io::Result<bool> {
            let outer = identity(outer)?;
            for ancestor in inner.ancestors() {
                if identity(ancestor)? == outer {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        let granted = granted.canonicalize()?;
        // The way to the directory matters as well: whoever can change a link in it decides what is opened next time.
        let refusal = if contains(&granted, &self.path)? || contains(&granted, &self.typed)? {
            "contains"
        } else if contains(&self.path, &granted)? {
            "is inside"
        } else {
            return Ok(None);
        };
        Ok(Some(format!(
            "'{}' cannot be writable in the sandbox: it {refusal} lind's cache of compiled programs, '{}'",
            granted.display(),
            self.path.display()
        )))
    }

    /// Opens the entry `key`, at its start; `None` if there is none or it is damaged.
    pub fn load(&self, key: &Key) -> Option<File> {
        let mut file = self.dir.open(&key.0).ok()?.into_std();
        match verify(&mut file) {
            Ok(true) => Some(file),
            Ok(false) | Err(_) => None,
        }
    }

    /// Makes `content` the entry `key`.
    ///
    /// # Errors
    /// The system's error; the entry is then as it was.
    pub fn store(&self, key: &Key, content: &[u8]) -> io::Result<()> {
        let temporary = Temporary::new(&self.dir, key)?;
        let mut file = &temporary.file;
        file.write_all(content)?;
        file.write_all(&Sha256::digest(content))?;
        file.write_all(MAGIC)?;
        temporary.publish(key)?;
        // A cache that is too large does no harm today.
        let _ = self.prune(CAPACITY);
        Ok(())
    }

    /// Removes the entries that were not used for the longest time, until `capacity` bytes are left, and what writers
    /// that died have left behind.
    fn prune(&self, capacity: u64) -> io::Result<()> {
        let now = SystemTime::now();
        let mut entries = Vec::new();
        for entry in self.dir.entries()? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            let written = metadata.modified()?.into_std();
            let used = metadata
                .accessed()
                .map_or(written, |accessed| accessed.into_std().max(written));
            let name = entry.file_name();
            let age = now.duration_since(used).unwrap_or_default();
            if name.as_encoded_bytes().ends_with(UNFINISHED.as_bytes()) && age > ABANDONED {
                self.dir.remove_file(&name)?;
            } else {
                entries.push((used, metadata.len(), name));
            }
        }
        entries.sort_unstable();
        let mut total: u64 = entries.iter().map(|(_, size, _)| size).sum();
        for (_, size, name) in entries {
            if total <= capacity {
                break;
            }
            self.dir.remove_file(&name)?;
            total -= size;
        }
        Ok(())
    }
}

/// Whether `file` ends in the digest of what it starts with. Leaves it at its start.
fn verify(file: &mut File) -> io::Result<bool> {
    let Some(mut left) = file.metadata()?.len().checked_sub(TRAILER) else {
        return Ok(false);
    };
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    while left > 0 {
        let want = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let chunk = buffer.get_mut(..want).unwrap_or_default();
        file.read_exact(chunk)?;
        digest.update(&*chunk);
        left -= want as u64;
    }
    let mut expected = [0; DIGEST];
    file.read_exact(&mut expected)?;
    let mut magic = [0; MAGIC.len()];
    file.read_exact(&mut magic)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(magic == *MAGIC && expected == *digest.finalize())
}

/// An entry that is being written; removed again unless it is published.
struct Temporary<'a> {
    dir: &'a Dir,
    name: Option<String>,
    file: cap_std::fs::File,
}

impl<'a> Temporary<'a> {
    fn new(dir: &'a Dir, key: &Key) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}.{}.{number}{UNFINISHED}", key.0, std::process::id());
        let create = || {
            dir.open_with(
                &name,
                OpenOptions::new().write(true).create_new(true).mode(0o600),
            )
        };
        let file = match create() {
            // A process of the same number died while it wrote: nobody else uses this name now.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                dir.remove_file(&name)?;
                create()
            }
            result => result,
        }?;
        Ok(Self {
            dir,
            name: Some(name),
            file,
        })
    }

    fn publish(mut self, key: &Key) -> io::Result<()> {
        match &self.name {
            Some(name) => self.dir.rename(name, self.dir, &key.0)?,
            None => return Ok(()),
        }
        self.name = None;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // The failure that led here is what the user is told.
            let _ = self.dir.remove_file(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn content(cache: &Cache, key: &Key) -> Option<Vec<u8>> {
        cache.load(key).map(|mut file| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            bytes.truncate(bytes.len() - DIGEST - MAGIC.len());
            bytes
        })
    }

    fn cache() -> (tempfile::TempDir, Cache) {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(&dir.path().join("a/lind")).unwrap();
        (dir, cache)
    }

    #[test]
    fn an_entry_comes_back_and_leaves_nothing_beside_it() {
        let (_dir, cache) = cache();
        let key = Key::new(b"program", &1);
        assert_eq!(content(&cache, &key), None);
        cache.store(&key, b"code").unwrap();
        assert_eq!(content(&cache, &key).unwrap(), b"code");
        assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 1);
        assert_eq!(
            std::fs::metadata(cache.path())
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            0o700
        );
    }

    #[test]
    fn keys_depend_on_the_program_and_the_settings() {
        let key = Key::new(b"program", &1);
        assert_eq!(key, Key::new(b"program", &1));
        assert_ne!(key, Key::new(b"program", &2));
        assert_ne!(key, Key::new(b"programs", &1));
    }

    #[test]
    fn damage_is_noticed_and_mended() {
        let (_dir, cache) = cache();
        let key = Key::new(b"program", &1);
        let path = cache.path().join(&key.0);
        cache.store(&key, &[7; 100_000]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in [0, 10, 40, 50_000, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(content(&cache, &key), None, "cut at {length}");
        }
        for at in [0, 70_000, whole.len() - 1, whole.len() - 20] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(content(&cache, &key), None, "changed at {at}");
        }
        cache.store(&key, b"code").unwrap();
        assert_eq!(content(&cache, &key).unwrap(), b"code");
    }

    #[test]
    fn many_writers_and_readers_see_whole_entries() {
        let (_dir, cache) = cache();
        let key = Key::new(b"program", &1);
        std::thread::scope(|scope| {
            for byte in 0..4_u8 {
                let (cache, key) = (&cache, &key);
                scope.spawn(move || {
                    for _ in 0..50 {
                        cache
                            .store(key, &vec![byte; 10_000 + usize::from(byte)])
                            .unwrap();
                        let found =
                            content(cache, key).expect("an entry is replaced, never missing");
                        assert_eq!(found.len(), 10_000 + usize::from(found[0]));
                    }
                });
            }
        });
        assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_least_recently_used_entries_go_first() {
        let (_dir, cache) = cache();
        let keys = [1, 2, 3].map(|number| Key::new(b"program", &number));
        for (key, age) in keys.iter().zip([30, 20, 10]) {
            cache.store(key, &[0; 1000]).unwrap();
            let path = cache.path().join(&key.0);
            let time = SystemTime::now() - Duration::from_secs(age);
            let times = std::fs::FileTimes::new()
                .set_accessed(time)
                .set_modified(time);
            File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_times(times)
                .unwrap();
        }
        cache.prune(2500).unwrap();
        let left = keys.each_ref().map(|key| cache.load(key).is_some());
        assert_eq!(left, [false, true, true]);
    }

    #[test]
    fn a_directory_that_others_can_write_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(
            Cache::open(dir.path())
                .unwrap_err()
                .contains("can be written by other users")
        );
    }

    #[test]
    fn a_grant_that_reaches_the_cache_is_refused() {
        let (dir, cache) = cache();
        let other = tempfile::tempdir().unwrap();
        std::fs::create_dir(cache.path().join("sub")).unwrap();
        std::os::unix::fs::symlink(dir.path(), other.path().join("link")).unwrap();
        let refused = |path: &Path| cache.refuse_grant(path).unwrap().is_some();
        assert!(refused(dir.path()));
        assert!(refused(Path::new("/")));
        assert!(refused(cache.path()));
        assert!(refused(&cache.path().join("sub")));
        assert!(refused(&other.path().join("link")));
        assert!(!refused(other.path()));
        let through_link = Cache::open(&other.path().join("link/a/lind")).unwrap();
        assert_eq!(through_link.path(), cache.path());
        assert!(through_link.refuse_grant(other.path()).unwrap().is_some());
    }

    #[test]
    fn the_location_follows_the_environment() {
        let found = |variables: &[(&str, &str)]| {
            location(|name| {
                variables
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| value.into())
            })
        };
        assert_eq!(found(&[("HOME", "/h")]), Some("/h/.cache/lind".into()));
        assert_eq!(
            found(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")]),
            Some("/x/lind".into())
        );
        assert_eq!(
            found(&[("HOME", "/h"), ("LIND_CACHE", "/c")]),
            Some("/c".into())
        );
        assert_eq!(found(&[("HOME", "/h"), ("LIND_CACHE", "")]), None);
        assert_eq!(found(&[]), None);
    }
}
