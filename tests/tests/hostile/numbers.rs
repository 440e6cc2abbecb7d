//! How each system call has to be tried.

/// Calls that may wait forever for something that never comes, as they should.
pub(crate) const BLOCKING: &[i32] = &[
    22,  // epoll_pwait
    25,  // fcntl (locks)
    32,  // flock
    72,  // pselect6
    73,  // ppoll
    81,  // sync: as long as the disk takes
    98,  // futex
    101, // nanosleep
    115, // clock_nanosleep
    133, // rt_sigsuspend
    137, // rt_sigtimedwait
    183, // mq_timedreceive
    188, // msgrcv
    189, // msgsnd
    192, // semtimedop
    193, // semop
    202, // accept
    207, // recvfrom
    212, // recvmsg
    242, // accept4
    407, // clock_nanosleep_time64
    413, // pselect6_time64
    414, // ppoll_time64
    416, // io_pgetevents_time64
    417, // recvmmsg_time64
    419, // mq_timedreceive_time64
    420, // semtimedop_time64
    421, // rt_sigtimedwait_time64
    422, // futex_time64
    441, // epoll_pwait2
    449, // futex_waitv
];

/// Calls that end the process, or change it so that it ends early or cannot do its other calls.
pub(crate) const ENDING: &[i32] = &[
    93,  // exit
    94,  // exit_group
    103, // setitimer: SIGALRM
    110, // timer_settime
    129, // kill
    130, // tkill
    131, // tgkill
    138, // rt_sigqueueinfo
    139, // rt_sigreturn
    164, // setrlimit
    220, // clone
    221, // execve
    240, // rt_tgsigqueueinfo
    261, // prlimit64
    277, // seccomp
    281, // execveat
    409, // timer_settime64
    424, // pidfd_send_signal
    435, // clone3
];

/// Calls with a process of their own, so that what they make (descriptors to wait on, memory, other roots) does not
/// meet the others.
pub(crate) const ALONE: &[i32] = &[
    19,  // eventfd2
    20,  // epoll_create1
    26,  // inotify_init1
    47,  // fallocate
    49,  // chdir
    50,  // fchdir
    51,  // chroot
    56,  // openat
    59,  // pipe2
    74,  // signalfd4
    85,  // timerfd_create
    198, // socket
    199, // socketpair
    214, // brk
    215, // munmap
    216, // mremap
    222, // mmap
    226, // mprotect
    233, // madvise
    241, // perf_event_open
    262, // fanotify_init
    282, // userfaultfd
    425, // io_uring_setup
    434, // pidfd_open
    436, // close_range
    437, // openat2
];

/// The largest number of the ordinary matrix.
pub(crate) const LAST: i32 = 600;

/// What lies between the calls that have a process of their own.
pub(crate) fn ordinary_ranges() -> Vec<(i32, i32)> {
    let mut special: Vec<i32> = [BLOCKING, ENDING, ALONE].concat();
    special.sort_unstable();
    special.dedup();
    special.push(LAST + 1);
    let mut from = 0;
    let mut ranges = Vec::new();
    for number in special {
        if from < number {
            ranges.push((from, number - 1));
        }
        from = number + 1;
    }
    ranges
}
