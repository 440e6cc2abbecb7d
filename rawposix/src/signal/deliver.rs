//! Taking signals: at the end of system calls, in the middle of those that wait, and when the guest asks for its handlers.

use std::sync::Arc;

use rawposix_abi::structs::{Sigaction, Sigframe, Siginfo, StackT};
use rawposix_abi::{DefaultAction, Errno, Signal, SignalSet};
use rawposix_interrupt::Parked;
use rawposix_memory::GuestPtr;

use super::actions::{self, Disposition, SA_NODEFER, SA_ONSTACK, SA_RESETHAND, SA_RESTART};
use super::info::{self, Fault};
use super::stack;
use crate::cage::{Process, Task};
use crate::control::{Control, ExitStatus};
use crate::thread::Thread;
use crate::timer::taken as timer_taken;

/// What the call of a handler returns instead of a result; see the signal ABI in the crate's documentation.
pub(super) const LIND_SIGNAL: i32 = -4096;

/// restart_syscall(2) and rt_sigreturn(2), which no frame names that lind has made.
const RESUMING: [u32; 2] = [128, 139];

/// What LLVM lets a function use below the stack pointer.
const RED_ZONE: u32 = 128;

/// What a thread has to do before it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// The guest has to run a handler.
    Handler,
    End(ExitStatus),
}

/// A system call that a signal has interrupted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interrupted {
    pub(crate) number: i32,
    pub(crate) words: [u32; 6],
    pub(crate) outcome: Outcome,
}

/// What becomes of an interrupted system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It has this result.
    Result(i32),
    /// It is made again if the handler was set with `SA_RESTART`, or if there is none; else it fails with `EINTR`.
    Restart,
    /// It is made again.
    Again,
}

/// What an interrupted system call does after its handlers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Resumed {
    Result(i32),
    Call(i32, [u32; 6]),
}

/// What taking a signal leads to.
enum Taken {
    Nothing,
    Handler,
    Ignored,
    Fatal(Signal),
    Stop(Signal),
}

/// Where a frame begins that ends at `top`.
fn frame_below(top: u32) -> Option<u32> {
    let size = u32::try_from(size_of::<Sigframe>()).ok()?;
    Some(top.checked_sub(size)? & !15)
}

/// Where the frame is on the present stack. The guest has moved its stack pointer there before it asks, so that no other
/// frame is made in the same place.
fn expected_frame(stack_pointer: u32) -> Option<u32> {
    stack_pointer.checked_sub(RED_ZONE).and_then(frame_below)
}

impl Thread {
    /// Does what pending signals ask for, except calling handlers: ends the process, stops it, waits until it is continued.
    /// If something is left to be done, the thread's attention stays set.
    pub(crate) fn consider(&self) -> Due {
        loop {
            self.task.host.take_attention();
            self.world.processors.keep_up(&self.task);
            if let Some(status) = self.process.fate_of(self.tid()) {
                self.task.host.keep_attention();
                return Due::End(status);
            }
            if self.process.signals.is_stopped() {
                self.wait_while_stopped();
                continue;
            }
            let (taken, info) = self.take_unless_caught();
            match taken {
                Taken::Nothing => return Due::Nothing,
                Taken::Handler => {
                    self.task.host.keep_attention();
                    return Due::Handler;
                }
                Taken::Ignored => {}
                Taken::Fatal(signal) => {
                    self.tell_taken(info.as_ref());
                    self.process.kill(signal);
                }
                Taken::Stop(signal) => {
                    self.tell_taken(info.as_ref());
                    if let Some(tracer) = &self.world.tracer {
                        tracer.stopped(self, signal);
                    }
                    self.process.stop(signal);
                }
            }
        }
    }

    /// Tells the trace of a signal that was taken.
    fn tell_taken(&self, info: Option<&Siginfo>) {
        if let (Some(tracer), Some(info)) = (&self.world.tracer, info) {
            tracer.signal(self, info);
        }
    }

    fn wait_while_stopped(&self) {
        while self.process.signals.is_stopped() && self.process.fate_of(self.tid()).is_none() {
            if self.task.host.park(None) == Parked::Interrupted {
                self.task.host.take_attention();
            }
        }
    }

    /// Takes the next signal that is not blocked, or leaves it pending if it is caught; with what is known of one that is taken.
    fn take_unless_caught(&self) -> (Taken, Option<Siginfo>) {
        let (taken, info) = self.take_default();
        if let Some(info) = info {
            self.process.pending_has_changed();
            timer_taken(&self.process, info);
        }
        (taken, info)
    }

