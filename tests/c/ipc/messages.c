/* Message queues: kinds, limits, waiting for messages and for room, status.
 */
#include <sys/msg.h>
#include "ipc.h"

struct message {
	long kind;
	char text[8193];
};

static int id;

static int send_text(long kind, const char *text, int flags)
{
	struct message message = { .kind = kind };
	strcpy(message.text, text);
	return msgsnd(id, &message, strlen(text) + 1, flags);
}

/* The text of the message that is received. */
static const char *receive(long kind, int flags)
{
	static struct message message;
	memset(&message, 0, sizeof message);
	ssize_t n = msgrcv(id, &message, sizeof message.text, kind, flags | IPC_NOWAIT);
	return n < 0 ? strerrorname_np(errno) : message.text;
}

static void keys(void)
{
	key_t key = 0x3e55 ^ getpid() << 8;
	CHECK_ERRNO(msgget(key, 0), ENOENT);
	int made = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
	CHECK_OK(made);
	CHECK_EQ(msgget(key, 0), made);
	CHECK_ERRNO(msgget(key, IPC_CREAT | IPC_EXCL), EEXIST);
	CHECK_OK(msgctl(made, IPC_RMID, NULL));
	CHECK_ERRNO(msgctl(made, IPC_RMID, NULL), EINVAL);
	CHECK_ERRNO(msgget(key, 0), ENOENT);
}

static void kinds(void)
{
	CHECK_STR(receive(0, 0), "ENOMSG");
	CHECK_OK(send_text(3, "three", 0));
	CHECK_OK(send_text(1, "one", 0));
	CHECK_OK(send_text(2, "two", 0));
	CHECK_OK(send_text(1, "one again", 0));
	CHECK_OK(send_text(7, "seven", 0));
	CHECK_STR(receive(5, 0), "ENOMSG");
	CHECK_STR(receive(2, 0), "two");
	CHECK_STR(receive(-2, 0), "one");
	CHECK_STR(receive(3, MSG_EXCEPT), "one again");
	CHECK_STR(receive(-2, 0), "ENOMSG");
	CHECK_STR(receive(2, MSG_COPY), "ENOMSG");
	CHECK_STR(receive(1, MSG_COPY), "seven");
	CHECK_STR(receive(-9, 0), "three");
	CHECK_STR(receive(0, 0), "seven");
	CHECK_STR(receive(0, 0), "ENOMSG");
	struct message message;
	CHECK_ERRNO(msgrcv(id, &message, 8, 0, MSG_COPY), EINVAL);
	CHECK_ERRNO(msgrcv(id, &message, 8, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT), EINVAL);
}

static void sizes(void)
{
	struct message message = { .kind = 1 };
	CHECK_OK(msgsnd(id, &message, 0, 0));
	CHECK_EQ(msgrcv(id, &message, 0, 0, 0), 0);
	CHECK_OK(msgsnd(id, &message, 8192, 0));
	CHECK_ERRNO(msgrcv(id, &message, 8191, 0, 0), E2BIG);
	CHECK_EQ(msgrcv(id, &message, 8193, 0, 0), 8192);
	CHECK_ERRNO(msgsnd(id, &message, 8193, 0), EINVAL);
	CHECK_ERRNO(msgsnd(id, &message, -1, 0), EINVAL);
	message.kind = 0;
	CHECK_ERRNO(msgsnd(id, &message, 1, 0), EINVAL);
	message.kind = -1;
	CHECK_ERRNO(msgsnd(id, &message, 1, 0), EINVAL);
	CHECK_ERRNO(msgsnd(-1, &message, 1, 0), EINVAL);
	CHECK_ERRNO(msgrcv(-1, &message, 1, 0, 0), EINVAL);
	CHECK_ERRNO(msgrcv(id, &message, -1, 0, IPC_NOWAIT), EINVAL);
	CHECK_ERRNO(msgsnd(id, (void *)8, 1, 0), EFAULT);

	CHECK_OK(send_text(1, "a long text", 0));
	memset(&message, 'x', sizeof message);
	CHECK_EQ(msgrcv(id, &message, 6, 0, MSG_NOERROR), 6);
	CHECK(memcmp(message.text, "a long" "x", 7) == 0);

	/* As many bytes, and as many messages, as MSGMNB. */
	message.kind = 1;
	CHECK_OK(msgsnd(id, &message, 8192, 0));
	CHECK_OK(msgsnd(id, &message, 8191, 0));
	CHECK_ERRNO(msgsnd(id, &message, 2, IPC_NOWAIT), EAGAIN);
	CHECK_OK(msgsnd(id, &message, 1, IPC_NOWAIT));
	CHECK_ERRNO(msgsnd(id, &message, 1, IPC_NOWAIT), EAGAIN);
	CHECK_OK(msgsnd(id, &message, 0, IPC_NOWAIT));
	while (msgrcv(id, &message, 8192, 0, IPC_NOWAIT) >= 0)
		;
	CHECK_EQ(errno, ENOMSG);
}

