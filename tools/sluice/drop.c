#include "tools/sluice/drop.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

int
drop_to_user(const char *user)
{
	pid_t parent = getppid();
	struct passwd *pw;
	int death_signal = 0;

	if (geteuid() != 0)
		return 0;
	pw = getpwnam(user);
	if (!pw)
		return -ENOENT;
	(void)prctl(PR_GET_PDEATHSIG, &death_signal);
	if (initgroups(user, pw->pw_gid) < 0 || setgid(pw->pw_gid) < 0 ||
	    setuid(pw->pw_uid) < 0)
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (death_signal == 0)
		return 0;
	(void)prctl(PR_SET_PDEATHSIG, death_signal);
	return getppid() == parent ? 0 : -ECHILD;
}
