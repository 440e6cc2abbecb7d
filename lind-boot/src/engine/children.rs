//! clone and exec: what the engine does for them while the guest waits in a host function.

use rawposix::{CloneRequest, Control, Entry, Errno, ExecRequest};
use wasmtime::Caller;
use wasmtime::native_frames::{self, Snapshot, with_memory};

use super::guest::{self, Beginning, Guest, Parent, Replaced, without_backtrace};
use super::native;

/// Makes a host thread ready for a child and starts it there. Whatever fails makes the call fail.
pub(super) fn clone(caller: &mut Caller<'_, Guest>, request: Box<CloneRequest>) -> Control {
    let prepared = prepare(caller, &request);
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
    guest.thread.start_child(request, |child| {
        worker.run(Box::new(move || {
            guest::run(&machine, program, child, beginning)
        }));
    })
}

fn prepare(caller: &mut Caller<'_, Guest>, request: &CloneRequest) -> Result<Beginning, Errno> {
    // What cannot be copied is a module's own doing: C's have neither frames of the host between theirs nor references.
    let refused = |_: wasmtime::Error| Errno::ENOSYS;
    let instance = caller.data().instance.ok_or(Errno::ENOSYS)?;
    let snapshot = Snapshot::take(&*caller, &instance).map_err(refused)?;
    let guest = caller.data();
    let own = guest.imports.as_ref().ok_or(Errno::ENOSYS)?;
    let imports = if request.shares_memory(&guest.thread) {
        own.clone()
    } else {
        let memory =
            native::shared_memory(caller.engine(), request.memory()).map_err(|_| Errno::ENOMEM)?;
        with_memory(own, &memory).map_err(refused)?
    };
    let parent = Box::new(Parent { snapshot, imports });
    Ok(match request.entry() {
        Entry::Here => Beginning::Frames {
            frames: Box::new(native_frames::capture(caller).map_err(refused)?),
            jumps: caller.data().jumps.clone(),
            parent,
        },
        Entry::Function {
            function,
            argument,
            stack,
            tls,
        } => Beginning::Function {
            function,
            argument,
            stack,
            tls,
            parent,
        },
    })
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
