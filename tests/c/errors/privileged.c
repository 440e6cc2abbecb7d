/* Calls that need a capability: without one EPERM, before anything else is looked at. Those for modules may be absent natively.
 *
 * @cflags -w
 */
#include <sys/syscall.h>
#include "errors.h"

#define DENIED(call, ...) CHECK_ERRNO(syscall(SYS_##call, __VA_ARGS__), EPERM)

int main(void)
{
	drop_privileges();
	DENIED(chroot, "/");
	DENIED(mount, "none", "/", "tmpfs", 0, NULL);
	DENIED(umount2, "/", 0);
	DENIED(pivot_root, "/", "/");
	DENIED(fsopen, "tmpfs", 0);
	DENIED(fspick, AT_FDCWD, "/", 0);
	DENIED(fsmount, 0, 0, 0);
	DENIED(move_mount, AT_FDCWD, "/", AT_FDCWD, "/", 0);
	DENIED(acct, NULL);
	DENIED(fanotify_init, 0, O_RDONLY);
	DENIED(vhangup, 0);
	DENIED(syslog, 5, NULL, 0);
	DENIED(reboot, 0, 0, 0, NULL);
	DENIED(swapon, "/", 0);
	DENIED(swapoff, "/");
	DENIED(sethostname, "other", 5);
	DENIED(setdomainname, "other", 5);
	return check_done();
}
