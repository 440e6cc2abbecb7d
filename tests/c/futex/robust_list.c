/* The robust list by hand: at a thread's end its words get FUTEX_OWNER_DIED and one waiter is woken. */
#include <stddef.h>
#include "futex.h"

struct entry {
	struct robust_list list;
	word lock;
};

static struct {
	struct robust_list_head head;
	struct entry entries[4];
} *shared;

static void dies(void)
{
	struct robust_list_head *head = &shared->head;
	head->list.next = &shared->entries[0].list;
	head->futex_offset = offsetof(struct entry, lock);
	head->list_op_pending = &shared->entries[3].list;
	for (int i = 0; i < 3; i++)
		shared->entries[i].list.next = i < 2 ? &shared->entries[i + 1].list : &head->list;
	CHECK_OK(syscall(SYS_set_robust_list, head, sizeof *head));
	for (int i = 0; i < 4; i++)
		shared->entries[i].lock = (uint32_t)gettid() | (i == 1 ? FUTEX_WAITERS : 0);
	/* Not ours, though in the list. */
	shared->entries[2].lock = 1;
}

static void quietly(void)
{
	dies();
	_exit(check_failures);
}

int main(void)
{
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK_EQ(in_child(quietly), 0);
	CHECK_EQ(shared->entries[0].lock, FUTEX_OWNER_DIED);
	CHECK_EQ(shared->entries[1].lock, FUTEX_OWNER_DIED | FUTEX_WAITERS);
	CHECK_EQ(shared->entries[2].lock, 1);
	CHECK_EQ(shared->entries[3].lock, FUTEX_OWNER_DIED);

	/* Killed; and somebody waits. */
	struct gate ready = gate();
	pid_t pid = start();
	if (pid == 0) {
		dies();
		gate_open(&ready);
		pause();
	}
	gate_wait(&ready);
	pid_t waiter = start();
	if (waiter == 0) {
		uint32_t seen;
		gate_open(&ready);
		while (!((seen = shared->entries[1].lock) & FUTEX_OWNER_DIED))
			futex(&shared->entries[1].lock, FUTEX_WAIT, seen, NULL, NULL, 0);
		finish();
	}
	gate_wait(&ready);
	usleep(2000);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ended(pid), 137);
	CHECK_EQ(ended(waiter), 0);

	/* Lists that lead nowhere or round in a circle do no harm. */
	pid = start();
	if (pid == 0) {
		dies();
		shared->entries[1].list.next = (struct robust_list *)16;
		_exit(0);
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(shared->entries[0].lock, FUTEX_OWNER_DIED);
	pid = start();
	if (pid == 0) {
		dies();
		shared->entries[1].list.next = &shared->entries[0].list;
		_exit(0);
	}
	CHECK_EQ(ended(pid), 0);
	CHECK_ERRNO(syscall(SYS_set_robust_list, &shared->head, (size_t)3), EINVAL);
	struct robust_list_head *head;
	size_t length;
	CHECK_OK(syscall(SYS_get_robust_list, 0, &head, &length));
	CHECK_EQ(length, sizeof *head);
	CHECK_ERRNO(syscall(SYS_get_robust_list, 0x3ffffff, &head, &length), ESRCH);
	return check_done();
}
