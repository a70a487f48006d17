#include "tools/sluice/repository_labels.h"

#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* A hundred thousand decisions of the longest kind. */
#define LABELS_MAX ((size_t)100 << 20)

static bool
parse_label(const char *text, enum sample_label *ret)
{
	for (int i = 0; i < SAMPLE_LABELS; i++)
		if (strcmp(text, sample_label_names[i]) == 0) {
			*ret = (enum sample_label)i;
			return true;
		}
	return false;
}

int
label_parse(char *text, struct label_line *ret_line)
{
	char *rest = text, *words[4];
	struct label_line line;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		words[i] = strsep(&rest, " ");
		if (!words[i] || !*words[i])
			return -EBADMSG;
	}
	if (digest_parse(words[1], &line.digest) < 0 ||
	    !parse_label(words[2], &line.label))
		return -EBADMSG;
	line.time = words[0];
	line.by = words[3];
	line.note = rest ? rest : "";
	*ret_line = line;
	return 0;
}

int
labels_read(const struct repository *repository, label_fn *fn, void *arg)
{
	CLEANUP(free_ptr) char *text = NULL;
	char *at, *end;
	size_t n = 0, number = 0;
	int r = read_file(repository->dir, "labels", LABELS_MAX, &text, &n);

	if (r == -ENOENT)
		return STATUS_FINE;
	if (r < 0)
		return util_fail(STATUS_SYSTEM, repository->command,
		    "%s/labels: %s", repository->path, strerror(-r));
	at = text;
	while ((end = memchr(at, '\n', n - (size_t)(at - text))) != NULL) {
		struct label_line line;

		number++;
		*end = '\0';
		if (strlen(at) != (size_t)(end - at) ||
		    label_parse(at, &line) < 0)
			return util_fail(STATUS_USAGE, repository->command,
			    "%s/labels:%zu: no label; mend the line as TIME "
			    "SHA256 LABEL WHO NOTE",
			    repository->path, number);
		fn(arg, &line);
		at = end + 1;
	}
	return STATUS_FINE;
}

/* Where the last whole line ends: what comes behind it, a crash has left. */
static int
find_end(int fd, uint64_t *ret_end)
{
	char tail[LABEL_LINE_MAX + 1];
	struct stat st;
	uint64_t begin;
	const char *end;
	size_t n;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	n = (uint64_t)st.st_size < sizeof(tail) ? (size_t)st.st_size
						: sizeof(tail);
	begin = (uint64_t)st.st_size - n;
	r = pread_all(fd, tail, n, begin);
	if (r < 0)
		return r;
	end = memrchr(tail, '\n', n);
	if (!end && begin > 0) /* longer than a line is: not ours to cut */
		return -EBADMSG;
	*ret_end = end ? begin + (uint64_t)(end - tail) + 1 : 0;
	return 0;
}

int
labels_append(const struct repository *repository, const char *lines, size_t n)
{
	CLEANUP(close_fd) int fd = -1;
	uint64_t end = 0;
	int r;

	assert(repository->lock >= 0);
	fd = openat(
	    repository->dir, "labels", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = find_end(fd, &end);
	if (r < 0)
		return r;
	if (ftruncate(fd, (off_t)end) < 0 ||
	    lseek(fd, (off_t)end, SEEK_SET) < 0)
		return -errno;
	r = write_all(fd, lines, n);
	if (r == 0 && (fsync(fd) < 0 || fsync(repository->dir) < 0))
		r = -errno;
	return r;
}
