/* A parent that waits for a child, which ends by a signal; and a signal that is handled. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void handle(int signal)
{
    (void)signal;
}

int main(void)
{
    pid_t child = fork();
    if (child == 0) {
        usleep(300000);
        raise(SIGTERM);
    }
    int status;
    wait4(child, &status, 0, NULL);
    signal(SIGUSR1, handle);
    raise(SIGUSR1);
    return 0;
}
