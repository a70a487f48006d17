#include "vmm/guest/watch_fanotify.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "vmm/guest/ledger.h"
#include "vmm/guest/path.h"
#include "vmm/guest/wine.h"

#define CHANGES \
	(FAN_ONDIR | FAN_CREATE | FAN_DELETE | FAN_RENAME | FAN_CLOSE_WRITE)
#define READS        (FAN_ACCESS | FAN_EVENT_ON_CHILD)
#define DEVICES      "/dev/input" /* opening is enough: they never say anything */
#define DEPTH_MAX    8
#define READS_A_TURN 4
#define BUFFER_BYTES 16384
#define DATA_BYTES   64 /* of a written file, enough to know its kind */

static const char *const systems[WATCH_SYSTEMS] = {
    "/", "/tmp", "/dev/shm", "/run", DEVICES};

/* Secrets elsewhere than with the user. */
static const char *const secrets[] = {"/etc/shadow"};

static void
watch_reads(int fd, const char *path, int depth)
{
	DIR *dir;
	struct dirent *entry;

	if (strcmp(path, SCENE_DOWNLOADS) == 0 || depth > DEPTH_MAX)
		return;
	(void)fanotify_mark(fd, FAN_MARK_ADD, READS, AT_FDCWD, path);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		char child[PATH_MAX];

		if (entry->d_type != DT_DIR || entry->d_name[0] == '\0' ||
		    strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		path_absolute(path, entry->d_name, child);
		watch_reads(fd, child, depth + 1);
	}
	if (dir)
		(void)closedir(dir);
}

