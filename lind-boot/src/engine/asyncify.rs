//! Freezing by asyncify: modules that unwind and rewind their own stack.
//!
//! Binaryen's pass `--asyncify` gives a module five functions that it exports, and the ability to leave all of its
//! functions and to come back into them, with their locals in a buffer of its memory meanwhile. A thread is frozen in the
//! host function that is to copy it:
//!
//! 1. The host function maps a buffer, calls `asyncify_start_unwind` and returns. The guest's functions save themselves
//!    and return, down to the one that the host had called ([`unwound`]).
//! 2. That is called again after `asyncify_start_rewind`. The functions restore themselves up to the same call of the
//!    host function ([`again`]), which now has the frames of its thread in a buffer, and copies them to one in the child's
//!    memory. The rest is as with native frames.
//! 3. The child rewinds in the same way, and the host function returns to it what clone(2) returns to a child.
//!
//! The guest runs no handlers of signals meanwhile, and a fault ends its process, as does an error of any of the steps. The
//! C stack is not touched: neither unwinding nor rewinding executes what moves its pointer.
//!
//! # The buffer
//!
//! It is mapped for each use, in a place that is free. It cannot be too small: on the way out a function stores the
//! locals that may be alive at any of its calls, so at each call all of them are in its native frame, where each takes at
//! least as much as in the buffer. Besides, each frame has a word more there, and natively the return address and the
//! frame pointer. The buffer is twice as large as the native stack in use. The guest checks its end in
//! `asyncify_stop_unwind`.
//!
//! # What works, and what is refused
//!
//! fork, vfork and clone work at any depth, in any thread and from any function, also from signal handlers that libc calls
//! at the end of a system call. Threads with a function of their own need no frames.
//!
//! - A handler that is called between two instructions of a loop, or at a fault, stands on a function that cannot unwind
//!   itself. A fork in such a handler is done by native frames, which copy it. In the rare module that they cannot copy
//!   (`Config::native_frames_stay`) it fails with `ENOSYS`, as does a fork in a module's start function.
//! - setjmp and longjmp are those of native frames: a stack that was rewound has the same frames in the same places as
//!   before, so what setjmp saved is valid on both sides of a fork.
//! - The module must have been instrumented for the call that it forks by (`--pass-arg=asyncify-imports@lind.clone`, with
//!   `lind.syscall` as well if it uses `syscall(SYS_clone, …)`). One that was not is ended by SIGILL at its next call of the host.
//! - makecontext makes nothing in these modules: a context's functions would unwind themselves to where it began, and not
//!   to where the thread did.

use std::mem;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rawposix::{CloneRequest, Control, Entry, Errno, Signal};
use rawposix_memory::{AddressSpace, GuestPtr, MapFlags, MapRequest, Protection};
use wasmtime::{AsContextMut, Caller, Instance, Store, TypedFunc, native_frames};

use super::children;
use super::guest::{Ended, Frozen, Guest};

/// What a module exports that can unwind and rewind itself, with the number of parameters and of results.
pub(super) const EXPORTS: [(&str, usize, usize); 5] = [
    ("asyncify_start_unwind", 1, 0),
    ("asyncify_stop_unwind", 0, 0),
    ("asyncify_start_rewind", 1, 0),
    ("asyncify_stop_rewind", 0, 0),
    ("asyncify_get_state", 0, 1),
];

/// The buffer begins with the addresses of its free part: asyncify's own layout.
const HEADER: u32 = 8;
/// What a buffer has beyond twice the native stack in use.
const SLACK: usize = 16 << 10;

/// The functions of an instance that can unwind and rewind itself.
#[derive(Clone)]
pub(super) struct Functions {
    start_unwind: TypedFunc<u32, ()>,
    stop_unwind: TypedFunc<(), ()>,
    start_rewind: TypedFunc<u32, ()>,
    stop_rewind: TypedFunc<(), ()>,
}

impl Functions {
    pub(super) fn of(store: &mut Store<Guest>, instance: &Instance) -> wasmtime::Result<Self> {
        let [
            (start_unwind, ..),
            (stop_unwind, ..),
            (start_rewind, ..),
            (stop_rewind, ..),
            _,
        ] = EXPORTS;
        Ok(Self {
            start_unwind: instance.get_typed_func(&mut *store, start_unwind)?,
            stop_unwind: instance.get_typed_func(&mut *store, stop_unwind)?,
            start_rewind: instance.get_typed_func(&mut *store, start_rewind)?,
            stop_rewind: instance.get_typed_func(&mut *store, stop_rewind)?,
        })
    }
}

