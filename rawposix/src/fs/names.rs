//! The files that say what hosts are called, for a sandbox whose root directory is not granted: `/etc/hosts`,
//! `/etc/hostname` and, with the host's network, `/etc/resolv.conf`. They are what containers find there: without them
//! not even `localhost` has an address. See hosts(5), resolv.conf(5).

use std::io::Read;
use std::os::fd::OwnedFd;

use rawposix_abi::Errno;
use rustix::fs::{MemfdFlags, Mode, SealFlags};

use crate::config::{Config, Net};

/// As much is read of one of the host's files.
const MOST: u64 = 1 << 20;

const LOOPBACK: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";

/// The paths and texts.
pub(crate) fn files(config: &Config) -> Vec<(&'static str, Vec<u8>)> {
    let name = &config.hostname;
    let of_host = |path| match config.net {
        Net::Host => of_host(path),
        Net::None => None,
    };
    let mut hosts = of_host("/etc/hosts").unwrap_or_else(|| LOOPBACK.as_bytes().to_vec());
    if hosts.last().is_some_and(|byte| *byte != b'\n') {
        hosts.push(b'\n');
    }
    hosts.extend_from_slice(format!("127.0.0.1\t{name}\n").as_bytes());
    let mut files = vec![
        ("/etc/hosts", hosts),
        ("/etc/hostname", format!("{name}\n").into_bytes()),
    ];
    if let Some(servers) = of_host("/etc/resolv.conf") {
        files.push(("/etc/resolv.conf", servers));
    }
    files
}

fn of_host(path: &str) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(MOST).read_to_end(&mut text).ok()?;
    Some(text)
}

/// A file of the host's without a name that says this for good.
pub(crate) fn text_file(text: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = rustix::fs::memfd_create(c"names", flags)?;
    rustix::fs::fchmod(&file, Mode::from_bits_truncate(0o644))?;
    let mut rest = text;
    while !rest.is_empty() {
        let count = rustix::io::write(&file, rest)?;
        rest = rest.get(count..).unwrap_or_default();
    }
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(&file, seals)?;
    Ok(file)
}
