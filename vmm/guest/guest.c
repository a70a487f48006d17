#include "vmm/guest/guest.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/random.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "vmm/guest/jail.h"
#include "vmm/guest/path.h"
#include "vmm/guest/scene.h"

#define SEED_MAX     64
#define DEVICE_DEPTH 4

/* Services that stand in the way of many a program. */
static const char *const decoys[] = {
    "/usr/sbin/clamd", "/usr/sbin/rsyslogd", "/usr/sbin/auditd"};

static const struct {
	const char *type, *dir;
	unsigned long flags;
	const char *options;
} mounts[] = {
    /* A sample doesn't see whom it may not look into: us. */
    {"proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=2,gid=65533"},
    {"sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
    {"devtmpfs", "/dev", MS_NOSUID, NULL},
    {"tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "size=25%"},
    {"tmpfs", "/run", MS_NOSUID | MS_NODEV, "size=25%"},
    {"tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "size=25%,mode=1777"},
};

/* All other devices go: root may open them, and each is a way to the kernel,
 * to the mailbox or to the bell. */
static const char *const devices[] = {"null", "zero", "full", "random",
    "urandom", "tty", "ptmx", "pts", "shm", "fd", "stdin", "stdout", "stderr",
    "input"};

static const char *const keyboards[] = {
    "/dev/input/event0", "/dev/input/event1", "/dev/input/mice"};

/* The kernel may have found no console for us: what we open must not become
 * the standard input or output that a child replaces. */
static void
hold_standard(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd < 2);
	if (fd > 2)
		(void)close(fd);
}

void
guest_mount(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		(void)mkdir(mounts[i].dir, 0755);
		(void)mount(mounts[i].type, mounts[i].dir, mounts[i].type,
		    mounts[i].flags, mounts[i].options);
	}
	(void)mkdir(SCENE_HOME, 0700);
	(void)mkdir(SCENE_DOWNLOADS, 0755);
	hold_standard();
}

static void
set(const char *path, const char *text)
{
	CLEANUP(close_fd)
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);

	if (fd >= 0)
		(void)!write(fd, text, strlen(text));
}

static bool
is_kept(const char *device)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (strcmp(device, devices[i]) == 0)
			return true;
	return false;
}

/* A directory of devices that isn't empty stays, and is nothing by itself. */
static void
remove_devices(const char *path, int depth)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char child[PATH_MAX];

		if (entry->d_name[0] == '.' ||
		    (depth == 0 && is_kept(entry->d_name)))
			continue;
		path_absolute(path, entry->d_name, child);
		if (entry->d_type == DT_DIR && depth < DEVICE_DEPTH)
			remove_devices(child, depth + 1);
		else
			(void)unlink(child);
	}
	if (dir)
		(void)closedir(dir);
}

/* Without exception: of what root may write there without capabilities,
 * much runs a program as the kernel (core_pattern, modprobe) or stops it. */
static void
read_only(const char *path)
{
	(void)mount(NULL, path, NULL,
	    MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
	    NULL);
}

void
guest_close(void)
{
	set("/proc/sys/user/max_user_namespaces", "0");
	set("/proc/sys/kernel/core_pattern", "");
	set("/proc/sys/kernel/modprobe", "");
	/* Where the mailbox lies is nobody's business. */
	set("/run/.cmdline", "quiet\n");
	(void)mount("/run/.cmdline", "/proc/cmdline", NULL, MS_BIND, NULL);
	read_only("/proc/cmdline");
	(void)unlink("/run/.cmdline");
	read_only("/proc");
	read_only("/sys");
	(void)mkdir("/dev/input", 0755);
	remove_devices("/dev", 0);
	/* A keyboard, for those who look for one.  It never says anything, and
	 * whoever opens it doesn't wait, since we hold the other end. */
	for (size_t i = 0; i < ARRAY_SIZE(keyboards); i++) {
		(void)mkfifo(keyboards[i], 0660);
		(void)!chown(keyboards[i], 0, 0);
		(void)open(keyboards[i], O_RDWR | O_CLOEXEC | O_NONBLOCK);
	}
}

void
guest_be_decoy(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(decoys); i++)
		while (strcmp(name, decoys[i]) == 0)
			(void)pause();
}

void
guest_start_decoys(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(decoys); i++) {
		if (link("/init", decoys[i]) < 0 || fork() != 0)
			continue;
		jail_enter();
		jail_drop();
		(void)setsid();
		(void)execl(decoys[i], decoys[i], (char *)NULL);
		_exit(1);
	}
}

void
guest_seed(const unsigned char *seed, size_t n)
{
	CLEANUP(close_fd) int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);
	union {
		struct rand_pool_info info;
		unsigned char octets[sizeof(struct rand_pool_info) + SEED_MAX];
	} pool;

	if (n > SEED_MAX)
		n = SEED_MAX;
	pool.info.entropy_count = (int)n * 8;
	pool.info.buf_size = (int)n;
	memcpy(pool.info.buf, seed, n);
	if (fd >= 0 && ioctl(fd, RNDADDENTROPY, &pool) == 0)
		(void)ioctl(fd, RNDRESEEDCRNG, NULL);
}

void
guest_set_clock(uint64_t wall_nsec)
{
	const struct timespec now = {.tv_sec = (time_t)(wall_nsec / 1000000000),
	    .tv_nsec = (long)(wall_nsec % 1000000000)};

	if (wall_nsec > 0)
		(void)clock_settime(CLOCK_REALTIME, &now);
}
