//! The sandbox that the options of `lind run` ask for.

use std::io;
use std::path::Path;

use rawposix::{Access, Config, Limit, Mount, Net};

use super::args::{self, Run};
use super::identity;
use super::strace;
use crate::cache::Cache;
use crate::failure::{Failure, reason};

/// `RLIMIT_*` numbers, see getrlimit(2).
const RLIMIT_FSIZE: u32 = 1;
const RLIMIT_NPROC: u32 = 6;
const RLIMIT_NOFILE: u32 = 7;
const RLIMIT_AS: u32 = 9;

/// Refuses to let the guest write where lind's compiled programs are.
pub(super) fn refuse_grants(args: &Run, cache: Option<&Cache>) -> Result<(), Failure> {
    let Some(cache) = cache else { return Ok(()) };
    let writable = args
        .dirs
        .iter()
        .filter(|dir| dir.access == Access::ReadWrite)
        .map(|dir| &dir.host);
    for path in writable.chain(&args.root) {
        if let Some(why) = cache
            .refuse_grant(path)
            .map_err(|error| cannot_grant(path, &error))?
        {
            return Err(Failure::lind(why)
                .hint("grant it read-only (:ro), grant less, or move the cache with LIND_CACHE"));
        }
    }
    Ok(())
}

/// The network that the options grant.
pub(super) fn net(args: &Run) -> Net {
    match args.net {
        args::Net::None => Net::None,
        args::Net::Host => Net::Host,
    }
}

fn cannot_grant(path: &Path, error: &io::Error) -> Failure {
    Failure::lind(format!(
        "cannot open the directory '{}': {}",
        path.display(),
        reason(error)
    ))
}

/// What the options grant.
pub(super) fn config(args: &Run, program: Option<rawposix::Program>) -> Result<Config, Failure> {
    let mounts = args.dirs.iter().map(|dir| {
        let host = dir
            .host
            .canonicalize()
            .map_err(|error| cannot_grant(&dir.host, &error))?;
        let guest = dir.guest_path(&host).to_owned();
        Ok(Mount {
            host,
            guest,
            access: dir.access,
        })
    });
    let limits = [
        (RLIMIT_AS, args.memory),
        (RLIMIT_FSIZE, args.fsize),
        (RLIMIT_NOFILE, args.nofile.map(u64::from)),
        (RLIMIT_NPROC, args.pids.map(u64::from)),
    ];
    let limits = limits.into_iter().filter_map(|(resource, value)| {
        Some(Limit {
            resource,
            value: value?,
        })
    });
    let user = args.user.unwrap_or_default();
    Ok(Config {
        root: args.root.clone(),
        mounts: mounts.collect::<Result<_, Failure>>()?,
        private: args.tmpfs.clone(),
        cwd: args.cwd.clone(),
        hostname: args.hostname.clone(),
        uid: user.uid,
        gid: user.gid,
        host_users: identity::host_users(args.user),
        program,
        net: net(args),
        limits: limits.collect(),
        trace: strace::trace(args)?,
    })
}
