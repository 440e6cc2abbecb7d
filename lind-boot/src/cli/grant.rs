//! `--dir` and `--env`: what the command line grants the guest.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rawposix::{Access, Private, PrivateOptions};

use super::quantity;

/// `HOST[::GUEST][:ro]`: a host directory and the place where the guest sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirGrant {
    /// The host's directory, as typed.
    pub host: PathBuf,
    /// The guest's absolute path; without one the directory keeps its own absolute path.
    pub guest: Option<PathBuf>,
    /// Whether the guest may write.
    pub access: Access,
}

impl DirGrant {
    /// Parses `HOST[::GUEST][:ro]`.
    ///
    /// # Errors
    /// A sentence, if a part is empty or GUEST is not absolute.
    pub fn parse(spec: &OsStr) -> Result<Self, String> {
        let bytes = spec.as_bytes();
        let (bytes, access) = match bytes.strip_suffix(b":ro") {
            Some(rest) => (rest, Access::ReadOnly),
            None => (
                bytes.strip_suffix(b":rw").unwrap_or(bytes),
                Access::ReadWrite,
            ),
        };
        let (host, guest) = match bytes.windows(2).position(|pair| pair == b"::") {
            Some(at) => {
                let (host, rest) = bytes.split_at(at);
                (host, rest.strip_prefix(b"::"))
            }
            None => (bytes, None),
        };
        if host.is_empty() {
            return Err("the host directory is empty; write HOST[::GUEST][:ro]".to_owned());
        }
        let guest = guest.map(|path| PathBuf::from(OsStr::from_bytes(path)));
        if let Some(path) = &guest {
            if path.as_os_str().is_empty() {
                return Err("the guest directory is empty; write HOST[::GUEST][:ro]".to_owned());
            }
            if !path.is_absolute() {
                return Err(format!(
                    "the guest directory '{}' is not absolute",
                    path.display()
                ));
            }
        }
        Ok(Self {
            host: PathBuf::from(OsStr::from_bytes(host)),
            guest,
            access,
        })
    }

    /// Where the guest sees the directory whose host path is `canonical`.
    pub fn guest_path<'a>(&'a self, canonical: &'a Path) -> &'a Path {
        self.guest.as_deref().unwrap_or(canonical)
    }
}

/// `DIR[:OPTION,...]`: the place of `--tmpfs` and what it is like.
///
/// # Errors
/// A sentence, if it is not absolute or the root, or if an option is none of tmpfs's that there are.
pub(super) fn private(spec: &OsStr) -> Result<Private, String> {
    let bytes = spec.as_bytes();
    let colon = bytes.iter().rposition(|byte| *byte == b':');
    let (path, options) = match colon.map(|colon| bytes.split_at(colon)) {
        Some((path, options)) if options.contains(&b'=') => (path, options.get(1..)),
        _ => (bytes, None),
    };
    let guest = guest_directory(OsStr::from_bytes(path))?;
    let options = options.map(String::from_utf8_lossy);
    let options = options
        .as_deref()
        .map_or(Ok(PrivateOptions::default()), tmpfs_options)?;
    Ok(Private { guest, options })
}

fn tmpfs_options(text: &str) -> Result<PrivateOptions, String> {
    let mut options = PrivateOptions::default();
    for option in text.split(',') {
        match option.split_once('=') {
            Some(("size", size)) => options.size = Some(quantity::bytes(size)?),
            Some(("nr_inodes", count)) => options.inodes = Some(quantity::count(count)?),
            Some(("mode", mode)) => options.mode = Some(permissions(mode)?),
            _ => {
                return Err(format!(
                    "'{option}' is no option; use size=SIZE, nr_inodes=N or mode=MODE"
                ));
            }
        }
    }
    Ok(options)
}

fn permissions(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 8) {
        Ok(mode @ 0..=0o7777) => Ok(mode),
        _ => Err(format!(
            "'{text}' is no mode; write octal digits, up to 7777"
        )),
    }
}

fn guest_directory(path: &OsStr) -> Result<PathBuf, String> {
    let path = PathBuf::from(path);
    if !path.is_absolute() {
        return Err(format!(
            "the guest directory '{}' is not absolute",
            path.display()
        ));
    }
    if path.parent().is_none() {
        return Err("the root cannot be such a directory; name one below it".to_owned());
    }
    Ok(path)
}

/// One `--env`: `NAME=VALUE` sets, `NAME` copies the host's value if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvGrant {
    name: OsString,
    value: Option<OsString>,
}