    fn take_default(&self) -> (Taken, Option<Siginfo>) {
        let mut shared = self.process.signals.shared.lock();
        let mut own = self.task.signals.lock();
        let open = SignalSet::from_bits(!own.mask.bits());
        let (signal, is_own) = match (own.pending.peek(open), shared.pending.peek(open)) {
            (Some(signal), _) => (signal, true),
            (None, Some(signal)) => (signal, false),
            (None, None) => return (Taken::Nothing, None),
        };
        let disposition = self
            .process
            .signals
            .with_actions(|actions| actions.disposition(signal));
        if let Disposition::Handler(_) = disposition {
            return (Taken::Handler, None);
        }
        let queue = if is_own {
            &mut own.pending
        } else {
            &mut shared.pending
        };
        let info = queue.take(signal);
        let taken = match disposition {
            Disposition::Default(DefaultAction::Terminate | DefaultAction::Core) => {
                Taken::Fatal(signal)
            }
            Disposition::Default(DefaultAction::Stop) => Taken::Stop(signal),
            _ => Taken::Ignored,
        };
        (taken, info)
    }

    /// Takes a signal of `wanted`, whatever its disposition.
    pub(crate) fn take_signal(&self, wanted: SignalSet) -> Option<Siginfo> {
        let info = {
            let mut shared = self.process.signals.shared.lock();
            let mut own = self.task.signals.lock();
            match own.pending.peek(wanted) {
                Some(signal) => own.pending.take(signal),
                None => {
                    let signal = shared.pending.peek(wanted)?;
                    shared.pending.take(signal)
                }
            }
        };
        self.process.pending_has_changed();
        info.map(|info| timer_taken(&self.process, info))
    }

    /// Takes the next caught signal that is not blocked, with its action; blocks what the action says.
    fn take_caught(&self) -> Option<(Siginfo, Sigaction)> {
        let (info, action) = {
            let mut shared = self.process.signals.shared.lock();
            let mut own = self.task.signals.lock();
            let open = SignalSet::from_bits(!own.mask.bits());
            let own_signal = own.pending.peek(open);
            let signal = own_signal.or_else(|| shared.pending.peek(open))?;
            let action = self.process.signals.with_actions(|actions| {
                let Disposition::Handler(action) = actions.disposition(signal) else {
                    return None;
                };
                if action.flags & SA_RESETHAND != 0 {
                    actions.reset(signal);
                }
                Some(action)
            })?;
            let info = match own_signal {
                Some(signal) => own.pending.take(signal),
                None => shared.pending.take(signal),
            }?;
            let mut mask = own.mask.bits() | actions::mask(&action).bits();
            if action.flags & SA_NODEFER == 0 {
                mask |= SignalSet::EMPTY.with(signal).bits();
            }
            own.mask = SignalSet::from_bits(mask).blockable();
            (info, action)
        };
        self.process.pending_has_changed();
        Some((timer_taken(&self.process, info), action))
    }

    /// Whether a signal is pending and not blocked.
    pub(super) fn has_open_signal(&self) -> bool {
        let shared = self.process.signals.shared.lock();
        let own = self.task.signals.lock();
        let pending = shared.pending.set().bits() | own.pending.set().bits();
        pending & !own.mask.bits() != 0
    }

    /// The engine's import `lind.signal`: takes the next signal that is caught and makes its handler's frame.
    /// The result is the frame's address, 0 when there is none.
    pub fn next_signal(&mut self, stack_pointer: u32) -> Control {
        self.enter();
        loop {
            match self.consider() {
                Due::End(status) => return self.exit(status),
                Due::Nothing if self.interrupted.is_some() => {
                    // The guest asks for the result next.
                    return match self.task.host.leave_informed() {
                        Ok(()) => Control::Return(0),
                        Err(_) => self.exit_as_told(),
                    };
                }
                Due::Nothing => {
                    if self.task.host.leave().is_ok() {
                        return Control::Return(0);
                    }
                }
                Due::Handler => {
                    if let Some(control) = self.deliver(stack_pointer) {
                        return control;
                    }
                }
            }
        }
    }

    fn deliver(&mut self, stack_pointer: u32) -> Option<Control> {
        let before = self.signal_mask();
        // What is there now shows in the frame; what comes later asks for attention again.
        self.task.host.take_attention();
        let (info, action) = self.take_caught()?;
        self.tell_taken(Some(&info));
        let mask = self.saved_mask.take().unwrap_or(before);
        let Ok(address) = self.make_frame(stack_pointer, &info, &action, mask) else {
            self.process.kill(Signal::SIGSEGV);
            let status = self.process.end().unwrap_or(ExitStatus::Exited(0));
            return Some(self.exit(status));
        };
        // The guest comes back at once for what has come since, and from another stack: until its stack pointer is there,
        // nothing may come.
        let moved = expected_frame(stack_pointer) != Some(address);
        if moved || self.task.host.leave().is_err() {
            let more = GuestPtr::new(address.saturating_add(Sigframe::MORE));
            let _ = self.memory().write(more, &1_u32);
            if self.task.host.leave_informed().is_err() {
                return Some(self.exit_as_told());
            }
        }
        Some(Control::Return(address.cast_signed()))
    }

