//! clone and exec: what the engine does for them while the guest waits in a host function.

use rawposix::{CloneRequest, Control, Entry, Errno, ExecRequest};
use wasmtime::Caller;
use wasmtime::native_frames::{self, Frames, Snapshot, with_memory};

use super::checks::{self, Turns};
use super::guest::{self, Beginning, Frozen, Guest, Parent, Replaced, Start, without_backtrace};
use super::{asyncify, native};

/// Makes a child and starts it. Whatever fails makes the call fail.
///
/// A thread of a module with asyncify has to unwind itself first: [`start`] is called when it has done so.
pub(super) fn clone(
    caller: &mut Caller<'_, Guest>,
    request: Box<CloneRequest>,
) -> wasmtime::Result<Control> {
    if asyncify::is_for(caller, &request) {
        return asyncify::unwind(caller, request);
    }
    let frozen = match request.entry() {
        Entry::Here => capture(caller).map(|frames| Some(Frozen::Native(frames.into()))),
        Entry::Function { .. } => Ok(None),
    };
    Ok(match frozen {
        Ok(frozen) => start(caller, request, frozen),
        Err(error) => caller.data_mut().thread.fail_child(request, refused(error)),
    })
}

/// Makes a host thread ready for a child and starts it there, with these frames if not with a function of its own.
pub(super) fn start(
    caller: &mut Caller<'_, Guest>,
    request: Box<CloneRequest>,
    frozen: Option<Frozen>,
) -> Control {
    let prepared = prepare(caller, &request, frozen);
    let guest = caller.data_mut();
    let (beginning, worker) = match prepared {
        Ok(beginning) => match guest.machine.workers.get() {
            Ok(worker) => (beginning, worker),
            Err(_) => return guest.thread.fail_child(request, Errno::EAGAIN),
        },
        Err(errno) => return guest.thread.fail_child(request, errno),
    };
    let machine = guest.machine.clone();
    let program = guest.program.clone();
    let copies = !request.shares_memory(&guest.thread);
    let turns = (copies && machine.checks.conceal && guest.thread.is_alone()).then(Turns::new);
    let childs = turns.clone();
    let control = guest.thread.start_child(request, |child| {
        worker.run(Box::new(move || {
            let _turn = childs.map(Turns::of_child);
            guest::run(&machine, program, child, beginning)
        }));
    });
    if let Some(turns) = turns {
        turns.let_child_run(guest.thread.memory(), &control);
    }
    control
}

/// What cannot be copied is a module's own doing: one from C has no frames of the host between its own.
fn refused(_: wasmtime::Error) -> Errno {
    Errno::ENOSYS
}

fn prepare(
    caller: &mut Caller<'_, Guest>,
    request: &CloneRequest,
    frozen: Option<Frozen>,
) -> Result<Beginning, Errno> {
    let instance = caller.data().instance.ok_or(Errno::ENOSYS)?;
    let snapshot = Snapshot::take(&*caller, &instance).map_err(refused)?;
    let guest = caller.data();
    let own = guest.imports.as_ref().ok_or(Errno::ENOSYS)?;
    let shares_memory = request.shares_memory(&guest.thread);
    let imports = if shares_memory {
        own.clone()
    } else {
        let memory =
            native::shared_memory(caller.engine(), request.memory()).map_err(|_| Errno::ENOMEM)?;
        with_memory(own, &memory).map_err(refused)?
    };
    let parent = Box::new(Parent { snapshot, imports });
    Ok(match (frozen, request.entry()) {
        (Some(frozen), _) => Beginning::Frames {
            frozen,
            start: caller.data().start,
            jumps: caller.data().jumps.clone(),
            contexts: caller.data().contexts.fork(),
            parent,
        },
        (
            None,
            Entry::Function {
                function,
                argument,
                stack,
                tls,
            },
        ) => Beginning::Function {
            start: Start::Function([function, argument, stack, tls]),
            contexts: if shares_memory {
                caller.data_mut().contexts.share()
            } else {
                caller.data().contexts.fork().share()
            },
            parent,
        },
        (None, Entry::Here) => return Err(Errno::ENOSYS),
    })
}

fn capture(caller: &mut Caller<'_, Guest>) -> wasmtime::Result<Frames> {
    let mut frames = native_frames::capture(caller)?;
    if caller.data().machine.checks.poison {
        checks::poison(caller, &mut frames)?;
    }
    Ok(frames)
}

/// Loads a program and puts it into the place of the present one. The error that unwinds the old one's frames is what
/// [`guest::run`] goes on with.
pub(super) fn exec(
    caller: &mut Caller<'_, Guest>,
    request: ExecRequest,
) -> wasmtime::Result<Control> {
    let guest = caller.data_mut();
    let program = match guest.machine.load(&guest.program.engine, &request) {
        Ok(program) => program,
        Err(errno) => return Ok(guest.thread.fail_exec(request, errno)),
    };
    match guest.thread.execute(request, program.initial_memory()) {
        Ok(()) => Err(without_backtrace(caller.engine(), Replaced(program).into())),
        Err(control) => Ok(control),
    }
}
