//! Contexts: all frames of a thread, put aside and put back, for `getcontext`,
//! `swapcontext` and their like.
//!
//! A thread has one native stack, on which the frames of the running context
//! stand. Those of a context that is left are copied from there, and copied back
//! to the same addresses when it goes on. So a switch costs as much as it is to
//! copy both, contexts take no native stack, and nothing has to be checked
//! when one goes on: its frames are whole. The stack in linear memory is the guest's
//! business; only its pointer is saved.
//!
//! The frames that begin at one start function are a *fiber*, and so are those
//! with which a thread begins. Jump buffers are of a fiber: its places are
//! *parked* while another one runs.

mod image;
mod table;

pub(super) use self::image::Image;
use self::image::{Activation, Outline, Pointers, switch_landing};
use self::table::{Parked, State, Table};
use super::JumpBuffers;
use super::frames::Interrupted;
use super::interrupt::exported_function;
use super::regions::Regions;
use super::stack::{Stack, Why};
use crate::Caller;
use crate::prelude::*;
use crate::store::StoreOpaque;
use alloc::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a guest has of a context: a number that is no address and is not used
/// twice. 0 is the name of none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContextName(pub u64);

/// Something that is kept for a guest, see [`Contexts::purge`].
#[derive(Debug)]
pub enum Kept<'a, D> {
    /// A context, with its home.
    Context(ContextName, u32),
    /// A place of a fiber that does not run, with its number.
    Place(u32, &'a D),
}

/// The contexts of a process, as one of its threads has them. `D` is what the
/// embedder keeps for the places of [`JumpBuffers`].
///
/// A context that one thread has left can go on in another one.
#[derive(Debug)]
pub struct Contexts<D> {
    /// There is none before the first use.
    table: Option<Arc<Mutex<Table<D>>>>,
    /// The fiber that runs; 0 if the thread has not got its number yet.
    fiber: u64,
    /// The activation that was found to be one that can be left.
    activation: Option<Activation>,
    /// Calls of host functions without stack arguments.
    calls: [usize; CALLS],
    next_call: usize,
}

/// As many as a C library has functions for contexts.
const CALLS: usize = 8;

impl<D> Default for Contexts<D> {
    fn default() -> Self {
        Self::with(None, 0)
    }
}

impl<D> Contexts<D> {
    fn with(table: Option<Arc<Mutex<Table<D>>>>, fiber: u64) -> Self {
        Self {
            table,
            fiber,
            activation: None,
            calls: [0; CALLS],
            next_call: 0,
        }
    }

    /// Those for another thread of the process.
    pub fn share(&mut self) -> Self {
        let table = self.table.get_or_insert_default();
        Self::with(Some(Arc::clone(table)), 0)
    }

    /// Those for another process, which goes on with the frames that are captured at
    /// the same time.
    pub fn fork(&self) -> Self
    where
        D: Clone,
    {
        let table = self.table.as_ref().map(|table| lock(table).clone());
        Self::with(table.map(|table| Arc::new(Mutex::new(table))), self.fiber)
    }

    /// The number of contexts.
    pub fn len(&self) -> usize {
        self.table.as_ref().map_or(0, |table| lock(table).len())
    }

    /// Are there no contexts?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How much memory they take, about.
    pub fn bytes(&self) -> usize {
        self.table.as_ref().map_or(0, |table| lock(table).bytes())
    }

    /// Have so many contexts been made that it is time to [`purge`](Self::purge)?
    pub fn is_crowded(&self) -> bool {
        let table = self.table.as_ref();
        table.is_some_and(|table| lock(table).is_crowded())
    }

