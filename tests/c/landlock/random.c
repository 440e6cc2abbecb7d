/* Random rulesets, and random calls below them: what each call answers is printed, so that both kernels can be compared.
 *
 * @in scratch
 * @host landlock
 */
#include "landlock.h"

static uint64_t state;

static unsigned pick(unsigned below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 33) % below;
}

static const char *const names[] = {
	"a", "a/b", "a/b/c", "a/f", "a/b/f", "a/b/c/f", "d", "d/e", "d/f", "d/e/f", "f", "g", "a/new", "a/b/new", "d/new", "new",
	"d/e/new", "l", "a/l", "a/e", "d/e/l", ".",
};

enum { NAMES = sizeof names / sizeof *names, ROUNDS = 200, CALLS = 50, RIGHTS = (1 << 15) - 1, OF_FILES = 0x4007 };

static const char *name(void)
{
	return names[pick(NAMES)];
}

static void fill(void)
{
	static const char *const dirs[] = { "a", "a/b", "a/b/c", "a/e", "d", "d/e" };
	static const char *const files[] = { "a/f", "a/b/f", "a/b/c/f", "d/f", "d/e/f", "f", "g" };
	for (unsigned i = 0; i < sizeof dirs / sizeof *dirs; i++)
		CHECK_OK(mkdir(dirs[i], 0755));
	for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
		make_file(files[i]);
	CHECK_OK(symlink("a/b", "l"));
	CHECK_OK(symlink("../d/f", "a/l"));
	CHECK_OK(symlink("../../f", "d/e/l"));
}

/* Most of the rights, so that some calls go through. */
static uint64_t rights(void)
{
	uint64_t all = 0;
	for (int i = 0; i < 3; i++)
		all |= (uint64_t)pick(RIGHTS + 1);
	return all;
}

static void restrict_at_random(void)
{
	for (unsigned layer = 0, layers = 1 + pick(2); layer < layers; layer++) {
		uint64_t handled = rights();
		if (pick(3))
			handled |= REFER;
		int ruleset = create(handled, 0);
		for (unsigned rule = 0, rules = 1 + pick(7); rule < rules; rule++) {
			const char *path = name();
			struct stat about;
			uint64_t allowed = rights() & handled;
			if (stat(path, &about) == 0 && !S_ISDIR(about.st_mode))
				allowed &= OF_FILES;
			printf(" %s:%d", path, allow(ruleset, path, allowed) ? errno : 0);
		}
		restrict_by(ruleset);
	}
	puts("");
}

static int call(void)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR, O_PATH };
	static const int more[] = { 0, 0, O_TRUNC, O_CREAT, O_CREAT | O_EXCL, O_CREAT | O_TRUNC, O_DIRECTORY, O_NOFOLLOW };
	const char *from = name(), *to = name();
	int fd, result, mode, kind = pick(11);
	printf(" %d(%s,%s)=", kind, from, to);
	switch (kind) {
	case 0: return mkdir(from, 0755);
	case 1: return mkfifo(from, 0644);
	case 2: return symlink("f", from);
	case 3: return unlink(from);
	case 4: return rmdir(from);
	case 5: return rename(from, to);
	case 6: return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1 + pick(2));
	case 7: return linkat(AT_FDCWD, from, AT_FDCWD, to, pick(2) ? AT_SYMLINK_FOLLOW : 0);
	case 8: return truncate(from, 3);
	case 9: return mknod(from, S_IFREG | 0644, 0);
	default:
		/* A fifo must not be waited for. */
		mode = modes[pick(4)] | more[pick(8)];
		printf("%o:", mode);
		fd = open(from, mode | O_NONBLOCK, 0644);
		if (fd < 0)
			return -1;
		errno = 0;
		result = ftruncate(fd, 2);
		close(fd);
		return result;
	}
}

static void around(void)
{
	fill();
	restrict_at_random();
	for (int i = 0; i < CALLS; i++) {
		errno = 0;
		int result = call();
		printf("%s", result < 0 ? strerrorname_np(errno) : "ok");
	}
	puts("");
}

int main(void)
{
	umask(022);
	for (int i = 0; i < ROUNDS; i++) {
		char dir[16];
		snprintf(dir, sizeof dir, "%d", i);
		CHECK_OK(mkdir(dir, 0755));
		CHECK_OK(chdir(dir));
		state = 88172645463325252u * (i + 1);
		in_child(around);
		CHECK_OK(chdir(".."));
	}
	return check_done();
}