static void status(void)
{
	struct msqid_ds ds;
	time_t now = time(NULL);
	int other = msgget(IPC_PRIVATE, 0620);
	CHECK_OK(msgctl(other, IPC_STAT, &ds));
	CHECK_EQ(ds.msg_perm.mode, 0620);
	CHECK_EQ(ds.msg_perm.uid, geteuid());
	CHECK_EQ(ds.msg_qnum, 0);
	CHECK_EQ(ds.msg_qbytes, 16384);
	CHECK_EQ(ds.msg_lspid, 0);
	CHECK_EQ(ds.msg_stime, 0);
	CHECK(ds.msg_ctime >= now - 1 && ds.msg_ctime <= now + 5);
	struct message message = { .kind = 5 };
	CHECK_OK(msgsnd(other, &message, 100, 0));
	CHECK_OK(msgsnd(other, &message, 50, 0));
	CHECK_OK(msgctl(other, IPC_STAT, &ds));
	CHECK_EQ(ds.msg_qnum, 2);
	CHECK_EQ(ds.__msg_cbytes, 150);
	CHECK_EQ(ds.msg_lspid, getpid());
	CHECK_EQ(ds.msg_lrpid, 0);
	CHECK(ds.msg_stime >= now - 1 && ds.msg_stime <= now + 5);
	CHECK_EQ(msgrcv(other, &message, 100, 0, 0), 100);
	CHECK_OK(msgctl(other, IPC_STAT, &ds));
	CHECK_EQ(ds.msg_lrpid, getpid());
	CHECK_EQ(ds.__msg_cbytes, 50);
	CHECK(ds.msg_rtime >= now - 1);

	struct msginfo info;
	int greatest = msgctl(0, MSG_INFO, (struct msqid_ds *)&info);
	CHECK_OK(greatest);
	CHECK(info.msgpool >= 2 && info.msgmap >= 1 && info.msgtql >= 50);
	CHECK_OK(msgctl(0, IPC_INFO, (struct msqid_ds *)&info));
	CHECK_EQ(info.msgmax, 8192);
	CHECK_EQ(info.msgmnb, 16384);
	CHECK_EQ(info.msgmni, 32000);
	int found = 0;
	for (int place = 0; place <= greatest; place++)
		found += msgctl(place, MSG_STAT, &ds) == other && ds.msg_qnum == 1;
	CHECK_EQ(found, 1);

	CHECK_OK(msgctl(other, IPC_STAT, &ds));
	ds.msg_qbytes = 16385;
	CHECK_ERRNO(msgctl(other, IPC_SET, &ds), EPERM);
	ds.msg_qbytes = 60;
	ds.msg_perm.mode = 0600;
	CHECK_OK(msgctl(other, IPC_SET, &ds));
	CHECK_ERRNO(msgsnd(other, &message, 11, IPC_NOWAIT), EAGAIN);
	CHECK_OK(msgsnd(other, &message, 10, IPC_NOWAIT));
	ds.msg_perm.mode = 0400;
	CHECK_OK(msgctl(other, IPC_SET, &ds));
	CHECK_ERRNO(msgsnd(other, &message, 0, IPC_NOWAIT), EACCES);
	ds.msg_perm.mode = 0200;
	CHECK_OK(msgctl(other, IPC_SET, &ds));
	CHECK_ERRNO(msgrcv(other, &message, 100, 0, IPC_NOWAIT), EACCES);
	CHECK_ERRNO(msgctl(other, IPC_STAT, &ds), EACCES);
	CHECK_ERRNO(msgctl(other, 99, &ds), EINVAL);
	CHECK_OK(msgctl(other, IPC_RMID, NULL));
}