    /// Forgets all that the guest does not know anymore, for which `is_known` is
    /// false, and all of fibers that have ended.
    pub fn purge(&mut self, mut is_known: impl FnMut(Kept<'_, D>) -> bool)
    where
        D: Clone,
    {
        let Some(table) = &self.table else { return };
        // The embedder may take its time, or locks of its own.
        let (contexts, parked) = lock(table).kept();
        let mut gone = Vec::new();
        for (name, home) in contexts {
            if !is_known(Kept::Context(name, home)) {
                gone.push(name);
            }
        }
        let mut fibers = Vec::new();
        for (fiber, places) in parked {
            let mut places = places.iter();
            if !places.any(|(id, data)| is_known(Kept::Place(*id, data))) {
                fibers.push(fiber);
            }
        }
        lock(table).forget(&gone, &fibers);
    }

    /// Saves the frames below the current host function as a context, and returns its
    /// name. [`switch`](Self::switch) to it makes the same call return again.
    ///
    /// `home` is where the guest has the name, and `known` is what it has there. If
    /// that is a context with this home, it is replaced.
    ///
    /// The host function has one integer result, or none, and no more than four
    /// parameters.
    ///
    /// # Errors
    ///
    /// The frames cannot be saved, see the module's documentation, or the
    /// contexts take too much memory.
    pub fn save<T: 'static>(
        &mut self,
        caller: &mut Caller<'_, T>,
        home: u32,
        known: ContextName,
    ) -> Result<ContextName> {
        caller.store.0.native_frames.image = None;
        let stack = Stack::of(caller)?;
        let outline = self.look(caller, &stack)?;
        let (mut table, fiber) = self.table(&stack)?;
        let old = table.take_unused(known, home);
        let image = Image::of(&stack, &outline, fiber, old);
        table.put(known, home, State::Saved(Arc::new(image)))
    }

    /// Makes a context that begins with a call of the export `start`, which is always
    /// the same, with `argument`,
    /// which is the guest's stack pointer as well, and returns its name. The function has
    /// one parameter and no result; when it returns, the host's call of the
    /// running context returns with anything as its result.
    ///
    /// `home` and `known` are as for [`save`](Self::save).
    ///
    /// # Errors
    ///
    /// There is no such function, or the contexts take too much memory.
    pub fn make<T: 'static>(
        &mut self,
        caller: &mut Caller<'_, T>,
        home: u32,
        known: ContextName,
        start: &str,
        argument: u32,
    ) -> Result<ContextName> {
        let stack = Stack::of(caller)?;
        let known_start = self.table(&stack)?.0.start;
        let start = if known_start == 0 {
            let export = caller.get_export(start);
            let Some(function) = export.and_then(crate::Extern::into_func) else {
                bail!("the module has no function `{start}`");
            };
            function.typed::<u32, ()>(&caller)?;
            exported_function(Stack::of(caller)?.module(), start)?
        } else {
            known_start
        };
        let stack = Stack::of(caller)?;
        let (mut table, _) = self.table(&stack)?;
        table.start = start;
        table.put(known, home, State::Made(argument))
    }