/// What asyncify does in a store.
#[derive(Default)]
pub(super) struct Asyncify {
    functions: Option<Functions>,
    state: State,
    /// Whether the state is another one than `Normal`, for handlers of faults.
    pub(super) moving: Arc<AtomicBool>,
    /// Where the host's stack was when the guest was called.
    outermost: usize,
}

/// Which way the guest's functions go.
#[derive(Default)]
enum State {
    /// They run.
    #[default]
    Normal,
    /// They save themselves and return, for this child.
    Unwinding {
        request: Box<CloneRequest>,
        buffer: Buffer,
    },
    /// They are called and restore themselves, up to the host function that they came from.
    Rewinding(Rewinding),
}

/// Whose frames are rewound.
enum Rewinding {
    /// Those of the thread that makes the child.
    Parent {
        request: Box<CloneRequest>,
        buffer: Buffer,
        frames: Vec<u8>,
    },
    /// The child's.
    Child(Unwound),
}

/// The frames of a thread that has unwound itself, in the memory that it will rewind them in.
pub(super) struct Unwound(Buffer);

/// A mapping that asyncify has its frames in.
struct Buffer {
    space: Arc<AddressSpace>,
    address: u32,
    len: u32,
}

impl Buffer {
    fn new(space: &Arc<AddressSpace>, len: usize) -> Result<Self, Errno> {
        let len = u32::try_from(len).map_err(|_| Errno::ENOMEM)?;
        let address = space.mmap(MapRequest {
            addr: 0,
            len,
            prot: Protection::READ | Protection::WRITE,
            flags: MapFlags::PRIVATE | MapFlags::ANONYMOUS | MapFlags::NORESERVE,
            file: None,
        })?;
        let buffer = Self {
            space: Arc::clone(space),
            address,
            len,
        };
        buffer.set_header(HEADER)?;
        Ok(buffer)
    }

    /// Says how much of the buffer is used.
    fn set_header(&self, used: u32) -> Result<(), Errno> {
        let header = [self.address + used, self.address + self.len];
        self.space.write(GuestPtr::new(self.address), &header)
    }

    /// The frames in it. `EFAULT` if the guest has changed what only asyncify changes.
    fn frames(&self) -> Result<Vec<u8>, Errno> {
        let [top, _] = self.space.read(GuestPtr::<[u32; 2]>::new(self.address))?;
        let used = top.wrapping_sub(self.address);
        if !(HEADER..=self.len).contains(&used) {
            return Err(Errno::EFAULT);
        }
        let mut frames = vec![0; usize::try_from(used - HEADER).map_err(|_| Errno::EFAULT)?];
        self.space
            .read_bytes(GuestPtr::new(self.address + HEADER), &mut frames)?;
        Ok(frames)
    }

    /// Maps one with these frames.
    fn with(space: &Arc<AddressSpace>, frames: &[u8]) -> Result<Self, Errno> {
        let header = usize::try_from(HEADER).map_err(|_| Errno::ENOMEM)?;
        let buffer = Self::new(space, header + frames.len())?;
        buffer
            .space
            .write_bytes(GuestPtr::new(buffer.address + HEADER), frames)?;
        buffer.set_header(buffer.len)?;
        Ok(buffer)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // The guest may have unmapped it itself.
        let _ = self.space.munmap(self.address, self.len);
    }
}

impl Asyncify {
    /// Whether the guest runs, and has not to unwind or to rewind itself.
    pub(super) fn is_normal(&self) -> bool {
        matches!(self.state, State::Normal)
    }

    fn set_state(&mut self, state: State) {
        self.moving
            .store(!matches!(state, State::Normal), Ordering::Relaxed);
        self.state = state;
    }

    fn take_state(&mut self) -> State {
        self.moving.store(false, Ordering::Relaxed);
        mem::take(&mut self.state)
    }

    fn functions(&self) -> wasmtime::Result<Functions> {
        self.functions.clone().ok_or_else(not_instrumented)
    }
}

/// Prepares a store whose instance has been made.
pub(super) fn prepare(store: &mut Store<Guest>, instance: &Instance) -> wasmtime::Result<()> {
    let functions = Functions::of(store, instance)?;
    store.data_mut().asyncify.functions = Some(functions);
    Ok(())
}

/// Whether the child of `request` begins with frames that the calling thread has to unwind, and can.
pub(super) fn is_for(caller: &mut Caller<'_, Guest>, request: &CloneRequest) -> bool {
    caller.data().asyncify.functions.is_some()
        && request.entry() == Entry::Here
        && native_frames::is_interrupted(caller).is_ok_and(|interrupted| !interrupted)
}

