#include "vmm/guest/ledger.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "vmm/guest/path.h"
#include "vmm/guest/scene.h"
#include "vmm/guest/wine.h"

#define DEPTH_MAX     6
#define CONTENT_BYTES 65536u /* of a file are compared, and its size */

/* What is the user's, what starts by itself, what backups are kept in. */
static const char *const places[] = {SCENE_HOME, "/etc", "/var/spool/cron",
    "/var/backups", "/var/log", WINE_USER};

/* Where much happens that means little. */
static const char *const cheap[] = {"/tmp", "/var/tmp", "/dev/shm", "/run",
    "/var/cache", SCENE_DOWNLOADS, WINE_USER "/AppData/Local/Temp",
    WINE_USER "/Temp", WINE_DRIVE "/windows/temp"};

bool
ledger_is_cheap(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(cheap); i++)
		if (path_is_in(path, cheap[i]))
			return true;
	return false;
}

/* FNV-1a's step, eight octets at once: cheap, and good enough to see that
 * somebody who doesn't know of it changed something. */
static uint64_t
digest(const void *at, size_t n)
{
	const unsigned char *octets = at;
	uint64_t sum = 0xcbf29ce484222325u, word;

	for (; n >= sizeof(word); n -= sizeof(word), octets += sizeof(word)) {
		memcpy(&word, octets, sizeof(word));
		sum = (sum ^ word) * 0x100000001b3u;
		sum ^= sum >> 29;
	}
	for (; n > 0; n--)
		sum = (sum ^ *octets++) * 0x100000001b3u;
	return sum;
}

static uint64_t
content_of(const char *path)
{
	static char octets[CONTENT_BYTES];
	CLEANUP(close_fd)
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	n = read(fd, octets, sizeof(octets));
	return digest(octets, n > 0 ? (size_t)n : 0) ^ (uint64_t)st.st_size;
}

typedef void visitor(
    struct ledger *ledger, struct scene *scene, const char *path);

static void
walk(struct ledger *ledger, struct scene *scene, const char *path, int depth,
    visitor *visit)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char child[PATH_MAX];

		path_absolute(path, entry->d_name, child);
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0 ||
		    strcmp(child, SCENE_DOWNLOADS) == 0)
			continue;
		if (entry->d_type == DT_DIR && depth < DEPTH_MAX)
			walk(ledger, scene, child, depth + 1, visit);
		else if (entry->d_type == DT_REG)
			visit(ledger, scene, child);
	}
	if (dir)
		(void)closedir(dir);
}

static void
walk_all(struct ledger *ledger, struct scene *scene, visitor *visit)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		walk(ledger, scene, places[i], 0, visit);
}

static void
take(struct ledger *ledger, struct scene *scene, const char *path)
{
	struct ledger_file *file = &ledger->files[ledger->count];

	(void)scene;
	if (ledger->count == LEDGER_FILES || strlen(path) >= sizeof(file->name))
		return;
	file->path = digest(path, strlen(path));
	file->content = content_of(path);
	(void)strcpy(file->name, path);
	ledger->count++;
}

void
ledger_take(struct ledger *ledger)
{
	memset(ledger, 0, sizeof(*ledger));
	walk_all(ledger, NULL, take);
}

void
ledger_tell(struct ledger *ledger, const char *path)
{
	if (ledger->told_count < LEDGER_TOLD)
		ledger->told[ledger->told_count++] = digest(path, strlen(path));
}

static bool
was_told(const struct ledger *ledger, uint64_t path)
{
	for (size_t i = 0; i < ledger->told_count; i++)
		if (ledger->told[i] == path)
			return true;
	return false;
}

static struct ledger_file *
find(struct ledger *ledger, uint64_t path)
{
	for (size_t i = 0; i < ledger->count; i++)
		if (ledger->files[i].path == path)
			return &ledger->files[i];
	return NULL;
}

static void
add(struct scene *scene, enum report_kind kind, const char *path)
{
	scene_add(scene, BY_AGENT, 0, kind, FIELD("path", path));
}

static void
compare(struct ledger *ledger, struct scene *scene, const char *path)
{
	const uint64_t key = digest(path, strlen(path));
	struct ledger_file *file = find(ledger, key);

	if (file)
		file->is_there = true;
	else if (ledger->count == LEDGER_FILES)
		return; /* it may have been there before */
	if (was_told(ledger, key))
		return;
	if (!file)
		add(scene, REPORT_FILE_CREATE, path);
	else if (file->content != content_of(path))
		add(scene, REPORT_FILE_WRITE, path);
}

void
ledger_compare(struct ledger *ledger, struct scene *scene)
{
	if (ledger->told_count == LEDGER_TOLD)
		return;
	walk_all(ledger, scene, compare);
	for (size_t i = 0; i < ledger->count; i++)
		if (!ledger->files[i].is_there &&
		    !was_told(ledger, ledger->files[i].path))
			add(scene, REPORT_FILE_DELETE, ledger->files[i].name);
}
