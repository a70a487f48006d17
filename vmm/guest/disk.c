#include "vmm/guest/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"

#define MODULES    "/modules"
#define DISK       "/dev/vda"
#define TRIES      300
#define PAUSE_NSEC 10000000 /* between them */
/* Of the guest's memory: what samples write is bounded by their jail. */
#define OVER_SIZE "size=60%"
/* And of it, where all of the root lies in it: Linux' half may be no more than
 * what is there. */
#define ROOT_SIZE "size=80%"
/* A file there can be found again by its handle, which is what fanotify
 * tells. */
#define OVERLAY \
	"lowerdir=/disk,upperdir=/over/upper,workdir=/over/work," \
	"index=on,nfs_export=on"

static int
load(const char *name)
{
	CLEANUP(close_fd) int fd = -1;
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), MODULES "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

static int
load_all(FILE *order)
{
	char name[NAME_MAX + 1];
	int r = 0;

	while (r == 0 && fgets(name, sizeof(name), order)) {
		name[strcspn(name, "\n")] = '\0';
		if (name[0])
			r = load(name);
	}
	return r;
}

static int
mount_disk(void)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NSEC};

	for (int i = 0; i < TRIES && access(DISK, F_OK) < 0; i++)
		(void)nanosleep(&pause, NULL);
	(void)mkdir("/disk", 0755);
	(void)mkdir("/over", 0755);
	(void)mkdir("/new", 0755);
	if (mount(DISK, "/disk", "ext4", MS_RDONLY | MS_NOATIME, NULL) < 0 ||
	    mount("over", "/over", "tmpfs", MS_NOATIME, OVER_SIZE) < 0 ||
	    mkdir("/over/upper", 0755) < 0 || mkdir("/over/work", 0755) < 0 ||
	    mount("root", "/new", "overlay", MS_NOATIME, OVERLAY) < 0)
		return -errno;
	return 0;
}

static int
bring_init(void)
{
	CLEANUP(close_fd) int from = open("/init", O_RDONLY | O_CLOEXEC);
	CLEANUP(close_fd)
	int to =
	    open("/new/init", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	struct stat st;

	if (from < 0 || to < 0 || fstat(from, &st) < 0)
		return -errno;
	for (off_t left = st.st_size; left > 0;) {
		const ssize_t n = sendfile(to, from, NULL, (size_t)left);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		left -= n;
	}
	return 0;
}

int
disk_enter(void)
{
	FILE *order = fopen(MODULES "/order", "re");
	int r;

	if (!order) {
		(void)mount(NULL, "/", NULL, MS_REMOUNT, ROOT_SIZE);
		return 0;
	}
	(void)mkdir("/dev", 0755);
	(void)mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, NULL);
	r = load_all(order);
	(void)fclose(order);
	if (r == 0)
		r = mount_disk();
	(void)umount2("/dev", MNT_DETACH);
	if (r == 0)
		r = bring_init();
	if (r < 0)
		return r;
	if (chdir("/new") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 ||
	    chroot(".") < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}
