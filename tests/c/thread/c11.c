/* C11 threads: thrd, mtx, cnd, tss, call_once, _Thread_local, atomics. */
#include <stdatomic.h>
#include <threads.h>
#include "check.h"

static mtx_t lock;
static cnd_t changed;
static tss_t key;
static once_flag flag = ONCE_FLAG_INIT;
static _Thread_local int local = 4;
static atomic_int counter, onces, dtors;
static _Atomic long long wide;
static int plain, ready;

static void once(void)
{
	onces++;
}

static void dtor(void *value)
{
	(void)value;
	dtors++;
}

static int work(void *argument)
{
	call_once(&flag, once);
	CHECK_EQ(tss_set(key, &key), thrd_success);
	CHECK(tss_get(key) == &key);
	CHECK_EQ(local, 4);
	for (int i = 0; i < 1000; i++) {
		atomic_fetch_add(&counter, 1);
		wide += 0x100000001LL;
		mtx_lock(&lock);
		plain++;
		mtx_unlock(&lock);
	}
	local = 5;
	mtx_lock(&lock);
	ready++;
	cnd_signal(&changed);
	mtx_unlock(&lock);
	if (argument)
		thrd_exit(-3);
	return 1000;
}

int main(void)
{
	thrd_t threads[6];
	int result;
	struct timespec past = { 1, 0 };
	CHECK_EQ(mtx_init(&lock, mtx_timed | mtx_recursive), thrd_success);
	CHECK_EQ(cnd_init(&changed), thrd_success);
	CHECK_EQ(tss_create(&key, dtor), thrd_success);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(thrd_create(&threads[i], work, i % 2 ? &lock : NULL), thrd_success);
	mtx_lock(&lock);
	while (ready < 6)
		CHECK_EQ(cnd_wait(&changed, &lock), thrd_success);
	CHECK_EQ(mtx_trylock(&lock), thrd_success);
	mtx_unlock(&lock);
	CHECK_EQ(cnd_timedwait(&changed, &lock, &past), thrd_timedout);
	mtx_unlock(&lock);
	for (int i = 0; i < 6; i++) {
		CHECK_EQ(thrd_join(threads[i], &result), thrd_success);
		CHECK_EQ(result, i % 2 ? -3 : 1000);
	}
	CHECK_EQ(counter, 6000);
	CHECK_EQ(plain, 6000);
	CHECK(wide == 6000 * 0x100000001LL);
	CHECK_EQ(onces, 1);
	CHECK_EQ(dtors, 6);
	CHECK_EQ(local, 4);
	CHECK(thrd_equal(thrd_current(), thrd_current()));
	thrd_yield();
	CHECK_EQ(thrd_sleep(&(struct timespec){ 0, 1000 }, NULL), 0);
	tss_delete(key);
	cnd_destroy(&changed);
	mtx_lock(&lock);
	mtx_unlock(&lock);
	return check_done();
}