    fn make_frame(
        &mut self,
        stack_pointer: u32,
        info: &Siginfo,
        action: &Sigaction,
        mask: SignalSet,
    ) -> Result<u32, Errno> {
        let stack = self.signal_stack;
        let is_on_stack = stack::contains(&stack, stack_pointer);
        let moves = action.flags & SA_ONSTACK != 0 && stack::is_usable(&stack) && !is_on_stack;
        let place = if moves {
            frame_below(stack.sp.saturating_add(stack.size))
        } else {
            expected_frame(stack_pointer)
        };
        let address = place.ok_or(Errno::EFAULT)?;
        if is_on_stack && !stack::contains(&stack, address) {
            return Err(Errno::EFAULT);
        }
        let mut frame = Sigframe {
            handler: action.handler,
            signo: info.signo.cast_unsigned(),
            flags: action.flags,
            more: u32::from(self.has_open_signal() || self.process.signals.is_stopped()),
            info: *info,
            stack: stack::report(&stack, stack_pointer),
            ..Sigframe::default()
        };
        if let Some(call) = self.interrupted.take() {
            frame.interrupted = 1;
            frame.number = call.number.cast_unsigned();
            frame.words = call.words;
            match call.outcome {
                Outcome::Result(result) => frame.result = result,
                Outcome::Again => frame.restart = 1,
                Outcome::Restart if action.flags & SA_RESTART != 0 => frame.restart = 1,
                Outcome::Restart => frame.result = Errno::EINTR.to_word(),
            }
        }
        let [_, saved_pointer, ..] = &mut frame.registers;
        *saved_pointer = stack_pointer;
        for (place, word) in frame.mask.iter_mut().zip(actions::words(mask)) {
            *place = word;
        }
        self.memory().write(GuestPtr::new(address), &frame)?;
        if stack.flags & stack::SS_AUTODISARM != 0 {
            self.signal_stack = stack::NO_STACK;
        }
        Ok(address)
    }

    /// rt_sigreturn(2): what the call that the handler has interrupted does. `Err` for a frame that cannot be read.
    pub(crate) fn sigreturn(&mut self, address: u32) -> Result<Resumed, Errno> {
        let frame: Sigframe = self.memory().read(GuestPtr::new(address))?;
        let [low, high, ..] = frame.mask;
        let mask = SignalSet::from_bits(u64::from(high) << 32 | u64::from(low));
        self.set_signal_mask(mask);
        if self.signal_stack != frame.stack {
            self.restore_stack(frame.stack);
        }
        Ok(if frame.interrupted == 0 {
            Resumed::Result(0)
        } else if frame.restart != 0 && !RESUMING.contains(&frame.number) {
            Resumed::Call(frame.number.cast_signed(), frame.words)
        } else {
            Resumed::Result(frame.result)
        })
    }

    fn restore_stack(&mut self, stack: StackT) {
        if let Ok(stack) = stack::checked(stack) {
            self.signal_stack = stack;
        }
    }

    /// restart_syscall(2): what an interrupted call does when there is no handler after all.
    pub(crate) fn resume_interrupted(&mut self) -> Resumed {
        match self.interrupted.take() {
            None => Resumed::Result(0),
            Some(Interrupted {
                outcome: Outcome::Result(result),
                ..
            }) => Resumed::Result(result),
            Some(call) => Resumed::Call(call.number, call.words),
        }
    }

    /// What the host's handler for the faults of this thread's code needs.
    pub fn faults(&self) -> Faults {
        Faults {
            process: Arc::clone(&self.process),
            task: Arc::clone(&self.task),
        }
    }
}

/// Where the faults of a thread's code become signals.
///
/// It may be used where a fault was, in the host's signal handler: the guest's code holds no lock of the host's.
#[derive(Clone, Debug)]
pub struct Faults {
    process: Arc<Process>,
    task: Arc<Task>,
}

impl Faults {
    /// Whether a handler of the guest's takes the signal. If not, the fault ends the process.
    pub fn are_caught(&self, signal: Signal) -> bool {
        self.process.signals.is_caught(signal) && !self.task.signals.lock().mask.contains(signal)
    }

    /// Queues the signal of a fault. The guest is on its way to ask for it.
    pub fn send(&self, fault: Fault) {
        let info = info::from_fault(fault);
        self.task
            .signals
            .lock()
            .pending
            .push(fault.signal, info, None);
        // Not `pending_has_changed`: that allocates, and the guest takes the signal at once.
        self.task.host.keep_attention();
        self.task.host.inform();
    }
}
