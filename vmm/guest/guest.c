#include "vmm/guest/guest.h"

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
#include "vmm/guest/scene.h"

#define SEED_MAX 64

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

/* Root may open these whatever it lacks; each is a way to us or to a panic. */
static const char *const devices[] = {"/dev/mem", "/dev/port", "/dev/kmsg",
    "/dev/ttyS0", "/dev/ttyS1", "/dev/ttyS2", "/dev/ttyS3", "/dev/console",
    "/dev/kvm", "/dev/vhost-net", "/dev/loop-control"};

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
}

static void
set(const char *path, const char *text)
{
	CLEANUP(close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, text, strlen(text));
}

static void
read_only(const char *path)
{
	(void)mount(path, path, NULL, MS_BIND, NULL);
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
	read_only("/proc/sys");
	read_only("/proc/sysrq-trigger");
	read_only("/sys");
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		(void)unlink(devices[i]);
	/* A keyboard, for those who look for one: it never says anything. */
	(void)mkdir("/dev/input", 0755);
	(void)mkfifo("/dev/input/event0", 0660);
	(void)mkfifo("/dev/input/mice", 0660);
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
	struct {
		struct rand_pool_info info;
		unsigned char octets[SEED_MAX];
	} pool;

	if (n > SEED_MAX)
		n = SEED_MAX;
	pool.info.entropy_count = (int)n * 8;
	pool.info.buf_size = (int)n;
	memcpy(&pool.octets, seed, n);
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
