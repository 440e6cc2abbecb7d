/* seccomp(2) with filters: what it refuses, what filters do to calls, and who inherits them.
 *
 * @opt -O0 -O2
 */
#include <stdint.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <linux/capability.h>
#include "filter.h"

/* Whether filters may be installed without giving up privileges. */
static int is_administrator(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	CHECK_OK(syscall(SYS_capget, &header, data));
	return data[0].effective >> CAP_SYS_ADMIN & 1;
}

static void refused_calls(void)
{
	struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_filter *nowhere = mmap(NULL, 0x10000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sock_fprog program = { .len = 1, .filter = allow };

	CHECK_ERRNO(seccomp(99, 0, NULL), EINVAL);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_STRICT, 0, &program), EINVAL);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, 1 << 20, &program), EINVAL);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, 0, nowhere), EFAULT);
	if (!is_administrator() && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0)
		CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, 0, &program), EACCES);
	CHECK_OK(give_up_privileges());
	CHECK_EQ(status("NoNewPrivs"), 1);
	CHECK_ERRNO(install(allow, 0, 0), EINVAL);
	CHECK_ERRNO(install(allow, BPF_MAXINSNS + 1, 0), EINVAL);
	CHECK_ERRNO(install(nowhere, 1, 0), EFAULT);
	struct sock_filter endless[] = { BPF_STMT(BPF_LD | BPF_IMM, 0) };
	CHECK_ERRNO(install(endless, 1, 0), EINVAL);
	struct sock_filter far[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(struct seccomp_data)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	CHECK_ERRNO(install(far, 2, 0), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_SECCOMP, 3, 0, 0, 0), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, nowhere, 0, 0), EFAULT);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0 + (status("Seccomp") == 2 ? 2 : 0));

	uint32_t actions[] = {
		SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO,
		SECCOMP_RET_TRACE, SECCOMP_RET_LOG, SECCOMP_RET_ALLOW,
	};
	for (size_t i = 0; i < LENGTH(actions); i++)
		CHECK_EQ(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &actions[i]), 0);
	uint32_t none = 0x12340000;
	CHECK_ERRNO(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &none), EOPNOTSUPP);
	CHECK_ERRNO(seccomp(SECCOMP_GET_ACTION_AVAIL, 1, &none), EINVAL);
	CHECK_ERRNO(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, nowhere), EFAULT);
}

static void errors(void)
{
	CHECK_OK(give_up_privileges());
	int before = status("Seccomp_filters");
	CHECK_OK(refuse(SYS_getppid, SECCOMP_RET_ERRNO | EXDEV, SECCOMP_FILTER_FLAG_LOG));
	CHECK_EQ(prctl(PR_GET_SECCOMP), 2);
	CHECK_EQ(status("Seccomp"), 2);
	CHECK_EQ(status("Seccomp_filters"), before + 1);
	CHECK_ERRNO(syscall(SYS_getppid), EXDEV);
	CHECK(getpid() > 0);
	/* The newest of equals counts, then the most restrictive. */
	CHECK_OK(refuse(SYS_getppid, SECCOMP_RET_ERRNO | ENOTTY, 0));
	CHECK_ERRNO(syscall(SYS_getppid), ENOTTY);
	CHECK_OK(refuse(SYS_getppid, SECCOMP_RET_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW));
	CHECK_ERRNO(syscall(SYS_getppid), ENOTTY);
	CHECK_OK(refuse(SYS_getpgid, SECCOMP_RET_ERRNO, 0));
	CHECK_EQ(syscall(SYS_getpgid, -5), 0);
	/* No error is beyond 4095. */
	CHECK_OK(refuse(SYS_getsid, SECCOMP_RET_ERRNO | 0xffff, 0));
	CHECK_ERRNO(syscall(SYS_getsid, 0), 4095);
	/* Nobody traces. */
	CHECK_OK(refuse(SYS_sched_yield, SECCOMP_RET_TRACE | 7, 0));
	CHECK_ERRNO(syscall(SYS_sched_yield), ENOSYS);
	CHECK_ERRNO(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0), EINVAL);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL), EINVAL);
	CHECK_EQ(status("Seccomp_filters"), before + 6);
}

/* Reads and writes may have ways of their own. */
static void reads_and_writes(void)
{
	int ends[2];
	char byte = 'x';
	CHECK_OK(give_up_privileges());
	CHECK_OK(pipe(ends));
	CHECK_EQ(write(ends[1], &byte, 1), 1);
	CHECK_EQ(read(ends[0], &byte, 1), 1);
	CHECK_EQ(write(ends[1], &byte, 1), 1);
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NUMBER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(0)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ends[0], 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ELOOP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	CHECK_OK(install(filter, LENGTH(filter), 0));
	for (int i = 0; i < 3; i++) {
		CHECK_ERRNO(read(ends[0], &byte, 1), ELOOP);
		CHECK_EQ(write(ends[1], &byte, 1), 1);
	}
	int copy = dup(ends[0]);
	CHECK_EQ(read(copy, &byte, 1), 1);
	CHECK_EQ(read(copy, &byte, 1), 1);

	int set = epoll_create1(0), zero = open("/dev/zero", O_RDWR);
	struct epoll_event event;
	CHECK_EQ(epoll_wait(set, &event, 1, 0), 0);
	CHECK_EQ(pread(zero, &byte, 1, 0), 1);
	CHECK_OK(refuse(SYS_epoll_pwait, SECCOMP_RET_ERRNO | ELOOP, 0));
	CHECK_OK(refuse(SYS_write, SECCOMP_RET_ERRNO | EXDEV, 0));
	CHECK_OK(refuse(SYS_pread64, SECCOMP_RET_ERRNO | ENOTTY, 0));
	CHECK_OK(refuse(SYS_pwrite64, SECCOMP_RET_ERRNO | EDOM, 0));
	CHECK_ERRNO(epoll_pwait(set, &event, 1, 0, NULL), ELOOP);
	CHECK_ERRNO(write(ends[1], &byte, 1), EXDEV);
	CHECK_ERRNO(write(zero, &byte, 1), EXDEV);
	CHECK_ERRNO(pread(zero, &byte, 1, 0), ENOTTY);
	CHECK_ERRNO(pwrite(zero, &byte, 1, 0), EDOM);
	CHECK_EQ(read(zero, &byte, 1), 1);
}