    /// Goes on with the context `name`, whose call returns with the result of the
    /// current host function. `saved` is the context that this host function has saved, if
    /// any, and `jumps` are those of the thread: they become those of the
    /// context.
    ///
    /// From now on the host function may do nothing with the frames but return. It has
    /// one integer result, or none, and no more than four parameters.
    ///
    /// # Errors
    ///
    /// There is no such context, or its frames do not fit into the stack that Wasm
    /// code may use. Nothing has changed then.
    pub fn switch<T: 'static>(
        &mut self,
        caller: &mut Caller<'_, T>,
        jumps: &mut JumpBuffers<D>,
        saved: Option<ContextName>,
        name: ContextName,
    ) -> Result<()> {
        caller.store.0.native_frames.image = None;
        let stack = Stack::of(caller)?;
        let outline = self.look(caller, &stack)?;
        let (mut table, fiber) = self.table(&stack)?;
        let (image, argument) = match table.get(name) {
            Some(State::Made(argument)) => {
                let argument = *argument;
                let fiber = table.new_fiber();
                let image = Image::starting(outline.activation, table.start, argument, fiber);
                (Arc::new(image), argument)
            }
            Some(State::Saved(image)) => {
                let image = Arc::clone(image);
                let regions = || Regions::of(caller.store.0, caller.caller);
                match image.moved(stack.module(), outline.activation, regions)? {
                    None => (image, 0),
                    Some(moved) => {
                        let moved = Arc::new(moved);
                        table.replace(name, &moved);
                        (moved, 0)
                    }
                }
            }
            _ => bail!("there is no such context"),
        };
        let limit = limit_for(caller.store.0, &outline, &image)?;
        if image.fiber != fiber {
            let latest = saved.and_then(|name| match table.get(name) {
                Some(State::Saved(image)) => Some(Arc::clone(image)),
                _ => None,
            });
            park(&mut table, jumps, latest, (&stack, &outline, fiber))?;
            if let Some(places) = table.unpark(image.fiber) {
                jumps.put(places);
            }
        }
        drop(table);
        self.fiber = image.fiber;
        divert(caller.store.0, &stack);
        go(caller.store.0, image, limit, argument);
        Ok(())
    }

    /// As [`switch`](Self::switch), and what runs now never goes on: its fiber has come to its end.
    /// What is saved of it is forgotten with the next [`purge`](Self::purge).
    ///
    /// # Errors
    ///
    /// As for `switch`.
    pub fn end<T: 'static>(
        &mut self,
        caller: &mut Caller<'_, T>,
        jumps: &mut JumpBuffers<D>,
        name: ContextName,
    ) -> Result<()> {
        let fiber = self.fiber;
        self.switch(caller, jumps, None, name)?;
        if let Some(table) = self.table.as_ref().filter(|_| self.fiber != fiber) {
            lock(table).end(fiber);
        }
        Ok(())
    }

    /// Jumps to place number `id` of a fiber that does not run, if `is_it` says of
    /// what the embedder keeps for it that it is the one. That is what is returned;
    /// `jumps` become those of the fiber.
    ///
    /// What [`JumpBuffers::longjmp`] says about the host function holds here as
    /// well.
    ///
    /// # Errors
    ///
    /// There is no such place, or its frame is gone. Nothing has changed then.
    pub fn longjmp<T: 'static>(
        &mut self,
        caller: &mut Caller<'_, T>,
        jumps: &mut JumpBuffers<D>,
        id: u32,
        is_it: impl Fn(&D) -> bool,
    ) -> Result<D>
    where
        D: Clone,
    {
        caller.store.0.native_frames.image = None;
        let stack = Stack::of(caller)?;
        let outline = self.look(caller, &stack)?;
        let (mut table, fiber) = self.table(&stack)?;
        let Some((to, parked)) = table.find_place(id, is_it) else {
            bail!("there is no such jump buffer");
        };
        let module = stack.module();
        let regions = || Regions::of(caller.store.0, caller.caller);
        let moved = parked.image.moved(module, outline.activation, regions)?;
        let latest = moved.as_ref().unwrap_or(&parked.image);
        let image = Arc::new(latest.jump(module, &parked.places, id)?);
        let limit = limit_for(caller.store.0, &outline, &image)?;
        park(&mut table, jumps, None, (&stack, &outline, fiber))?;
        if let Some(places) = table.unpark(to) {
            jumps.put(places);
        }
        drop(table);
        self.fiber = to;
        let data = jumps.settle(id)?.clone();
        divert(caller.store.0, &stack);
        go(caller.store.0, image, limit, 0);
        Ok(data)
    }

    /// The table, for code of the module that `stack` is of, and the fiber that
    /// runs.
    fn table(&mut self, stack: &Stack) -> Result<(MutexGuard<'_, Table<D>>, u64)> {
        let mut table = lock(self.table.get_or_insert_default());
        table.check(stack.module())?;
        if self.fiber == 0 {
            self.fiber = table.new_fiber();
        }
        Ok((table, self.fiber))
    }

    /// Looks at the frames that are about to be saved or left.
    fn look<T: 'static>(&mut self, caller: &Caller<'_, T>, stack: &Stack) -> Result<Outline> {
        let mut frame = stack.youngest()?;
        if !self.calls.contains(&frame.pc) {
            ensure!(
                stack.sp_after_return(frame)? == stack.lowest(),
                "the host function for contexts has too many parameters"
            );
            self.calls[self.next_call % CALLS] = frame.pc;
            self.next_call = self.next_call.wrapping_add(1);
        }
        let mut interrupted = None;
        loop {
            if frame.why != Why::Call {
                if interrupted.is_none() {
                    let regions = Regions::of(caller.store.0, caller.caller)?;
                    interrupted = Some(Interrupted::with(regions));
                }
                if let Some(interrupted) = &mut interrupted {
                    interrupted.add(stack, frame)?;
                }
            }
            match stack.next(frame)? {
                Some(next) => frame = next,
                None => break,
            }
        }
        ensure!(
            frame.fp + 16 == stack.entry_sp(),
            "the oldest frame has arguments on the stack"
        );
        let activation = Activation {
            store: caller.store.0.id(),
            entry_sp: stack.entry_sp(),
            entry_fp: stack.entry_fp(),
            entry_pc: stack.word(frame.fp + 8),
        };
        if self.activation != Some(activation) {
            ensure!(
                stack.entry_arguments(frame)? == 0,
                "the oldest frame has arguments on the stack"
            );
            self.activation = Some(activation);
        }
        Ok(Outline {
            activation,
            stack_pointer: caller.store.0.native_frames.stack_pointer(),
            interrupted: interrupted.map(|found| Box::new(Pointers::from(found))),
        })
    }
}

