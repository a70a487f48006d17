#include "tools/sluice/submit_memory.h"

#include "common/io.h"
#include "tools/sluice/put.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

/* A million files a year. */
#define MEMORY_MAX (UINT64_C(100) << 20)

struct line {
	struct digest digest;
	uint64_t sec;
};

struct submit_memory {
	char *path, *directory;
	const char *name; /* of path, within the directory */
	int dir, lock;
	uint64_t now_sec;
	struct line *at; /* ascending by digest, each once */
	size_t n, room;
};

static int
by_digest(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return memcmp(&x->digest, &y->digest, sizeof(x->digest));
}

static struct line *
find(const struct submit_memory *m, const struct digest *digest)
{
	const struct line key = {*digest, 0};

	return m->n == 0 ? NULL
			 : bsearch(&key, m->at, m->n, sizeof(key), by_digest);
}

static void
append(struct submit_memory *m, const struct line *line)
{
	if (m->n == m->room) {
		m->room = 2 * m->room + 64;
		m->at = realloc(m->at, m->room * sizeof(*m->at));
		if (!m->at)
			abort();
	}
	m->at[m->n++] = *line;
}

static int
take_line(struct submit_memory *m, const char *text)
{
	struct line line;
	char hex[DIGEST_HEX];
	int used = 0;

	if (sscanf(text, "%64s %" SCNu64 "%n", hex, &line.sec, &used) != 2 ||
	    text[used] || digest_parse(hex, &line.digest) < 0)
		return -EBADMSG;
	if (line.sec + SUBMIT_MEMORY_SEC < m->now_sec || line.sec > INT64_MAX)
		return 0;
	append(m, &line);
	return 0;
}

static int
read_lines(struct submit_memory *m)
{
	CLEANUP(free_ptr) char *text = NULL;
	char *rest, *line;
	size_t n;
	int r = read_file(m->dir, m->name, MEMORY_MAX, &text, &n);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (strlen(text) != n)
		return -EBADMSG;
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL) {
		r = *line ? take_line(m, line) : 0;
		if (r < 0)
			return r;
	}
	if (m->n > 0)
		qsort(m->at, m->n, sizeof(*m->at), by_digest);
	return 0;
}

/* "DIR/archive" and "DIR/archive/" have their memory in DIR. */
static void
name_it(struct submit_memory *m, const char *archive)
{
	size_t n = strlen(archive);
	const char *slash;

	while (n > 1 && archive[n - 1] == '/')
		n--;
	m->path = xasprintf("%.*s.submitted", (int)n, archive);
	slash = strrchr(m->path, '/');
	m->directory = slash
			   ? xasprintf("%.*s/", (int)(slash - m->path), m->path)
			   : xstrdup(".");
	m->name = slash ? slash + 1 : m->path;
}

int
submit_memory_open(
    const char *archive, uint64_t now_sec, struct submit_memory **ret_memory)
{
	CLEANUP(submit_memory_freep)
	struct submit_memory *m = xcalloc(1, sizeof(*m));
	CLEANUP(free_ptr) char *lock = NULL;
	int r;

	m->dir = m->lock = -1;
	m->now_sec = now_sec;
	name_it(m, archive);
	m->dir = open(m->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->dir < 0)
		return -errno;
	lock = xasprintf("%s.lock", m->name);
	m->lock = openat(m->dir, lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (m->lock < 0)
		return -errno;
	if (flock(m->lock, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	r = read_lines(m);
	if (r == 0)
		*ret_memory = TAKE_PTR(m);
	return r;
}

struct submit_memory *
submit_memory_free(struct submit_memory *m)
{
	if (!m)
		return NULL;
	if (m->dir >= 0)
		(void)close(m->dir);
	if (m->lock >= 0)
		(void)close(m->lock);
	free(m->path);
	free(m->directory);
	free(m->at);
	free(m);
	return NULL;
}

const char *
submit_memory_path(const struct submit_memory *m)
{
	return m->path;
}

bool
submit_memory_has(const struct submit_memory *m, const struct digest *digest)
{
	return find(m, digest) != NULL;
}

void
submit_memory_add(struct submit_memory *m, const struct digest *digest)
{
	const struct line line = {*digest, m->now_sec};
	struct line *there = find(m, digest);
	size_t place;

	if (there) {
		*there = line;
		return;
	}
	append(m, &line);
	place = m->n - 1;
	while (place > 0 && by_digest(&line, &m->at[place - 1]) < 0)
		place--;
	memmove(&m->at[place + 1], &m->at[place],
	    (m->n - 1 - place) * sizeof(line));
	m->at[place] = line;
}

int
submit_memory_keep(const struct submit_memory *m)
{
	char *text = NULL, hex[DIGEST_HEX];
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	int r;

	if (!out)
		abort();
	for (size_t i = 0; i < m->n; i++)
		(void)fprintf(out, "%s %" PRIu64 "\n",
		    digest_hex(&m->at[i].digest, hex), m->at[i].sec);
	if (fclose(out) != 0)
		abort();
	r = put_file(m->dir, m->name, 0600, text, n);
	free(text);
	return r;
}
