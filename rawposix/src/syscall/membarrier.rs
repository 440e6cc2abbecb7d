//! Barriers on all processors that run other threads. See membarrier(2).

use rawposix_abi::Errno;
use rustix::thread::{MembarrierCommand, membarrier as barrier};

use super::args::{Hex, Int};
use crate::thread::Thread;

const QUERY: i32 = 0;
const GLOBAL: i32 = 1;
const GLOBAL_EXPEDITED: i32 = 1 << 1;
const REGISTER_GLOBAL_EXPEDITED: i32 = 1 << 2;
const PRIVATE_EXPEDITED: i32 = 1 << 3;
const REGISTER_PRIVATE_EXPEDITED: i32 = 1 << 4;
const PRIVATE_EXPEDITED_SYNC_CORE: i32 = 1 << 5;
const REGISTER_PRIVATE_EXPEDITED_SYNC_CORE: i32 = 1 << 6;
const GET_REGISTRATIONS: i32 = 1 << 9;

/// What `MEMBARRIER_CMD_QUERY` says: all but what belongs to restartable sequences.
const KNOWN: i32 = GLOBAL
    | GLOBAL_EXPEDITED
    | REGISTER_GLOBAL_EXPEDITED
    | PRIVATE_EXPEDITED
    | REGISTER_PRIVATE_EXPEDITED
    | PRIVATE_EXPEDITED_SYNC_CORE
    | REGISTER_PRIVATE_EXPEDITED_SYNC_CORE
    | GET_REGISTRATIONS;

pub(super) fn membarrier(
    thread: &mut Thread,
    cmd: Int,
    flags: Hex,
    cpu: Int,
) -> Result<i32, Errno> {
    // Only commands for restartable sequences look at it.
    let _ = cpu;
    if flags.0 != 0 {
        return Err(Errno::EINVAL);
    }
    let process = &thread.process;
    let register = |commands| process.with_settings(|s| s.barriers |= commands);
    let registered = process.with_settings(|s| s.barriers);
    match cmd.0 {
        QUERY => return Ok(KNOWN),
        GET_REGISTRATIONS => return Ok(registered),
        GLOBAL => barrier(MembarrierCommand::Global)?,
        GLOBAL_EXPEDITED => {
            guests()?;
            barrier(MembarrierCommand::GlobalExpedited)?;
        }
        REGISTER_GLOBAL_EXPEDITED => {
            barrier(MembarrierCommand::RegisterGlobalExpedited)?;
            register(cmd.0);
        }
        REGISTER_PRIVATE_EXPEDITED => register(cmd.0),
        // A thread that has not the barrier yet could run old instructions: guests do not change theirs.
        REGISTER_PRIVATE_EXPEDITED_SYNC_CORE => register(cmd.0),
        PRIVATE_EXPEDITED | PRIVATE_EXPEDITED_SYNC_CORE => {
            if registered & cmd.0 << 1 == 0 {
                return Err(Errno::EPERM);
            }
            guests()?;
        }
        _ => return Err(Errno::EINVAL),
    }
    Ok(0)
}

/// A barrier on all guests' threads, which are threads of the host process.
fn guests() -> Result<(), Errno> {
    barrier(MembarrierCommand::RegisterPrivateExpedited)?;
    barrier(MembarrierCommand::PrivateExpedited)?;
    Ok(())
}