static void nothing(int signo)
{
	(void)signo;
}

static struct msqid_ds state(void)
{
	struct msqid_ds ds;
	CHECK_OK(msgctl(id, IPC_STAT, &ds));
	return ds;
}

static void waiting(void)
{
	/* For a message of its kind. */
	pid_t pid = start();
	if (pid == 0) {
		struct message message;
		CHECK_EQ(msgrcv(id, &message, 100, 4, 0), 5);
		CHECK_STR(message.text, "four");
		CHECK_EQ(msgrcv(id, &message, 100, -6, 0), 4);
		CHECK_EQ(message.kind, 6);
		finish();
	}
	sleep_ms(50);
	CHECK_OK(send_text(7, "seven", 0));
	CHECK_OK(send_text(4, "four", 0));
	sleep_ms(20);
	CHECK_OK(send_text(6, "six", 0));
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(state().msg_lrpid, pid);
	CHECK_STR(receive(0, 0), "seven");

	/* For room. */
	struct message message = { .kind = 1 };
	CHECK_OK(msgsnd(id, &message, 8192, 0));
	CHECK_OK(msgsnd(id, &message, 8192, 0));
	pid = start();
	if (pid == 0) {
		message.kind = 2;
		CHECK_OK(msgsnd(id, &message, 8000, 0));
		CHECK_OK(msgsnd(id, &message, 8000, 0));
		finish();
	}
	sleep_ms(50);
	CHECK_EQ(state().msg_qnum, 2);
	for (int kind = 1; kind <= 2; kind++)
		for (int i = 0; i < 2; i++) {
			CHECK(msgrcv(id, &message, 8192, 0, 0) >= 8000);
			CHECK_EQ(message.kind, kind);
		}
	CHECK_EQ(ended(pid), 0);

	/* Handlers end both waits, SA_RESTART or not. */
	struct gate ready = gate(), next = gate();
	handle(SIGUSR1, nothing, SA_RESTART);
	pid = start();
	if (pid == 0) {
		CHECK_ERRNO(msgrcv(id, &message, 100, 0, 0), EINTR);
		gate_open(&next);
		CHECK_OK(msgsnd(id, &message, 8192, 0));
		CHECK_OK(msgsnd(id, &message, 8192, 0));
		CHECK_ERRNO(msgsnd(id, &message, 1, 0), EINTR);
		gate_open(&next);
		finish();
	}
	signal_until(pid, SIGUSR1, &next);
	signal_until(pid, SIGUSR1, &next);
	CHECK_EQ(ended(pid), 0);
	CHECK_EQ(state().msg_qnum, 2);

	/* The end of the queue, too. */
	pid_t sender = start();
	if (sender == 0) {
		gate_open(&ready);
		CHECK_ERRNO(msgsnd(id, &message, 1, 0), EIDRM);
		finish();
	}
	pid_t receiver = start();
	if (receiver == 0) {
		gate_open(&ready);
		CHECK_ERRNO(msgrcv(id, &message, 100, 99, 0), EIDRM);
		CHECK_ERRNO(msgrcv(id, &message, 100, 99, 0), EINVAL);
		finish();
	}
	gate_wait(&ready);
	gate_wait(&ready);
	sleep_ms(500);
	CHECK_OK(msgctl(id, IPC_RMID, NULL));
	CHECK_EQ(ended(sender), 0);
	CHECK_EQ(ended(receiver), 0);
}

/* A message that is too long for who waits: that one is told, the next gets it. */
static void too_long(void)
{
	id = msgget(IPC_PRIVATE, 0600);
	pid_t small = start();
	if (small == 0) {
		struct message message;
		CHECK_ERRNO(msgrcv(id, &message, 2, 0, 0), E2BIG);
		finish();
	}
	sleep_ms(50);
	CHECK_OK(send_text(1, "too long", 0));
	CHECK_EQ(ended(small), 0);
	CHECK_STR(receive(0, 0), "too long");
	CHECK_OK(msgctl(id, IPC_RMID, NULL));
}

int main(void)
{
	as_nobody();
	keys();
	id = msgget(IPC_PRIVATE, 0600);
	CHECK_OK(id);
	kinds();
	sizes();
	status();
	waiting();
	too_long();
	return check_done();
}
