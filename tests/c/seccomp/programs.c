/* Programs of classic BPF that nobody has written: which of them seccomp(2) takes, and what they say about calls. What
 * is expected is what Linux says.
 */
#include <stdint.h>
#include <sys/mman.h>
#include "filter.h"

#define PROGRAMS 200
#define CALLS 4

static uint64_t state = 88172645463325252ull;

static uint32_t any(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % below;
}

static uint32_t word(void)
{
	static const uint32_t edges[] = { 0, 1, 2, 31, 32, 0x7fffffff, 0x80000000, 0xffffffff };
	return any(3) == 0 ? edges[any(LENGTH(edges))] : any(2) ? any(100) : any(0xffffffff);
}

/* An instruction at a place with so many ones after it. */
static struct sock_filter instruction(unsigned rest, unsigned cells)
{
	static const uint16_t operations[] = {
		BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR, BPF_AND, BPF_LSH, BPF_RSH, BPF_XOR,
	};
	static const uint16_t tests[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };
	uint16_t source = any(2) ? BPF_K : BPF_X;
	unsigned near = rest < 8 ? rest : 8;
	switch (any(64) == 0 ? 99 : any(12)) {
	case 0:
	case 1:
		return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16 + 8 * any(6));
	case 2:
		return (struct sock_filter)BPF_STMT(any(2) ? BPF_LD | BPF_IMM : BPF_LDX | BPF_IMM, word());
	case 3:
		return (struct sock_filter)BPF_STMT(any(2) ? BPF_ST : BPF_STX, any(cells));
	case 4:
		return (struct sock_filter)BPF_STMT(any(2) ? BPF_LD | BPF_MEM : BPF_LDX | BPF_MEM, any(cells));
	case 5:
		return (struct sock_filter)BPF_STMT(any(2) ? BPF_MISC | BPF_TAX : BPF_MISC | BPF_TXA, 0);
	case 6:
		return (struct sock_filter)BPF_STMT(any(2) ? BPF_ALU | BPF_NEG : BPF_LD | BPF_W | BPF_LEN, 0);
	case 7:
	case 8:
		return (struct sock_filter)BPF_JUMP(BPF_JMP | tests[any(LENGTH(tests))] | source, word(),
						   any(near + 1), any(near + 1));
	case 99:
		return (struct sock_filter)BPF_JUMP(any(0x100), any(70), any(rest + 2), any(rest + 2));
	default: {
		uint16_t operation = operations[any(LENGTH(operations))];
		uint32_t k = operation == BPF_LSH || operation == BPF_RSH ? any(34) : word();
		return (struct sock_filter)BPF_STMT(BPF_ALU | operation | source, k);
	}
	}
}

/* Twelve bits of what is calculated come back as an error number. */
static unsigned program(struct sock_filter *filter)
{
	unsigned length = 0, body = 1 + any(30), cells = any(4) ? 2 : 17;
	filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NUMBER);
	filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0);
	filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	/* Numbers of calls differ between machines. */
	filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, word());
	for (unsigned cell = 0; cell < 2; cell++)
		filter[length++] = (struct sock_filter)BPF_STMT(BPF_ST, cell);
	for (unsigned i = 0; i < body; i++)
		filter[length++] = instruction(body - i, cells);
	filter[length++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, any(2) ? 0 : any(32));
	filter[length++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xfff);
	filter[length++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO);
	filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
	return length;
}

struct result {
	int installed, calls[CALLS];
};

static void run(struct sock_filter *filter, unsigned length, uint32_t (*arguments)[6], struct result *result)
{
	give_up_privileges();
	result->installed = install(filter, length, 0) < 0 ? errno : 0;
	for (int i = 0; i < CALLS && result->installed == 0; i++) {
		uint32_t *a = arguments[i];
		errno = 0;
		long got = syscall(SYS_getppid, (unsigned long)a[0], (unsigned long)a[1], (unsigned long)a[2],
				   (unsigned long)a[3], (unsigned long)a[4], (unsigned long)a[5]);
		result->calls[i] = got < 0 ? errno : got == 0 ? 0 : -1;
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (!is_usable())
		return check_done();
	struct result *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(result != MAP_FAILED);
	uint32_t digest = 2166136261u;
	int taken = 0, killed = 0;
	for (int i = 0; i < PROGRAMS; i++) {
		struct sock_filter filter[64];
		uint32_t arguments[CALLS][6];
		unsigned length = program(filter);
		for (int j = 0; j < CALLS; j++)
			for (int k = 0; k < 6; k++)
				arguments[j][k] = word();
		memset(result, 0, sizeof(*result));
		pid_t pid = start();
		if (pid == 0)
			run(filter, length, arguments, result);
		int end = ended(pid);
		taken += result->installed == 0;
		killed += end != 0;
		uint32_t all[2 + CALLS] = { end, result->installed };
		memcpy(all + 2, result->calls, sizeof(result->calls));
		for (size_t j = 0; j < LENGTH(all); j++)
			digest = (digest ^ all[j]) * 16777619u;
		if (argc > 1)
			printf("%d: %d %d: %d %d %d %d\n", i, end, result->installed, result->calls[0],
			       result->calls[1], result->calls[2], result->calls[3]);
	}
	if (argc > 1)
		printf("%d %d %#x\n", taken, killed, digest);
	CHECK_EQ(taken, 131);
	CHECK_EQ(killed, 11);
	CHECK_EQ(digest, 2594059072u);
	return check_done();
}
