//! Whether two processes share something. See kcmp(2).

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, LazyLock};

use rawposix_abi::Errno;
use rawposix_abi::flags::kcmp;

use super::args::{KcmpType, Pid, Uint};
use crate::cage::Process;
use crate::thread::Thread;

/// Orders objects without telling where they are.
static ORDER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

pub(super) fn kcmp(
    thread: &mut Thread,
    pid1: Pid,
    pid2: Pid,
    what: KcmpType,
    index1: Uint,
    index2: Uint,
) -> Result<i32, Errno> {
    let (one, other) = (subject(thread, pid1)?, subject(thread, pid2)?);
    for process in [&one, &other] {
        if !process.may_be_inspected(&thread.process) {
            return Err(Errno::EPERM);
        }
    }
    let words = match what.0 {
        kcmp::KCMP_FILE => {
            let file = |process: &Process, index: Uint| {
                let file = process.file(index.0.cast_signed())?;
                Ok::<_, Errno>(Arc::as_ptr(&file).addr())
            };
            [file(&one, index1)?, file(&other, index2)?]
        }
        kcmp::KCMP_VM => [&one, &other].map(|process| Arc::as_ptr(&process.space()).addr()),
        kcmp::KCMP_FILES => [&one, &other].map(|process| process.identity_of_files()),
        kcmp::KCMP_FS => [&one, &other].map(|process| process.identity_of_context()),
        kcmp::KCMP_SIGHAND => [&one, &other].map(|process| process.signals.identity_of_actions()),
        // No process has any.
        kcmp::KCMP_IO => [0, 0],
        // Each has its own from its first operation that is undone.
        kcmp::KCMP_SYSVSEM => [&one, &other].map(|process| {
            let undoes = thread.world.ipc.semaphores.undoes_for(process.pid);
            if undoes {
                Arc::as_ptr(process).addr()
            } else {
                0
            }
        }),
        kcmp::KCMP_EPOLL_TFD => return Err(Errno::EOPNOTSUPP),
        _ => return Err(Errno::EINVAL),
    };
    let [one, other] = words;
    if one == other {
        return Ok(0);
    }
    let before = ORDER.hash_one(one) < ORDER.hash_one(other);
    Ok(if before { 1 } else { 2 })
}

/// The process with a thread of this id.
fn subject(thread: &Thread, pid: Pid) -> Result<Arc<Process>, Errno> {
    match pid.0 {
        pid if pid > 0 => thread.process_of(pid),
        _ => Err(Errno::ESRCH),
    }
}