fn lock<D>(table: &Mutex<Table<D>>) -> MutexGuard<'_, Table<D>> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The stack limit for the frames of `image`, in the place of those that run now.
fn limit_for(store: &StoreOpaque, running: &Outline, image: &Image) -> Result<usize> {
    // SAFETY: the store owns its context, and no Wasm code runs now.
    let limit = unsafe { *store.vm_store_context().stack_limit.get() };
    let limit = limit
        .wrapping_add(running.shift())
        .wrapping_sub(image.shift);
    ensure!(
        image.lowest() >= limit,
        "the frames do not fit into the stack for Wasm code"
    );
    Ok(limit)
}

/// Keeps the places of `fiber`, which is about to be left, with its frames: `latest`,
/// if they are in there already.
fn park<D>(
    table: &mut Table<D>,
    jumps: &mut JumpBuffers<D>,
    latest: Option<Arc<Image>>,
    (stack, outline, fiber): (&Stack, &Outline, u64),
) -> Result<()> {
    jumps.forget_gone(stack)?;
    if jumps.is_empty() {
        return Ok(());
    }
    let image = match latest {
        Some(image) => image,
        None => Arc::new(Image::of(stack, outline, fiber, None)),
    };
    ensure!(
        table.has_room(image.size() + jumps.bytes()),
        "too many contexts"
    );
    let places = jumps.take();
    table.park(fiber, Parked { places, image });
    Ok(())
}

/// Makes the trampoline of the host function return to the code that does what
/// `go` says.
fn divert(store: &StoreOpaque, stack: &Stack) {
    let words = (&raw const store.native_frames.switch).expose_provenance();
    // SAFETY: the landing takes what it needs from these words, which `go` sets. The
    // trampoline was found to have no stack arguments.
    unsafe { stack.divert(switch_landing(), words) };
}

/// Goes on with `image`.
fn go(store: &mut StoreOpaque, image: Arc<Image>, limit: usize, argument: u32) {
    let (from, to) = image.copy();
    let argument = usize::try_from(argument).unwrap_or_default();
    let state = &mut store.native_frames;
    state.set_stack_pointer(image.stack_pointer);
    state.switch = [from, to, image.words(), argument];
    state.image = Some(image);
    // SAFETY: the store owns its context, and no Wasm code runs now.
    unsafe { *store.vm_store_context().stack_limit.get() = limit };
}
