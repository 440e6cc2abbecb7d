//! Interprocess communication of System V, and POSIX message queues. See sysvipc(7), mq_overview(7).

mod message;
mod queue;
mod segment;
mod semaphore;

pub(super) use message::{msgctl, msgget, msgrcv, msgsnd};
pub(super) use queue::{
    mq_getsetattr, mq_notify, mq_open, mq_timedreceive_time64, mq_timedsend_time64, mq_unlink,
};
pub(super) use segment::{shmat, shmctl, shmdt, shmget};
pub(super) use semaphore::{semctl, semget, semop, semtimedop_time64};

/// Commands of msgctl(2), semctl(2) and shmctl(2).
const IPC_RMID: i32 = 0;
const IPC_SET: i32 = 1;
const IPC_STAT: i32 = 2;
const IPC_INFO: i32 = 3;

/// A number in the guest's structure.
fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