static int
watch_system(struct watch_files *files, size_t i)
{
	struct statfs st;

	files->systems[i].dir =
	    open(systems[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (files->systems[i].dir < 0)
		return 0; /* a reference may be without */
	if (fstatfs(files->systems[i].dir, &st) < 0)
		return -errno;
	files->systems[i].id = st.f_fsid;
	if (strcmp(systems[i], DEVICES) == 0)
		return 0;
	return fanotify_mark(files->fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
		   CHANGES, AT_FDCWD, systems[i]) < 0
		   ? -errno
		   : 0;
}

int
watch_fanotify_open(struct watch_files *files)
{
	CLEANUP(close_fd) int fd = -1;
	int r;

	files->fd = -1;
	fd = fanotify_init(
	    FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_DFID_NAME,
	    O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	files->fd = fd;
	for (size_t i = 0; i < WATCH_SYSTEMS; i++) {
		r = watch_system(files, i);
		if (r < 0) {
			files->fd = -1;
			return r;
		}
	}
	watch_reads(fd, SCENE_HOME, 0);
	watch_reads(fd, WINE_USER, 0);
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
		(void)fanotify_mark(
		    fd, FAN_MARK_ADD, READS, AT_FDCWD, secrets[i]);
	(void)fanotify_mark(
	    fd, FAN_MARK_ADD, FAN_OPEN | FAN_EVENT_ON_CHILD, AT_FDCWD, DEVICES);
	(void)TAKE_FD(fd);
	return 0;
}

/* The directory that a handle means; false: it is gone. */
static bool
open_directory(struct watch_files *files,
    const struct fanotify_event_info_fid *info, char ret[PATH_MAX])
{
	struct file_handle *handle =
	    (struct file_handle *)(uintptr_t)(const void *)info->handle;
	char link[64];
	ssize_t n = -1;

	for (size_t i = 0; i < WATCH_SYSTEMS && n < 0; i++) {
		CLEANUP(close_fd) int fd = -1;

		if (files->systems[i].dir < 0 ||
		    memcmp(&files->systems[i].id, &info->fsid,
			sizeof(info->fsid)) != 0)
			continue;
		fd = open_by_handle_at(
		    files->systems[i].dir, handle, O_PATH | O_CLOEXEC);
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, ret, PATH_MAX - 1);
	}
	ret[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* What tells a directory from others: all from its fsid to its name. */
static size_t
key_bytes(const struct fanotify_event_info_fid *info)
{
	const struct file_handle *handle =
	    (const struct file_handle *)(const void *)info->handle;

	return sizeof(info->fsid) + sizeof(*handle) + handle->handle_bytes;
}

static bool
is_last(
    const struct watch_files *files, const struct fanotify_event_info_fid *info)
{
	return files->last_bytes > 0 && files->last_bytes == key_bytes(info) &&
	       memcmp(files->last, &info->fsid, files->last_bytes) == 0;
}

static void
keep_last(struct watch_files *files, const struct fanotify_event_info_fid *info)
{
	const size_t n = key_bytes(info);

	files->last_bytes = n <= sizeof(files->last) ? n : 0;
	memcpy(files->last, &info->fsid, files->last_bytes);
}

/* A directory's handle and a name in it become a path. */
static void
handle_path(struct watch_files *files,
    const struct fanotify_event_info_fid *info, char ret[PATH_MAX])
{
	const struct file_handle *handle =
	    (const struct file_handle *)(const void *)info->handle;
	const char *name =
	    (const char *)handle->f_handle + handle->handle_bytes;
	char dir[PATH_MAX];

	if (!is_last(files, info)) {
		files->last_bytes = 0;
		if (open_directory(files, info, dir)) {
			(void)strcpy(files->last_path, dir);
			keep_last(files, info);
		}
	}
	path_absolute(
	    files->last_bytes > 0 ? files->last_path : "/?", name, ret);
}

static void
written(struct scene *scene, pid_t pid, const char *path)
{
	CLEANUP(close_fd) int fd = -1;
	char data[DATA_BYTES];
	struct stat st;
	ssize_t n = 0;

	fd = open(
	    path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = read(fd, data, sizeof(data));
	scene_add(scene, BY_FANOTIFY, pid, REPORT_FILE_WRITE,
	    FIELD("path", path),
	    FIELD_OCTETS("data", data, n > 0 ? (size_t)n : 0));
}

static void
renamed(struct scene *scene, pid_t pid, const char *from, const char *to)
{
	scene->report.is_cheap = ledger_is_cheap(from) && ledger_is_cheap(to);
	ledger_tell(scene->ledger, from);
	ledger_tell(scene->ledger, to);
	scene_add(scene, BY_FANOTIFY, pid, REPORT_FILE_RENAME,
	    FIELD("path", from), FIELD("to", to));
}

/* Events on one file that came close together are one with several bits. */
static void
tell(struct scene *scene, const struct fanotify_event_metadata *event,
    const char *path)
{
	const pid_t pid = event->pid;

	scene->report.is_cheap = ledger_is_cheap(path);
	if (event->mask & FAN_ONDIR)
		return; /* what lies in it matters, but for its name */
	if (event->mask & (FAN_CREATE | FAN_CLOSE_WRITE | FAN_DELETE))
		ledger_tell(scene->ledger, path);
	if (event->mask & FAN_CREATE)
		scene_add(scene, BY_FANOTIFY, pid, REPORT_FILE_CREATE,
		    FIELD("path", path));
	if (event->mask & FAN_OPEN)
		scene_add(scene, BY_FANOTIFY, pid, REPORT_HOOK_SET,
		    FIELD("name", path));
	if (event->mask & FAN_ACCESS)
		scene_add(scene, BY_FANOTIFY, pid, REPORT_FILE_READ,
		    FIELD("path", path));
	if (event->mask & FAN_CLOSE_WRITE)
		written(scene, pid, path);
	if (event->mask & FAN_DELETE)
		scene_add(scene, BY_FANOTIFY, pid, REPORT_FILE_DELETE,
		    FIELD("path", path));
}

static void
on_event(struct scene *scene, struct watch_files *files,
    const struct fanotify_event_metadata *event)
{
	const char *at = (const char *)event + event->metadata_len;
	const char *end = (const char *)event + event->event_len;
	char path[PATH_MAX] = "", to[PATH_MAX] = "";

	if (event->mask & FAN_ONDIR)
		files->last_bytes = 0; /* it may be that one */
	if (event->mask & FAN_Q_OVERFLOW)
		scene_note(scene, "file events were lost");
	while ((size_t)(end - at) >= sizeof(struct fanotify_event_info_fid)) {
		const struct fanotify_event_info_fid *info =
		    (const struct fanotify_event_info_fid *)(const void *)at;

		if (info->hdr.info_type == FAN_EVENT_INFO_TYPE_NEW_DFID_NAME)
			handle_path(files, info, to);
		else
			handle_path(files, info, path);
		if (info->hdr.len == 0)
			break;
		at += info->hdr.len;
	}
	if ((event->mask & FAN_RENAME) && *path && *to)
		renamed(scene, event->pid, path, to);
	else if (*path)
		tell(scene, event, path);
	scene->report.is_cheap = false;
}

static ssize_t
get(int fd, void *buf)
{
	return read(fd, buf, BUFFER_BYTES);
}

void
watch_fanotify_flush(struct watch_files *files)
{
	char buf[BUFFER_BYTES];

	while (files->fd >= 0 && get(files->fd, buf) > 0)
		;
}

void
watch_fanotify(struct scene *scene, struct watch_files *files)
{
	_Alignas(struct fanotify_event_metadata) char buf[BUFFER_BYTES];
	const pid_t us = getpid();

	for (int i = 0; i < READS_A_TURN; i++) {
		ssize_t left = get(files->fd, buf);
		const struct fanotify_event_metadata *event =
		    (const struct fanotify_event_metadata *)(const void *)buf;

		if (left <= 0)
			return;
		while (FAN_EVENT_OK(event, left)) {
			const void *next =
			    (const char *)event + event->event_len;

			if (event->pid != us)
				on_event(scene, files, event);
			left -= event->event_len;
			event = next;
		}
	}
}
