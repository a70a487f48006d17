#include "queues/probe_priv.h"

#include "common/cleanup.h"
#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

/* Kinds that linux/magic.h does not name in Debian 12. */
#define MAGIC_LUSTRE UINT32_C(0x0bd00bd0)
#define MAGIC_GPFS   UINT32_C(0x47504653)
#define MAGIC_BEEGFS UINT32_C(0x19830326)
#define MAGIC_GFS2   UINT32_C(0x01161970)
#define MAGIC_VBOXSF UINT32_C(0x786f4256)
#define MAGIC_NTFS3  UINT32_C(0x7366746e)
#define MAGIC_EXFAT  UINT32_C(0x2011bab0)

static const struct {
	uint32_t magic;
	const char *name;
} refused[] = {
    {NFS_SUPER_MAGIC, "NFS"},
    {SMB_SUPER_MAGIC, "SMB"},
    {CIFS_SUPER_MAGIC, "CIFS"},
    {SMB2_SUPER_MAGIC, "SMB"},
    {FUSE_SUPER_MAGIC, "FUSE"},
    {V9FS_MAGIC, "9p"},
    {CEPH_SUPER_MAGIC, "Ceph"},
    {AFS_SUPER_MAGIC, "AFS"},
    {AFS_FS_MAGIC, "AFS"},
    {CODA_SUPER_MAGIC, "Coda"},
    {NCP_SUPER_MAGIC, "NCP"},
    {OCFS2_SUPER_MAGIC, "OCFS2"},
    {MAGIC_LUSTRE, "Lustre"},
    {MAGIC_GPFS, "GPFS"},
    {MAGIC_BEEGFS, "BeeGFS"},
    {MAGIC_GFS2, "GFS2"},
    {MAGIC_VBOXSF, "a VirtualBox shared folder"},
    {MAGIC_NTFS3, "NTFS"},
    {MAGIC_EXFAT, "exFAT"},
    {MSDOS_SUPER_MAGIC, "FAT"},
    {TMPFS_MAGIC, "tmpfs (memory)"},
    {RAMFS_MAGIC, "ramfs (memory)"},
};

int
probe_kind(int fd, const char **ret_kind)
{
	struct statfs sfs;

	if (fstatfs(fd, &sfs) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		if ((uint32_t)sfs.f_type != refused[i].magic)
			continue;
		*ret_kind = refused[i].name;
		return -ENOTSUP;
	}
	return 0;
}

/* A second open file description must not get the lock. */
static int
probe_lock(int dirfd, const char *name, int fd)
{
	CLEANUP(close_fd) int other = -1;

	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	other = openat(dirfd, name, O_RDWR | O_CLOEXEC);
	if (other < 0)
		return -errno;
	if (flock(other, LOCK_EX | LOCK_NB) == 0)
		return -ENOTSUP;
	return errno == EWOULDBLOCK ? 0 : -errno;
}

static int
probe_link(int dirfd, const char *name, const char *other, int fd)
{
	struct stat st;
	int r = 0;

	if (linkat(dirfd, name, dirfd, other, 0) < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (st.st_nlink != 2)
		r = -ENOTSUP;
	return r;
}

static int
probe_noreplace(int dirfd, const char *name, const char *other)
{
	if (renameat2(dirfd, name, dirfd, other, RENAME_NOREPLACE) == 0)
		return -ENOTSUP;
	return errno == EEXIST ? 0 : -errno;
}

static int
probe_all(int dirfd, const char *name, const char *other, const char **ret_what)
{
	CLEANUP(close_fd) int fd = -1;
	int r;

	*ret_what = "cannot create a file";
	fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	*ret_what = "flock(2) does not work";
	r = probe_lock(dirfd, name, fd);
	if (r < 0)
		return r;
	*ret_what = "hard links do not work";
	r = probe_link(dirfd, name, other, fd);
	if (r < 0)
		return r;
	*ret_what = "rename without replacing does not work";
	r = probe_noreplace(dirfd, name, other);
	if (r < 0)
		return r;
	*ret_what = "user extended attributes do not work";
	if (fsetxattr(fd, "user.sluice.probe", "1", 1, 0) < 0)
		return -errno;
	*ret_what = "fsync(2) of a directory does not work";
	return fsync(dirfd) < 0 ? -errno : 0;
}

int
probe_features(int dirfd, const char **ret_what)
{
	char name[64], other[64 + 8];
	int r;

	/* The dot keeps it from whoever lists journals. */
	(void)snprintf(name, sizeof(name), ".probe-%d-%llu", (int)getpid(),
	    (unsigned long long)mono_now().usec);
	(void)snprintf(other, sizeof(other), "%s.link", name);
	r = probe_all(dirfd, name, other, ret_what);
	(void)unlinkat(dirfd, other, 0);
	(void)unlinkat(dirfd, name, 0);
	return r;
}
