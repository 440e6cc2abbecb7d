//! THE list of system calls: the one place for every number, name, argument, result and support level.
//!
//! [`syscalls!`](crate::syscalls) hands the list to another macro. An entry reads
//!
//! ```text
//! 56 openat(dirfd: DirFd, path: Path, flags: OpenFlags, mode: Mode) -> Fd: full;
//! ```
//!
//! - `full`: as Linux 6.1 does it. `partial "…"`: within the stated limits. `absent "…"`: answers `ENOSYS`, for the
//!   stated reason. `denied "…"`: answers `EPERM`, as Linux answers a process without the privilege that it needs.
//! - Argument types are names that the expansion gives a meaning (`rawposix::syscall::args`): `In<T>` is a structure
//!   that is read, `Out<T>` one that is written; 64-bit types take two words, low half first.
//! - Result types: `Fd`, `Len` (a count), `Int`, `Addr` (shown in hexadecimal), `Zero` (success only), `Never`.
//! - A family is a source file of `rawposix/src/syscall` and a group of `--strace`.

/// Calls `$callback!` with the list of system calls.
#[macro_export]
macro_rules! syscalls {
    ($callback:ident) => {
        $callback! {
            open {
                56 openat(dirfd: DirFd, path: Path, flags: OpenFlags, mode: Mode) -> Fd: full;
                437 openat2(dirfd: DirFd, path: Path, how: In<OpenHow>, size: Len) -> Fd: partial "RESOLVE_CACHED answers EAGAIN";
                57 close(fd: Fd) -> Zero: full;
                436 close_range(first: Uint, last: Uint, flags: CloseRangeFlags) -> Zero: partial "CLOSE_RANGE_UNSHARE answers EINVAL to one of several threads";
                23 dup(oldfd: Fd) -> Fd: full;
                24 dup3(oldfd: Fd, newfd: Fd, flags: DupFlags) -> Fd: full;
                25 fcntl64(fd: Fd, cmd: FcntlCmd, arg: Hex) -> Int: partial "no leases, no F_NOTIFY; O_ASYNC on pipes, sockets and terminals; record locks are seen by other processes of the host as well";
                59 pipe2(fds: Out<FdPair>, flags: PipeFlags) -> Zero: partial "no O_NOTIFICATION_PIPE";
                32 flock(fd: Fd, operation: FlockOp) -> Zero: full;
                279 memfd_create(name: Str, flags: MemfdFlags) -> Fd: partial "no huge pages";
                19 eventfd2(initval: Uint, flags: EventfdFlags) -> Fd: full;
                447 memfd_secret(flags: Uint) -> Fd: absent "off by default in Linux 6.1; a sandbox has no memory that lind itself cannot read";
                265 open_by_handle_at(mount_fd: Fd, handle: Ptr, flags: OpenFlags) -> Fd: denied "needs CAP_DAC_READ_SEARCH";
                262 fanotify_init(flags: Hex, event_flags: Hex) -> Fd: denied "needs CAP_SYS_ADMIN in a container";
                263 fanotify_mark(fd: Fd, flags: Hex, mask: Hex64, dirfd: DirFd, path: Path) -> Zero: absent "there is no fanotify_init";
                18 lookup_dcookie(cookie: Hex64, buf: Ptr, size: Len) -> Len: denied "needs CAP_SYS_ADMIN; removed from newer Linux";
            }
            io {
                63 read(fd: Fd, buf: OutBuf, count: Len) -> Len: full;
                64 write(fd: Fd, buf: InBuf, count: Len) -> Len: full;
                65 readv(fd: Fd, iov: IoVec, iovcnt: Int) -> Len: full;
                66 writev(fd: Fd, iov: IoVec, iovcnt: Int) -> Len: full;
                67 pread64(fd: Fd, buf: OutBuf, count: Len, offset: Off) -> Len: full;
                68 pwrite64(fd: Fd, buf: InBuf, count: Len, offset: Off) -> Len: full;
                69 preadv(fd: Fd, iov: IoVec, iovcnt: Int, offset: Off) -> Len: full;
                70 pwritev(fd: Fd, iov: IoVec, iovcnt: Int, offset: Off) -> Len: full;
                286 preadv2(fd: Fd, iov: IoVec, iovcnt: Int, offset: Off, flags: RwFlags) -> Len: full;
                287 pwritev2(fd: Fd, iov: IoVec, iovcnt: Int, offset: Off, flags: RwFlags) -> Len: full;
                62 llseek(fd: Fd, high: Hex, low: Hex, result: Out<i64>, whence: Whence) -> Zero: full;
                71 sendfile64(out_fd: Fd, in_fd: Fd, offset: InOut<i64>, count: Len) -> Len: full;
                285 copy_file_range(in_fd: Fd, in_off: InOut<i64>, out_fd: Fd, out_off: InOut<i64>, len: Len, flags: Hex) -> Len: full;
                29 ioctl(fd: Fd, cmd: IoctlCmd, arg: Hex) -> Int: partial "terminals and pseudo-terminals (attributes, window size, sessions, foreground groups, names, locks, packet mode), properties of network interfaces, FIONREAD, FIONBIO, FIOASYNC, FIOCLEX, FIONCLEX";
                0 io_setup(nr_events: Uint, ctx: AioContext) -> Zero: full;
                1 io_destroy(ctx: Hex) -> Zero: full;
                2 io_submit(ctx: Hex, nr: Int, iocbs: IoCbs) -> Int: partial "requests are complete when it returns, as Linux does it for most files; IOCB_CMD_POLL answers EINVAL, as before Linux 4.18";
                3 io_cancel(ctx: Hex, iocb: In<Iocb>, result: Ptr) -> Zero: partial "answers EINVAL, as Linux does for requests that are complete";
                416 io_pgetevents_time64(ctx: Hex, min: Int, nr: Int, events: IoEvents, timeout: In<Timespec>, sig: In<AioSigset>) -> Int: full;
                425 io_uring_setup(entries: Uint, params: Ptr) -> Fd: absent "would bypass the list of system calls; containers refuse it by default as well";
                426 io_uring_enter(fd: Fd, submit: Uint, min: Uint, flags: Hex, arg: Ptr, size: Len) -> Int: absent "would bypass the list of system calls; containers refuse it by default as well";
                427 io_uring_register(fd: Fd, opcode: Uint, arg: Ptr, nr: Uint) -> Int: absent "would bypass the list of system calls; containers refuse it by default as well";
            }
            storage {
                82 fsync(fd: Fd) -> Zero: full;
                83 fdatasync(fd: Fd) -> Zero: full;
                84 sync_file_range(fd: Fd, offset: Off, nbytes: Off, flags: Hex) -> Zero: partial "as fdatasync, which promises more, when it is to wait";
                81 sync() -> Zero: full;
                267 syncfs(fd: Fd) -> Zero: full;
                46 ftruncate64(fd: Fd, length: Off) -> Zero: full;
                45 truncate64(path: Path, length: Off) -> Zero: full;
                47 fallocate(fd: Fd, mode: FallocMode, offset: Off, len: Off) -> Zero: full;
                223 fadvise64_64(fd: Fd, offset: Off, len: Off, advice: Int) -> Zero: full;
                213 readahead(fd: Fd, offset: Off, count: Len) -> Zero: full;
            }
            path {
                17 getcwd(buf: OutStr, size: Len) -> Len: full;
                49 chdir(path: Path) -> Zero: full;
                50 fchdir(fd: Fd) -> Zero: full;
                34 mkdirat(dirfd: DirFd, path: Path, mode: Mode) -> Zero: full;
                33 mknodat(dirfd: DirFd, path: Path, mode: Mode, dev: Hex) -> Zero: partial "regular files, fifos and sockets; the rest needs CAP_MKNOD";
                35 unlinkat(dirfd: DirFd, path: Path, flags: AtFlags) -> Zero: full;
                36 symlinkat(target: Str, newdirfd: DirFd, linkpath: Path) -> Zero: full;
                37 linkat(olddirfd: DirFd, oldpath: Path, newdirfd: DirFd, newpath: Path, flags: AtFlags) -> Zero: full;
                276 renameat2(olddirfd: DirFd, oldpath: Path, newdirfd: DirFd, newpath: Path, flags: RenameFlags) -> Zero: full;
                78 readlinkat(dirfd: DirFd, path: Path, buf: OutStr, size: Len) -> Len: full;
                264 name_to_handle_at(dirfd: DirFd, path: Path, handle: Ptr, mount_id: Ptr, flags: AtFlags) -> Zero: partial "always EOPNOTSUPP: no file system here has handles, which would name files outside the sandbox";
                166 umask(mask: Mode) -> Mode: full;
                61 getdents64(fd: Fd, dirp: Ptr, count: Len) -> Len: full;
                51 chroot(path: Path) -> Zero: full;
                40 mount(source: Path, target: Path, fstype: Str, flags: Hex, data: Ptr) -> Zero: denied "needs CAP_SYS_ADMIN; the sandbox is mounted by lind's options";
                39 umount2(target: Path, flags: Hex) -> Zero: denied "needs CAP_SYS_ADMIN";
                41 pivot_root(new_root: Path, put_old: Path) -> Zero: denied "needs CAP_SYS_ADMIN";
                428 open_tree(dirfd: DirFd, path: Path, flags: Hex) -> Fd: denied "needs CAP_SYS_ADMIN in a container";
                429 move_mount(from_fd: DirFd, from_path: Path, to_fd: DirFd, to_path: Path, flags: Hex) -> Zero: denied "needs CAP_SYS_ADMIN";
                430 fsopen(fsname: Str, flags: Hex) -> Fd: denied "needs CAP_SYS_ADMIN";
                431 fsconfig(fd: Fd, cmd: Uint, key: Str, value: Ptr, aux: Int) -> Zero: denied "needs CAP_SYS_ADMIN";
                432 fsmount(fd: Fd, flags: Hex, attr: Hex) -> Fd: denied "needs CAP_SYS_ADMIN";
                433 fspick(dirfd: DirFd, path: Path, flags: Hex) -> Fd: denied "needs CAP_SYS_ADMIN";
                442 mount_setattr(dirfd: DirFd, path: Path, flags: Hex, attr: Ptr, size: Len) -> Zero: denied "needs CAP_SYS_ADMIN";
                60 quotactl(cmd: Hex, special: Path, id: Int, addr: Ptr) -> Zero: denied "needs CAP_SYS_ADMIN in a container";
                443 quotactl_fd(fd: Fd, cmd: Hex, id: Int, addr: Ptr) -> Zero: denied "needs CAP_SYS_ADMIN in a container";
            }
            attributes {
                48 faccessat(dirfd: DirFd, path: Path, mode: AccessMode) -> Zero: full;
                439 faccessat2(dirfd: DirFd, path: Path, mode: AccessMode, flags: AtFlags) -> Zero: full;
                52 fchmod(fd: Fd, mode: Mode) -> Zero: partial "set-user-ID and set-group-ID of files are the sandbox's only, and execve does not heed them";
                53 fchmodat(dirfd: DirFd, path: Path, mode: Mode) -> Zero: partial "set-user-ID and set-group-ID of files are the sandbox's only, and execve does not heed them";
                55 fchown(fd: Fd, owner: Uid, group: Gid) -> Zero: partial "owners that the host cannot give are the sandbox's only and end with it";
                54 fchownat(dirfd: DirFd, path: Path, owner: Uid, group: Gid, flags: AtFlags) -> Zero: partial "owners that the host cannot give are the sandbox's only and end with it";
                412 utimensat_time64(dirfd: DirFd, path: Path, times: In<TimespecPair>, flags: AtFlags) -> Zero: full;
            }
            metadata {
                291 statx(dirfd: DirFd, path: Path, flags: AtFlags, mask: StatxMask, buf: Out<Statx>) -> Zero: full;
                43 statfs64(path: Path, size: Len, buf: Out<Statfs64>) -> Zero: full;
                44 fstatfs64(fd: Fd, size: Len, buf: Out<Statfs64>) -> Zero: full;
                5 setxattr(path: Path, name: Str, value: InBuf, size: Len, flags: XattrFlags) -> Zero: partial "only attributes of the user namespace";
                6 lsetxattr(path: Path, name: Str, value: InBuf, size: Len, flags: XattrFlags) -> Zero: partial "only attributes of the user namespace";
                7 fsetxattr(fd: Fd, name: Str, value: InBuf, size: Len, flags: XattrFlags) -> Zero: partial "only attributes of the user namespace";
                8 getxattr(path: Path, name: Str, value: OutBuf, size: Len) -> Len: partial "only attributes of the user namespace";
                9 lgetxattr(path: Path, name: Str, value: OutBuf, size: Len) -> Len: partial "only attributes of the user namespace";
                10 fgetxattr(fd: Fd, name: Str, value: OutBuf, size: Len) -> Len: partial "only attributes of the user namespace";
                11 listxattr(path: Path, list: OutBuf, size: Len) -> Len: partial "only attributes of the user namespace";
                12 llistxattr(path: Path, list: OutBuf, size: Len) -> Len: partial "only attributes of the user namespace";
                13 flistxattr(fd: Fd, list: OutBuf, size: Len) -> Len: partial "only attributes of the user namespace";
                14 removexattr(path: Path, name: Str) -> Zero: partial "only attributes of the user namespace";
                15 lremovexattr(path: Path, name: Str) -> Zero: partial "only attributes of the user namespace";
                16 fremovexattr(fd: Fd, name: Str) -> Zero: partial "only attributes of the user namespace";
            }
            poll {
                414 ppoll_time64(fds: PollFds, nfds: Uint, timeout: In<Timespec>, sigmask: In<u64>, sigsetsize: Len) -> Int: full;
                413 pselect6_time64(nfds: Int, readfds: Ptr, writefds: Ptr, exceptfds: Ptr, timeout: InOut<Timespec>, sigmask: Ptr) -> Int: full;
            }
            splice {
                76 splice(in_fd: Fd, in_off: InOut<i64>, out_fd: Fd, out_off: InOut<i64>, len: Len, flags: SpliceFlags) -> Len: full;
                77 tee(in_fd: Fd, out_fd: Fd, len: Len, flags: SpliceFlags) -> Len: full;
                75 vmsplice(fd: Fd, iov: IoVec, count: Int, flags: SpliceFlags) -> Len: partial "copies: no page is given away";
            }
            epoll {
                20 epoll_create1(flags: Hex) -> Fd: full;
                21 epoll_ctl(epfd: Fd, op: EpollOp, fd: Fd, event: In<EpollEvent>) -> Zero: full;
                22 epoll_pwait(epfd: Fd, events: Ptr, maxevents: Int, timeout: Int, sigmask: In<u64>, sigsetsize: Len) -> Int: full;
                441 epoll_pwait2(epfd: Fd, events: Ptr, maxevents: Int, timeout: In<Timespec>, sigmask: In<u64>, sigsetsize: Len) -> Int: full;
            }
            timer {
                102 getitimer(which: Int, value: Out<Itimerval>) -> Zero: full;
                103 setitimer(which: Int, new: In<Itimerval>, old: Out<Itimerval>) -> Zero: full;
                107 timer_create(clockid: ClockId, sevp: Ptr, timerid: Ptr) -> Zero: full;
                111 timer_delete(timerid: Int) -> Zero: full;
                109 timer_getoverrun(timerid: Int) -> Int: partial "overruns of processor-time timers may be counted late on a busy machine";
                408 timer_gettime64(timerid: Int, value: Out<Itimerspec>) -> Zero: full;
                409 timer_settime64(timerid: Int, flags: TimerFlags, new: In<Itimerspec>, old: Out<Itimerspec>) -> Zero: full;
            }
            timerfd {
                85 timerfd_create(clockid: ClockId, flags: Hex) -> Fd: partial "no alarm clocks, which need CAP_WAKE_ALARM";
                410 timerfd_gettime64(fd: Fd, value: Out<Itimerspec>) -> Zero: full;
                411 timerfd_settime64(fd: Fd, flags: Hex, new: In<Itimerspec>, old: Out<Itimerspec>) -> Zero: full;
            }
            inotify {
                26 inotify_init1(flags: Hex) -> Fd: full;
                27 inotify_add_watch(fd: Fd, path: Path, mask: Hex) -> Int: partial "files and directories of the host only, none of /proc and /dev";
                28 inotify_rm_watch(fd: Fd, wd: Int) -> Zero: full;
            }
            membarrier {
                283 membarrier(cmd: Int, flags: Hex, cpu: Int) -> Int: partial "all but the commands for restartable sequences";
            }
            memory {
                214 brk(addr: Ptr) -> Addr: full;
                222 mmap2(addr: Ptr, length: Len, prot: Prot, flags: MapFlags, fd: Fd, pgoffset: Hex) -> Addr: partial "no huge pages; MAP_GROWSDOWN mappings do not grow; code in memory cannot be executed";
                215 munmap(addr: Ptr, length: Len) -> Zero: full;
                226 mprotect(addr: Ptr, length: Len, prot: Prot) -> Zero: partial "PROT_EXEC is noted only";
                216 mremap(addr: Ptr, old_size: Len, new_size: Len, flags: MremapFlags, new_addr: Ptr) -> Addr: full;
                227 msync(addr: Ptr, length: Len, flags: MsyncFlags) -> Zero: full;
                233 madvise(addr: Ptr, length: Len, advice: Int) -> Zero: partial "advice without effect on contents is accepted where it means something";
                232 mincore(addr: Ptr, length: Len, vec: Ptr) -> Zero: full;
                228 mlock(addr: Ptr, length: Len) -> Zero: partial "checked, within RLIMIT_MEMLOCK; pages are not pinned";
                284 mlock2(addr: Ptr, length: Len, flags: Hex) -> Zero: partial "checked, within RLIMIT_MEMLOCK; pages are not pinned";
                229 munlock(addr: Ptr, length: Len) -> Zero: full;
                230 mlockall(flags: Hex) -> Zero: partial "accounted, within RLIMIT_MEMLOCK; pages are not pinned";
                231 munlockall() -> Zero: full;
                234 remap_file_pages(addr: Ptr, size: Len, prot: Hex, pgoff: Hex, flags: Hex) -> Zero: full;
                235 mbind(addr: Ptr, len: Len, mode: Int, mask: Ptr, max: Uint, flags: Hex) -> Zero: absent "NUMA placement is the host's business; containers refuse it without CAP_SYS_NICE";
                236 get_mempolicy(mode: Ptr, mask: Ptr, max: Uint, addr: Ptr, flags: Hex) -> Zero: absent "NUMA placement is the host's business; containers refuse it without CAP_SYS_NICE";
                237 set_mempolicy(mode: Int, mask: Ptr, max: Uint) -> Zero: absent "NUMA placement is the host's business; containers refuse it without CAP_SYS_NICE";
                450 set_mempolicy_home_node(start: Ptr, len: Len, node: Uint, flags: Hex) -> Zero: absent "NUMA placement is the host's business; containers refuse it without CAP_SYS_NICE";
                238 migrate_pages(pid: Pid, max: Uint, old: Ptr, new: Ptr) -> Int: absent "NUMA placement is the host's business; containers refuse it without CAP_SYS_NICE";
                239 move_pages(pid: Pid, count: Uint, pages: Ptr, nodes: Ptr, status: Ptr, flags: Hex) -> Zero: absent "NUMA placement is the host's business; containers refuse it without CAP_SYS_NICE";
                288 pkey_mprotect(addr: Ptr, length: Len, prot: Prot, pkey: Int) -> Zero: partial "as on a processor without protection keys: there are none to allocate";
                289 pkey_alloc(flags: Hex, rights: Hex) -> Int: partial "as on a processor without protection keys: there are none to allocate";
                290 pkey_free(pkey: Int) -> Zero: partial "as on a processor without protection keys: there are none to allocate";
                282 userfaultfd(flags: Hex) -> Fd: absent "guest memory is the microvisor's to manage; containers refuse it by default as well";
                440 process_madvise(pidfd: Fd, iov: IoVec, count: Len, advice: Int, flags: Hex) -> Len: denied "needs CAP_SYS_NICE";
                448 process_mrelease(pidfd: Fd, flags: Hex) -> Zero: partial "processes end at once here: the memory of one is gone with it";
                270 process_vm_readv(pid: Pid, local: IoVec, lcount: Uint, remote: IoVec, rcount: Uint, flags: Hex) -> Len: full;
                271 process_vm_writev(pid: Pid, local: IoVec, lcount: Uint, remote: IoVec, rcount: Uint, flags: Hex) -> Len: full;
            }
            time {
                403 clock_gettime64(clockid: ClockId, tp: Out<Timespec>) -> Zero: partial "no dynamic clocks";
                406 clock_getres_time64(clockid: ClockId, res: Out<Timespec>) -> Zero: partial "no dynamic clocks";
                407 clock_nanosleep_time64(clockid: ClockId, flags: TimerFlags, request: In<Timespec>, remain: Out<Timespec>) -> Zero: full;
                404 clock_settime64(clockid: ClockId, tp: In<Timespec>) -> Zero: partial "always EPERM: needs CAP_SYS_TIME";
                405 clock_adjtime64(clockid: ClockId, tx: InOut<Timex>) -> Int: partial "tells of a clock that nobody disciplines; changes need CAP_SYS_TIME";
                153 times(buf: Out<Tms>) -> Int: full;
            }
            identity {
                172 getpid() -> Int: full;
                173 getppid() -> Int: full;
                178 gettid() -> Int: full;
                174 getuid() -> Int: full;
                175 geteuid() -> Int: full;
                176 getgid() -> Int: full;
                177 getegid() -> Int: full;
                148 getresuid(ruid: Out<u32>, euid: Out<u32>, suid: Out<u32>) -> Zero: full;
                150 getresgid(rgid: Out<u32>, egid: Out<u32>, sgid: Out<u32>) -> Zero: full;
                146 setuid(uid: Uid) -> Zero: full;
                144 setgid(gid: Gid) -> Zero: full;
                145 setreuid(ruid: Uid, euid: Uid) -> Zero: full;
                143 setregid(rgid: Gid, egid: Gid) -> Zero: full;
                147 setresuid(ruid: Uid, euid: Uid, suid: Uid) -> Zero: full;
                149 setresgid(rgid: Gid, egid: Gid, sgid: Gid) -> Zero: full;
                151 setfsuid(uid: Uid) -> Int: full;
                152 setfsgid(gid: Gid) -> Int: full;
                158 getgroups(size: Int, list: Ptr) -> Int: full;
                159 setgroups(size: Int, list: Ptr) -> Zero: full;
                154 setpgid(pid: Pid, pgid: Pid) -> Zero: full;
                155 getpgid(pid: Pid) -> Int: full;
                156 getsid(pid: Pid) -> Int: full;
                157 setsid() -> Int: full;
                90 capget(header: InOut<CapHeader>, data: Ptr) -> Zero: full;
                91 capset(header: InOut<CapHeader>, data: Ptr) -> Zero: full;
                160 uname(buf: Out<Utsname>) -> Zero: full;
                161 sethostname(name: InBuf, len: Len) -> Zero: partial "always EPERM: needs CAP_SYS_ADMIN";
                162 setdomainname(name: InBuf, len: Len) -> Zero: partial "always EPERM: needs CAP_SYS_ADMIN";
            }
            process {
                93 exit(status: Int) -> Never: full;
                94 exit_group(status: Int) -> Never: full;
                96 set_tid_address(tidptr: Ptr) -> Int: full;
                99 set_robust_list(head: Ptr, len: Len) -> Zero: full;
                100 get_robust_list(pid: Pid, head: Out<u32>, len: Out<u32>) -> Zero: full;
                95 waitid(idtype: IdType, id: Pid, info: Out<Siginfo>, options: WaitOptions, usage: Out<Rusage>) -> Zero: full;
                260 wait4(pid: Pid, status: WaitStatus, options: WaitOptions, usage: Out<Rusage>) -> Int: full;
                220 clone(flags: CloneWord, stack: Ptr, ptid: Ptr, tls: Ptr, ctid: Ptr) -> Int: partial "a stack is given through libc's clone only; no namespaces";
                435 clone3(args: Ptr, size: Len) -> Int: partial "a stack is given through libc's clone only; no namespaces";
                221 execve(path: Path, argv: Argv, envp: Envp) -> Zero: full;
                281 execveat(dirfd: DirFd, path: Path, argv: Argv, envp: Envp, flags: AtFlags) -> Zero: full;
                167 prctl(option: PrctlOption, arg2: Hex, arg3: Hex, arg4: Hex, arg5: Hex) -> Int: partial "name, dumpable, no_new_privs, child subreaper, parent-death signal, timer slack, seccomp, keeping capabilities, ambient ones, queries";
                261 prlimit64(pid: Pid, resource: Resource, new: In<Rlimit64>, old: Out<Rlimit64>) -> Zero: partial "NOFILE, FSIZE, AS, DATA, MEMLOCK, NPROC, SIGPENDING, CPU, CORE (as the bit of a status) and NICE are enforced";
                165 getrusage(who: Int, usage: Out<Rusage>) -> Zero: full;
                92 personality(persona: Hex) -> Int: partial "kept and told, without effect";
                97 unshare(flags: CloneFlags) -> Zero: partial "by the only thread of a process; namespaces answer EPERM";
                268 setns(fd: Fd, nstype: Hex) -> Zero: partial "always an error: there are no namespaces, and entering those of a process needs CAP_SYS_ADMIN";
                434 pidfd_open(pid: Pid, flags: PidfdFlags) -> Fd: full;
                438 pidfd_getfd(pidfd: Fd, targetfd: Int, flags: Hex) -> Fd: full;
                117 ptrace(request: Int, pid: Pid, addr: Ptr, data: Ptr) -> Int: absent "stepping and registers of WebAssembly are not Linux's; guests are debugged from the host";
                272 kcmp(pid1: Pid, pid2: Pid, kind: KcmpType, idx1: Uint, idx2: Uint) -> Int: partial "no KCMP_EPOLL_TFD";
                277 seccomp(operation: SeccompOperation, flags: SeccompFlags, args: Ptr) -> Int: partial "filters see 0x40004157 as the architecture and no instruction pointer; no SECCOMP_USER_NOTIF";
                444 landlock_create_ruleset(attr: Ptr, size: Len, flags: Hex) -> Fd: partial "version 4: files and ports of TCP";
                445 landlock_add_rule(ruleset: Fd, kind: Int, attr: Ptr, flags: Hex) -> Zero: full;
                446 landlock_restrict_self(ruleset: Fd, flags: Hex) -> Zero: partial "one of several threads restricts all of them";
                293 rseq(area: Ptr, len: Len, flags: Hex, sig: Hex) -> Zero: absent "aborting a sequence needs the guest's program counter at every switch, and the host moves threads without telling; libc does without";
                89 acct(path: Path) -> Zero: denied "needs CAP_SYS_PACCT";
            }
            schedule {
                124 sched_yield() -> Zero: full;
                123 sched_getaffinity(pid: Pid, size: Len, mask: Ptr) -> Int: full;
                122 sched_setaffinity(pid: Pid, size: Len, mask: Ptr) -> Zero: full;
                120 sched_getscheduler(pid: Pid) -> Int: full;
                119 sched_setscheduler(pid: Pid, policy: Int, param: In<i32>) -> Zero: partial "stored; real-time policies answer EPERM";
                121 sched_getparam(pid: Pid, param: Out<i32>) -> Zero: full;
                118 sched_setparam(pid: Pid, param: In<i32>) -> Zero: partial "stored";
                125 sched_get_priority_max(policy: Int) -> Int: full;
                126 sched_get_priority_min(policy: Int) -> Int: full;
                423 sched_rr_get_interval_time64(pid: Pid, interval: Out<Timespec>) -> Zero: full;
                274 sched_setattr(pid: Pid, attr: Ptr, flags: Hex) -> Zero: partial "stored; real-time policies and deadlines answer EPERM";
                275 sched_getattr(pid: Pid, attr: Ptr, size: Uint, flags: Hex) -> Zero: full;
                140 setpriority(which: Int, who: Int, prio: Int) -> Zero: partial "stored: host threads serve one guest after the other, and could not get a priority back that they gave up";
                141 getpriority(which: Int, who: Int) -> Int: full;
                30 ioprio_set(which: Int, who: Int, prio: Int) -> Zero: partial "stored";
                31 ioprio_get(which: Int, who: Int) -> Int: full;
                168 getcpu(cpu: Out<u32>, node: Out<u32>, cache: Ptr) -> Zero: full;
            }
            futex {
                422 futex_time64(uaddr: Ptr, op: FutexOp, val: Uint, timeout: Ptr, uaddr2: Ptr, val3: Hex) -> Int: partial "PI locks are handed over in order, priorities are not inherited";
                449 futex_waitv(waiters: Ptr, count: Uint, flags: Hex, timeout: In<Timespec>, clockid: ClockId) -> Int: full;
            }
            signal {
                134 rt_sigaction(signum: SignalArg, act: In<Sigaction>, oldact: Out<Sigaction>, sigsetsize: Len) -> Zero: full;
                135 rt_sigprocmask(how: SigHow, set: In<u64>, oldset: Out<u64>, sigsetsize: Len) -> Zero: full;
                136 rt_sigpending(set: Out<u64>, sigsetsize: Len) -> Zero: full;
                132 sigaltstack(new: In<StackT>, old: Out<StackT>, sp: Ptr) -> Zero: full;
                129 kill(pid: Pid, sig: SignalArg) -> Zero: full;
                130 tkill(tid: Pid, sig: SignalArg) -> Zero: full;
                131 tgkill(tgid: Pid, tid: Pid, sig: SignalArg) -> Zero: full;
                138 rt_sigqueueinfo(tgid: Pid, sig: SignalArg, info: In<Siginfo>) -> Zero: full;
                240 rt_tgsigqueueinfo(tgid: Pid, tid: Pid, sig: SignalArg, info: In<Siginfo>) -> Zero: full;
                133 rt_sigsuspend(mask: In<u64>, sigsetsize: Len) -> Zero: full;
                421 rt_sigtimedwait_time64(set: In<u64>, info: Out<Siginfo>, timeout: In<Timespec>, sigsetsize: Len) -> Int: full;
                139 rt_sigreturn(frame: Ptr) -> Int: full;
                128 restart_syscall() -> Int: full;
                424 pidfd_send_signal(pidfd: Fd, sig: SignalArg, info: In<Siginfo>, flags: Hex) -> Zero: full;
                74 signalfd4(fd: Fd, mask: In<u64>, size: Len, flags: SignalfdFlags) -> Fd: partial "in an epoll set, a signal for any thread of the process counts";
            }
            system {
                278 getrandom(buf: OutBuf, count: Len, flags: GetrandomFlags) -> Len: full;
                179 sysinfo(info: Out<Sysinfo>) -> Zero: partial "memory and load of the host, processes of the sandbox";
                116 syslog(kind: Int, buf: Ptr, len: Int) -> Int: denied "needs CAP_SYSLOG";
                142 reboot(magic: Hex, magic2: Hex, cmd: Hex, arg: Ptr) -> Zero: denied "needs CAP_SYS_BOOT";
                58 vhangup() -> Zero: denied "needs CAP_SYS_TTY_CONFIG";
                224 swapon(path: Path, flags: Hex) -> Zero: denied "needs CAP_SYS_ADMIN";
                225 swapoff(path: Path) -> Zero: denied "needs CAP_SYS_ADMIN";
                105 init_module(image: Ptr, len: Len, params: Str) -> Zero: denied "needs CAP_SYS_MODULE";
                273 finit_module(fd: Fd, params: Str, flags: Hex) -> Zero: denied "needs CAP_SYS_MODULE";
                106 delete_module(name: Str, flags: Hex) -> Zero: denied "needs CAP_SYS_MODULE";
                104 kexec_load(entry: Ptr, nr: Uint, segments: Ptr, flags: Hex) -> Zero: denied "needs CAP_SYS_BOOT";
                294 kexec_file_load(kernel: Fd, initrd: Fd, len: Len, cmdline: Str, flags: Hex) -> Zero: denied "needs CAP_SYS_BOOT";
                280 bpf(cmd: Int, attr: Ptr, size: Len) -> Int: denied "needs CAP_BPF: programs in the kernel are not for a sandbox";
                241 perf_event_open(attr: Ptr, pid: Pid, cpu: Int, group: Fd, flags: Hex) -> Fd: denied "needs CAP_PERFMON: would observe the host";
                217 add_key(kind: Str, description: Str, payload: Ptr, len: Len, keyring: Int) -> Int: absent "key rings are the host's; containers refuse them by default as well";
                218 request_key(kind: Str, description: Str, info: Str, keyring: Int) -> Int: absent "key rings are the host's; containers refuse them by default as well";
                219 keyctl(operation: Int, arg2: Hex, arg3: Hex, arg4: Hex, arg5: Hex) -> Int: absent "key rings are the host's; containers refuse them by default as well";
                42 nfsservctl() -> Zero: absent "removed in Linux 3.1";
            }
            network {
                198 socket(domain: Family, kind: SocketKind, protocol: Int) -> Fd: partial "unix, IPv4 and IPv6 (stream, dgram), netlink route; no raw sockets";
                199 socketpair(domain: Family, kind: SocketKind, protocol: Int, fds: Out<FdPair>) -> Zero: full;
                200 bind(fd: Fd, addr: InAddr, len: Len) -> Zero: full;
                201 listen(fd: Fd, backlog: Int) -> Zero: full;
                202 accept(fd: Fd, addr: OutAddr, len: InOut<u32>) -> Fd: full;
                242 accept4(fd: Fd, addr: OutAddr, len: InOut<u32>, flags: SockFlags) -> Fd: full;
                203 connect(fd: Fd, addr: InAddr, len: Len) -> Zero: partial "sockets at paths are those of the sandbox";
                204 getsockname(fd: Fd, addr: OutAddr, len: InOut<u32>) -> Zero: full;
                205 getpeername(fd: Fd, addr: OutAddr, len: InOut<u32>) -> Zero: full;
                206 sendto(fd: Fd, buf: InBuf, len: Len, flags: MsgFlags, addr: InAddr, addrlen: Len) -> Len: full;
                207 recvfrom(fd: Fd, buf: OutBuf, len: Len, flags: MsgFlags, addr: OutAddr, addrlen: InOut<u32>) -> Len: partial "MSG_ERRQUEUE finds errors of the host's network only";
                208 setsockopt(fd: Fd, level: SocketLevel, option: SocketOption, value: InOption, len: Len) -> Zero: partial "the options of socket(7), tcp(7), ip(7) and ipv6(7) that need no privilege; no filters";
                209 getsockopt(fd: Fd, level: SocketLevel, option: SocketOption, value: OutOption, len: InOut<u32>) -> Zero: partial "the options that setsockopt has, and those that are only read";
                210 shutdown(fd: Fd, how: ShutdownHow) -> Zero: full;
                211 sendmsg(fd: Fd, msg: InMsg, flags: MsgFlags) -> Len: full;
                212 recvmsg(fd: Fd, msg: OutMsg, flags: MsgFlags) -> Len: partial "MSG_ERRQUEUE finds errors of the host's network only";
                269 sendmmsg(fd: Fd, msgs: Ptr, count: Uint, flags: MsgFlags) -> Int: full;
                417 recvmmsg_time64(fd: Fd, msgs: Ptr, count: Uint, flags: MsgFlags, timeout: InOut<Timespec>) -> Int: partial "MSG_ERRQUEUE finds errors of the host's network only";
            }
            ipc {
                186 msgget(key: IpcKey, flags: IpcFlags) -> Int: full;
                187 msgctl(id: Int, cmd: MessageCommand, buf: Ptr) -> Int: full;
                188 msgrcv(id: Int, msg: Ptr, size: Len, kind: Int, flags: MessageFlags) -> Len: full;
                189 msgsnd(id: Int, msg: Ptr, size: Len, flags: MessageFlags) -> Zero: full;
                190 semget(key: IpcKey, count: Int, flags: IpcFlags) -> Int: full;
                191 semctl(id: Int, num: Int, cmd: SemaphoreCommand, arg: Hex) -> Int: full;
                193 semop(id: Int, ops: SemOps, count: Uint) -> Zero: full;
                420 semtimedop_time64(id: Int, ops: SemOps, count: Uint, timeout: In<Timespec>) -> Zero: full;
                194 shmget(key: IpcKey, size: Len, flags: IpcFlags) -> Int: partial "no huge pages";
                195 shmctl(id: Int, cmd: SegmentCommand, buf: Ptr) -> Int: partial "SHM_LOCK is noted, pages are not pinned";
                196 shmat(id: Int, addr: Ptr, flags: SegmentFlags) -> Addr: full;
                197 shmdt(addr: Ptr) -> Zero: full;
                180 mq_open(name: Str, flags: OpenFlags, mode: Mode, attr: In<MqAttr>) -> Fd: partial "no file system of the queues; limits of fs.mqueue as Linux has them at first";
                181 mq_unlink(name: Str) -> Zero: full;
                418 mq_timedsend_time64(mq: Fd, msg: InBuf, len: Len, prio: Uint, timeout: In<Timespec>) -> Zero: full;
                419 mq_timedreceive_time64(mq: Fd, msg: OutBuf, len: Len, prio: Out<u32>, timeout: In<Timespec>) -> Len: full;
                184 mq_notify(mq: Fd, event: In<Sigevent>) -> Zero: full;
                185 mq_getsetattr(mq: Fd, new: In<MqAttr>, old: Out<MqAttr>) -> Zero: full;
            }
        }
    };
}
