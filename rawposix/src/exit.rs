//! The end of processes.

use std::sync::Arc;

use rawposix_abi::Signal;

use crate::cage::Process;
use crate::cage::family::PROGRAM;
use crate::cage::usage::Used;
use crate::control::ExitStatus;

/// The last thread of a process has ended: its resources are freed, its parent is told, its children are adopted.
pub(crate) fn end_process(process: &Arc<Process>, status: ExitStatus, times: Used) {
    let world = process.world();
    process.finish(status);
    process.close_all();
    world.terminals.ended(world, process.pid);
    let aftermath = world.family.ended(process, status, times, |parent| {
        parent.signals.forgets_children()
    });
    process.death.comes();
    for orphan in &aftermath.orphans {
        if let Some(signal) = orphan.with_settings(|s| s.parent_death_signal) {
            orphan.send_from_system(signal);
        }
    }
    for process in &aftermath.hung_up {
        process.send_from_system(Signal::SIGHUP);
        process.send_from_system(Signal::SIGCONT);
    }
    for adopter in &aftermath.adopters {
        adopter.send_from_system(Signal::SIGCHLD);
        adopter.child_event();
    }
    if let Some((parent, signal)) = aftermath.parent {
        if let Some(signal) = signal {
            parent.send_child_signal(signal, process, status, times);
        }
        parent.child_event();
    }
    if process.pid == PROGRAM {
        world.program_ended(status);
    }
    world.process_ended();
}