impl EnvGrant {
    /// Parses `NAME[=VALUE]`.
    ///
    /// # Errors
    /// A sentence, if NAME is empty.
    pub fn parse(spec: &OsStr) -> Result<Self, String> {
        let bytes = spec.as_bytes();
        let (name, value) = match bytes.iter().position(|&byte| byte == b'=') {
            Some(at) => {
                let (name, rest) = bytes.split_at(at);
                (name, rest.strip_prefix(b"="))
            }
            None => (bytes, None),
        };
        if name.is_empty() {
            return Err("the variable has no name; write NAME or NAME=VALUE".to_owned());
        }
        let owned = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        Ok(Self {
            name: owned(name),
            value: value.map(owned),
        })
    }
}

/// The guest's environment: a PATH and a HOME, then what `grants` say, later ones winning.
pub(super) fn environment(
    grants: &[EnvGrant],
    host: impl Fn(&OsStr) -> Option<OsString>,
) -> Vec<OsString> {
    let mut variables: Vec<(OsString, OsString)> = vec![
        ("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()),
        ("HOME".into(), "/".into()),
    ];
    for grant in grants {
        let Some(value) = grant.value.clone().or_else(|| host(&grant.name)) else {
            continue;
        };
        match variables.iter_mut().find(|(name, _)| *name == grant.name) {
            Some(entry) => entry.1 = value,
            None => variables.push((grant.name.clone(), value)),
        }
    }
    variables
        .into_iter()
        .map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            name
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir(spec: &str) -> Result<(String, Option<String>, Access), String> {
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        DirGrant::parse(OsStr::new(spec))
            .map(|grant| (text(grant.host), grant.guest.map(text), grant.access))
    }

    #[test]
    fn a_directory_has_a_host_part_a_guest_part_and_an_access() {
        let some = |path: &str| Some(path.to_owned());
        assert_eq!(dir("."), Ok((".".into(), None, Access::ReadWrite)));
        assert_eq!(dir("/a:ro"), Ok(("/a".into(), None, Access::ReadOnly)));
        assert_eq!(dir("/a:rw"), Ok(("/a".into(), None, Access::ReadWrite)));
        assert_eq!(
            dir("./data::/data"),
            Ok(("./data".into(), some("/data"), Access::ReadWrite))
        );
        assert_eq!(
            dir("./data::/data:ro"),
            Ok(("./data".into(), some("/data"), Access::ReadOnly))
        );
        assert_eq!(
            dir("a:b::/c:d"),
            Ok(("a:b".into(), some("/c:d"), Access::ReadWrite))
        );
        assert_eq!(dir("a::/"), Ok(("a".into(), some("/"), Access::ReadWrite)));
    }

    #[test]
    fn a_directory_without_a_part_is_refused() {
        for spec in ["", ":ro", "::/data", "a::", "a:::ro", "a::data"] {
            assert!(dir(spec).is_err(), "{spec}");
        }
    }

    #[test]
    fn a_private_directory_may_have_options() {
        let private = |spec: &str| {
            private(OsStr::new(spec)).map(|dir| {
                let PrivateOptions { size, inodes, mode } = dir.options;
                (dir.guest.to_str().unwrap().to_owned(), size, inodes, mode)
            })
        };
        assert_eq!(private("/run"), Ok(("/run".into(), None, None, None)));
        assert_eq!(
            private("/run:size=64M"),
            Ok(("/run".into(), Some(64 << 20), None, None))
        );
        assert_eq!(
            private("/a:b:nr_inodes=2k,mode=755,size=1"),
            Ok(("/a:b".into(), Some(1), Some(2048), Some(0o755)))
        );
        assert_eq!(private("/a:b"), Ok(("/a:b".into(), None, None, None)));
        for spec in [
            "run",
            "/",
            "",
            "/run:size=",
            "/run:size=0",
            "/run:size=x",
            "/run:size=1,",
            "/run:size=1,inodes=3",
            "/run:nr_inodes=1kb",
            "/run:mode=8",
            "/run:mode=10000",
            ":size=1",
        ] {
            assert!(private(spec).is_err(), "{spec}");
        }
    }

    #[test]
    fn the_environment_is_only_what_was_granted() {
        let host = |name: &OsStr| (name == "LANG").then(|| "C.UTF-8".into());
        let parse = |spec: &&str| EnvGrant::parse(OsStr::new(spec)).unwrap();
        let grants: Vec<_> = ["LANG", "MISSING", "A=1", "A=b=c", "HOME=/home", "EMPTY="]
            .iter()
            .map(parse)
            .collect();
        assert_eq!(
            environment(&grants, host),
            [
                "PATH=/usr/local/bin:/usr/bin:/bin",
                "HOME=/home",
                "LANG=C.UTF-8",
                "A=b=c",
                "EMPTY="
            ]
        );
        assert!(EnvGrant::parse(OsStr::new("=x")).is_err());
    }
}