static void forks(void)
{
	CHECK_OK(give_up_privileges());
	CHECK_OK(refuse(SYS_clone, SECCOMP_RET_ERRNO | EXDEV, 0));
	CHECK_ERRNO(fork(), EXDEV);
	CHECK_ERRNO(fork(), EXDEV);
}

static void arguments(void)
{
	CHECK_OK(give_up_privileges());
	/* The sum of all six arguments, 0x100 and more as an error. */
	struct sock_filter filter[40] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NUMBER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(0)),
	};
	size_t length = 4;
	for (int i = 1; i < 6; i++) {
		filter[length++] = (struct sock_filter)BPF_STMT(BPF_MISC | BPF_TAX, 0);
		filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(i));
		filter[length++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0);
		filter[length++] = (struct sock_filter)BPF_STMT(BPF_ST, i);
	}
	filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_MEM, 5);
	filter[length++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO);
	filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
	CHECK_OK(install(filter, length, 0));
	CHECK_ERRNO(syscall(SYS_getppid, 1, 2, 4, 8, 16, 32), 63);
	CHECK_ERRNO(syscall(SYS_getppid, 100, 200, 300, 0, 0, 0), 600);
	CHECK_EQ(syscall(SYS_getppid, 0, 0, 0, 0, 0, 0), 0);
}

static void killed_process(void)
{
	give_up_privileges();
	CHECK_OK(refuse(SYS_getppid, SECCOMP_RET_KILL_PROCESS, 0));
	syscall(SYS_getppid);
}

static void killed_thread(void)
{
	give_up_privileges();
	CHECK_OK(refuse(SYS_getppid, SECCOMP_RET_KILL_THREAD, 0));
	syscall(SYS_getppid);
}

static void killed_by_no_action(void)
{
	give_up_privileges();
	CHECK_OK(refuse(SYS_getppid, 0x00010000, 0));
	syscall(SYS_getppid);
}

static void killed_at_fork(void)
{
	give_up_privileges();
	CHECK_OK(refuse(SYS_clone, SECCOMP_RET_KILL_PROCESS, 0));
	if (fork() == 0)
		_exit(0);
}

static void children(void)
{
	give_up_privileges();
	CHECK_OK(refuse(SYS_getppid, SECCOMP_RET_ERRNO | ENOTTY, 0));
	int filters = status("Seccomp_filters");
	pid_t pid = start();
	if (pid == 0) {
		CHECK_ERRNO(syscall(SYS_getppid), ENOTTY);
		CHECK_EQ(status("Seccomp_filters"), filters);
		CHECK_OK(refuse(SYS_getpgid, SECCOMP_RET_ERRNO | EXDEV, 0));
		CHECK_ERRNO(syscall(SYS_getpgid, 0), EXDEV);
		execl("/proc/self/exe", "filters", "executed", NULL);
		CHECK(0);
		finish();
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_OK(syscall(SYS_getpgid, 0));
}

/* What a program finds that a filtered process executes. */
static int executed(void)
{
	CHECK_EQ(prctl(PR_GET_SECCOMP), 2);
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	CHECK_ERRNO(syscall(SYS_getppid), ENOTTY);
	CHECK_ERRNO(syscall(SYS_getpgid, 0), EXDEV);
	return check_failures != 0;
}

/* All filters of a process together have a size. */
static void too_many(void)
{
	static struct sock_filter filter[BPF_MAXINSNS];
	give_up_privileges();
	for (size_t i = 0; i < LENGTH(filter); i++)
		filter[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	int count = 0, result;
	while ((result = install(filter, LENGTH(filter), 0)) == 0 && count < 20)
		count++;
	CHECK_EQ(result, -1);
	CHECK_EQ(errno, ENOMEM);
	/* The kernel counts instructions that it has translated. */
	CHECK(count >= 2 && count <= 7);
	CHECK_OK(refuse(SYS_getppid, SECCOMP_RET_ALLOW, 0));
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return executed();
	if (!is_usable())
		return check_done();
	CHECK_EQ(in_child(refused_calls), 0);
	CHECK_EQ(in_child(errors), 0);
	CHECK_EQ(in_child(reads_and_writes), 0);
	CHECK_EQ(in_child(forks), 0);
	CHECK_EQ(in_child(arguments), 0);
	CHECK_EQ(in_child(children), 0);
	CHECK_EQ(in_child(too_many), 0);
	CHECK_EQ(in_child(killed_process), 128 + SIGSYS);
	CHECK_EQ(in_child(killed_thread), 128 + SIGSYS);
	CHECK_EQ(in_child(killed_by_no_action), 128 + SIGSYS);
	CHECK_EQ(in_child(killed_at_fork), 128 + SIGSYS);
	return check_done();
}
