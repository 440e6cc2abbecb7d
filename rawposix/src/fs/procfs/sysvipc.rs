//! `/proc/sysvipc`: the objects of sysvipc(7), in the columns of 64-bit Linux.

use std::fmt::Write;

use rawposix_abi::structs::IpcPerm;

use crate::sandbox::World;

/// What a file says.
pub(super) fn contents(name: &str, world: &World) -> String {
    match name {
        "msg" => messages(world),
        "sem" => semaphores(world),
        _ => segments(world),
    }
}

/// A time that a structure has in two words, low half first.
fn time([low, high]: [u32; 2]) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// User and group, of the owner and of the creator.
fn ids(perm: &IpcPerm) -> String {
    let IpcPerm {
        uid,
        gid,
        cuid,
        cgid,
        ..
    } = perm;
    format!("{uid:5} {gid:5} {cuid:5} {cgid:5}")
}

fn segments(world: &World) -> String {
    let segments = &world.ipc.segments;
    let mut text = String::from(
        "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n",
    );
    for place in 0..=segments.info(world).greatest {
        let Ok((id, status)) = segments.status_at(world, None, place) else {
            continue;
        };
        let _ = writeln!(
            text,
            "{:10} {id:10}  {:4o} {:21} {:5} {:5}  {:5} {} {:10} {:10} {:10} {:21} {:21}",
            status.perm.key,
            status.perm.mode,
            status.segsz,
            status.cpid,
            status.lpid,
            status.nattch,
            ids(&status.perm),
            time(status.atime),
            time(status.dtime),
            time(status.ctime),
            segments.resident_at(place),
            0,
        );
    }
    text
}

fn messages(world: &World) -> String {
    let queues = &world.ipc.messages;
    let mut text = String::from(
        "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n",
    );
    for place in 0..=queues.totals().0 {
        let Ok((id, status)) = queues.status_at(None, place) else {
            continue;
        };
        let _ = writeln!(
            text,
            "{:10} {id:10}  {:4o}  {:10} {:10} {:5} {:5} {} {:10} {:10} {:10}",
            status.perm.key,
            status.perm.mode,
            status.cbytes,
            status.qnum,
            status.lspid,
            status.lrpid,
            ids(&status.perm),
            time(status.stime),
            time(status.rtime),
            time(status.ctime),
        );
    }
    text
}

fn semaphores(world: &World) -> String {
    let sets = &world.ipc.semaphores;
    let mut text = String::from(
        "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n",
    );
    for place in 0..=sets.totals().0 {
        let Ok((id, status)) = sets.status_at(None, place) else {
            continue;
        };
        let _ = writeln!(
            text,
            "{:10} {id:10}  {:4o} {:10} {} {:10} {:10}",
            status.perm.key,
            status.perm.mode,
            status.nsems,
            ids(&status.perm),
            time(status.otime),
            time(status.ctime),
        );
    }
    text
}
