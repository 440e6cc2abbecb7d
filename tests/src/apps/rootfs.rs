//! A root directory with the packages of the small system.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use crate::Result;
use crate::apps::build::{Builder, Built};
use crate::apps::packages::{Install, PACKAGES};

/// Directories, with their modes.
const DIRECTORIES: [(&str, u32); 13] = [
    ("dev", 0o755),
    ("etc", 0o755),
    ("home", 0o755),
    ("proc", 0o555),
    ("root", 0o700),
    ("run", 0o755),
    ("tmp", 0o1777),
    ("usr", 0o755),
    ("usr/bin", 0o755),
    ("usr/lib", 0o755),
    ("usr/sbin", 0o755),
    ("var", 0o755),
    ("var/tmp", 0o1777),
];

/// Symbolic links, with what they point to.
const LINKS: [(&str, &str); 4] = [
    ("bin", "usr/bin"),
    ("lib", "usr/lib"),
    ("sbin", "usr/sbin"),
    ("etc/mtab", "../proc/self/mounts"),
];

/// Other names of programs.
const ALIASES: [(&str, &str); 2] = [("usr/bin/sh", "dash"), ("usr/bin/awk", "gawk")];

/// Files of `/etc`.
const FILES: [(&str, &str); 7] = [
    (
        "passwd",
        "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\nuser:x:1000:1000:user:/home:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    ),
    (
        "group",
        "root:x:0:\ndaemon:x:1:\nbin:x:2:\ntty:x:5:\nusers:x:100:\nuser:x:1000:\nnogroup:x:65534:\n",
    ),
    (
        "nsswitch.conf",
        "passwd: files\ngroup: files\nhosts: files dns\n",
    ),
    (
        "hosts",
        "127.0.0.1\tlocalhost\n127.0.1.1\tlind\n::1\tlocalhost\n",
    ),
    ("shells", "/bin/sh\n/bin/dash\n/bin/bash\n"),
    ("hostname", "lind\n"),
    (
        "profile",
        "export PATH=/usr/local/bin:/usr/bin:/bin\nPS1='\\w\\$ '\n",
    ),
];

/// Builds all packages and makes `root` a root directory with their stripped programs, unless it is one of the same builds.
///
/// # Errors
/// When a package does not build, or a file cannot be made.
pub fn install(builder: &Builder, root: &Path) -> Result<()> {
    let built = PACKAGES
        .iter()
        .map(|package| Ok((package.install, package.build(builder)?)))
        .collect::<Result<Vec<_>>>()?;
    let stamp = root.with_extension("stamp");
    let mut identity = format!("{DIRECTORIES:?}{LINKS:?}{ALIASES:?}{FILES:?}");
    for (_, package) in &built {
        identity += &package.identity()?;
    }
    if root.is_dir() && fs::read_to_string(&stamp).is_ok_and(|found| found == identity) {
        return Ok(());
    }
    let parent = root.parent().ok_or("a root directory has a parent")?;
    fs::create_dir_all(parent).map_err(|e| failed("create", parent, &e))?;
    let temporary = tempfile::Builder::new()
        .prefix(".rootfs")
        .tempdir_in(parent)
        .map_err(|e| failed("create a directory in", parent, &e))?;
    let (new, stage) = (temporary.path().join("new"), temporary.path().join("stage"));
    skeleton(&new)?;
    let programs = new.join("usr/bin");
    for (how, package) in &built {
        match how {
            Install::Make(targets) => {
                let destination = format!("DESTDIR={}", stage.display());
                let mut words = vec!["make", "--silent", &destination];
                words.extend(*targets);
                package.step(&words)?;
            }
            Install::Copy(files) => {
                for file in *files {
                    put(&package.directory().join(file), &programs.join(file))?;
                }
            }
        }
    }
    for (from, to) in [("usr/bin", "usr/bin"), ("usr/libexec", "usr/libexec")] {
        copy_directory(&stage.join(from), &new.join(to))?;
    }
    links(&new, &ALIASES)?;
    if let Some((_, package)) = built.first() {
        strip(builder, package, &new)?;
    }
    if root.exists() {
        fs::remove_dir_all(root).map_err(|e| failed("remove", root, &e))?;
    }
    fs::rename(&new, root).map_err(|e| failed("create", root, &e))?;
    fs::write(&stamp, identity).map_err(|e| failed("write", &stamp, &e))
}

/// Makes a root directory of everything but programs.
///
/// # Errors
/// When it is there already, or a file cannot be made.
pub fn skeleton(root: &Path) -> Result<()> {
    fs::create_dir(root).map_err(|e| failed("create", root, &e))?;
    for (name, mode) in DIRECTORIES {
        let directory = root.join(name);
        fs::create_dir(&directory)
            .and_then(|()| fs::set_permissions(&directory, fs::Permissions::from_mode(mode)))
            .map_err(|e| failed("create", &directory, &e))?;
    }
    for (name, text) in FILES {
        let file = root.join("etc").join(name);
        fs::write(&file, text).map_err(|e| failed("write", &file, &e))?;
    }
    links(root, &LINKS)
}

/// Makes symbolic links, but for those that a package has installed.
fn links(root: &Path, links: &[(&str, &str)]) -> Result<()> {
    for (link, target) in links {
        let link = root.join(link);
        if fs::symlink_metadata(&link).is_err() {
            symlink(target, &link).map_err(|e| failed("create", &link, &e))?;
        }
    }
    Ok(())
}

/// Copies a directory of files, links and directories; one that is not there is empty.
fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(from) else {
        return Ok(());
    };
    fs::create_dir_all(to).map_err(|e| failed("create", to, &e))?;
    for entry in entries.flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(|e| failed("read", &source, &e))?;
        if kind.is_dir() {
            copy_directory(&source, &target)?;
        } else if kind.is_symlink() {
            fs::read_link(&source)
                .and_then(|link| symlink(link, &target))
                .map_err(|e| failed("copy", &source, &e))?;
        } else {
            put(&source, &target)?;
        }
    }
    Ok(())
}

/// Copies one file with its mode.
fn put(source: &Path, target: &Path) -> Result<()> {
    fs::copy(source, target)
        .map(drop)
        .map_err(|e| failed("copy", source, &e))
}

/// Strips the programs below `root`; scripts stay as they are.
fn strip(builder: &Builder, package: &Built<'_>, root: &Path) -> Result<()> {
    let mut programs = Vec::new();
    for directory in ["usr/bin", "usr/libexec"] {
        find_programs(&root.join(directory), &mut programs)?;
    }
    let tool = builder.tool("strip");
    let mut words = vec![tool.as_str()];
    words.extend(programs.iter().map(String::as_str));
    package.step(&words).map(drop)
}

/// Collects the regular files that are modules or the host's programs, not scripts.
fn find_programs(directory: &Path, into: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let kind = entry.file_type().map_err(|e| failed("read", &path, &e))?;
        if kind.is_dir() {
            find_programs(&path, into)?;
        } else if kind.is_file() {
            let mut magic = [0; 4];
            let read = fs::File::open(&path).and_then(|mut file| file.read_exact(&mut magic));
            if read.is_ok() && (magic == *b"\0asm" || magic == *b"\x7fELF") {
                into.push(path.display().to_string());
            }
        }
    }
    Ok(())
}

fn failed(verb: &str, path: &Path, error: &std::io::Error) -> String {
    format!("cannot {verb} '{}': {error}", path.display())
}
