/* Looking up who exists fails gracefully where there is no account file.
 *
 * @in chroot
 */
#include <grp.h>
#include <pwd.h>
#include <unistd.h>
#include "check.h"

int main(void)
{
	CHECK(getpwnam("nobody-here") == NULL);
	CHECK(getgrnam("nobody-here") == NULL);
	CHECK(getpwuid(12345) == NULL);
	CHECK(getlogin() == NULL || getlogin()[0]);
	return check_done();
}
