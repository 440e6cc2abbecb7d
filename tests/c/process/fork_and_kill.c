/* A process that forks while its group is sent a signal: whoever is in the group gets it once, a child made before
   the parent took it as well; and a child that is killed with its parent does not come to be. */
#include <poll.h>
#include "../process.h"

enum { ROUNDS = 150, MOST = 40 };

static volatile sig_atomic_t handled;

static void on_signal(int number)
{
	(void)number;
	handled++;
}

/* Waits for the signal if it has not come; a status of 0 says that it came once. */
static int once(void)
{
	for (int i = 0; i < 50000 && handled == 0; i++)
		usleep(200);
	usleep(500);
	return handled == 1 ? 0 : handled == 0 ? 1 : 2;
}

static unsigned int chance(void)
{
	static unsigned int state = 12345;
	state = state * 1103515245 + 12345;
	return state >> 16;
}

/* Forks until the signal has come; the sum of what its children say, and it. */
static int forks_until_told(void)
{
	int status, result = 0, made = 0;
	while (handled == 0 && made < MOST) {
		pid_t child = fork();
		if (child == 0)
			_exit(once());
		CHECK(child > 0);
		made++;
	}
	result |= once();
	while (made-- > 0) {
		if (wait(&status) < 0 || !WIFEXITED(status))
			return 4;
		result |= WEXITSTATUS(status);
	}
	return result;
}

static void told_once(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	CHECK_OK(sigaction(SIGTERM, &action, NULL));
	for (int i = 0; i < ROUNDS; i++) {
		int status;
		pid_t child;
		handled = 0;
		child = fork();
		if (child == 0) {
			setpgid(0, 0);
			_exit(forks_until_told());
		}
		setpgid(child, child);
		usleep(chance() % 2500);
		CHECK_OK(kill(-child, SIGTERM));
		CHECK_EQ(waitpid(child, &status, 0), child);
		CHECK_EQ(status, 0);
	}
}

/* Nobody of the group is left to hold the pipe. */
static void all_killed(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		int status, ends[2];
		pid_t child;
		CHECK_OK(pipe(ends));
		child = fork();
		if (child == 0) {
			setpgid(0, 0);
			close(ends[0]);
			for (int made = 0; made < MOST; made++) {
				if (fork() == 0)
					break;
			}
			for (;;)
				pause();
		}
		setpgid(child, child);
		close(ends[1]);
		usleep(chance() % 2500);
		CHECK_OK(kill(-child, SIGKILL));
		CHECK_EQ(waitpid(child, &status, 0), child);
		CHECK_EQ(status, SIGKILL);
		struct pollfd end = { .fd = ends[0], .events = POLLIN };
		CHECK_EQ(poll(&end, 1, 5000), 1);
		CHECK(end.revents & POLLHUP);
		close(ends[0]);
	}
}

int main(void)
{
	told_once();
	all_killed();
	return check_done();
}