/// Begins to unwind the frames of the thread for the child of `request`. The result is for the guest, which goes on in
/// [`again`].
pub(super) fn unwind(
    caller: &mut Caller<'_, Guest>,
    request: Box<CloneRequest>,
) -> wasmtime::Result<Control> {
    let mark = 0u8;
    let guest = caller.data_mut();
    let used = guest
        .asyncify
        .outermost
        .saturating_sub(ptr::from_ref(&mark).addr());
    let buffer = match Buffer::new(guest.thread.memory(), 2 * used + SLACK) {
        Ok(buffer) => buffer,
        Err(errno) => return Ok(guest.thread.fail_child(request, errno)),
    };
    let functions = guest.asyncify.functions()?;
    let address = buffer.address;
    let control = guest.thread.run_guest_within_call();
    if matches!(control, Control::Return(_)) {
        guest
            .asyncify
            .set_state(State::Unwinding { request, buffer });
        functions.start_unwind.call(&mut *caller, address)?;
    }
    Ok(control)
}

/// Calls the guest by `call`, and again by `call_again` as often as it returns because it has unwound itself.
pub(super) fn call(
    store: &mut Store<Guest>,
    call: impl FnOnce(&mut Store<Guest>) -> wasmtime::Result<()>,
    mut call_again: impl FnMut(&mut Store<Guest>) -> wasmtime::Result<()>,
) -> wasmtime::Result<()> {
    let mark = 0u8;
    store.data_mut().asyncify.outermost = ptr::from_ref(&mark).addr();
    call(store)?;
    while unwound(store)? {
        call_again(store)?;
    }
    Ok(())
}

/// Begins to rewind if the guest's functions have returned because they had to unwind themselves.
fn unwound(store: &mut Store<Guest>) -> wasmtime::Result<bool> {
    let (request, buffer) = match store.data_mut().asyncify.take_state() {
        State::Normal => return Ok(false),
        State::Rewinding(_) => return Err(not_instrumented()),
        State::Unwinding { request, buffer } => (request, buffer),
    };
    let functions = store.data().asyncify.functions()?;
    functions.stop_unwind.call(&mut *store, ())?;
    let frames = buffer.frames().map_err(|_| not_instrumented())?;
    rewind(
        store,
        Rewinding::Parent {
            request,
            buffer,
            frames,
        },
    )?;
    Ok(true)
}

/// Begins to rewind the frames of a child; its first function is to be called now.
pub(super) fn rewind_child(store: &mut Store<Guest>, unwound: Unwound) -> wasmtime::Result<()> {
    match store.data_mut().thread.run_guest_within_call() {
        Control::Exit(status) => Err(Ended::Thread(status).into()),
        _ => rewind(store, Rewinding::Child(unwound)),
    }
}

fn rewind(store: &mut Store<Guest>, rewinding: Rewinding) -> wasmtime::Result<()> {
    let (Rewinding::Parent { buffer, .. } | Rewinding::Child(Unwound(buffer))) = &rewinding;
    let address = buffer.address;
    let asyncify = &mut store.data_mut().asyncify;
    let functions = asyncify.functions()?;
    asyncify.set_state(State::Rewinding(rewinding));
    functions.start_rewind.call(store, address)
}

/// The host function is called again because the guest's functions rewind themselves: they have come to their end.
pub(super) fn again(caller: &mut Caller<'_, Guest>) -> wasmtime::Result<Control> {
    let asyncify = &mut caller.data_mut().asyncify;
    let State::Rewinding(rewinding) = asyncify.take_state() else {
        return Err(not_instrumented());
    };
    let functions = asyncify.functions()?;
    functions.stop_rewind.call(caller.as_context_mut(), ())?;
    caller.data_mut().thread.go_on_with_call();
    match rewinding {
        Rewinding::Child(unwound) => {
            drop(unwound);
            Ok(caller.data_mut().thread.return_to_clone())
        }
        Rewinding::Parent {
            request,
            buffer,
            frames,
        } => {
            drop(buffer);
            Ok(match Buffer::with(request.memory(), &frames) {
                Ok(copy) => children::start(caller, request, Some(Frozen::Asyncify(Unwound(copy)))),
                Err(errno) => caller.data_mut().thread.fail_child(request, errno),
            })
        }
    }
}

/// Refuses a call of the host by a guest that should be unwinding or rewinding itself.
pub(super) fn check(caller: &Caller<'_, Guest>) -> wasmtime::Result<()> {
    if caller.data().asyncify.is_normal() {
        Ok(())
    } else {
        Err(not_instrumented())
    }
}

fn not_instrumented() -> wasmtime::Error {
    Ended::fault(
        Signal::SIGILL,
        "fork in a module whose asyncify was not told of the call (--pass-arg=asyncify-imports@lind.clone)",
    )
}
