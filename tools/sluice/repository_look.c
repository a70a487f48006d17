#include "tools/sluice/repository_look.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/proc.h"
#include "common/sandbox.h"
#include "worker/mef/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* A bag of every feature of each family, the document, and room to sort. */
#define READER_BYTES   (MEF_DOCUMENT_MAX + (UINT64_C(1) << 30))
#define READER_CPU_SEC 60u

/* Of all lines: more than anybody reads. */
#define OUTPUT_MAX ((size_t)4 << 20)

#define STRING_LEAST 6u
#define TEXT_MOST    256u

static const char letters[LOOK_KINDS] = {'h', 'i', 's'};

/* Lines, in memory until they are written at once. */
struct lines {
	char *at;
	size_t n;
};

static void
add_line(
    struct lines *l, enum look_kind kind, const unsigned char *text, size_t n)
{
	if (n > TEXT_MOST)
		n = TEXT_MOST;
	if (l->n + n + 3 > OUTPUT_MAX)
		return;
	l->at[l->n++] = letters[kind];
	l->at[l->n++] = ' ';
	for (size_t i = 0; i < n; i++)
		l->at[l->n++] =
		    (char)(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
	l->at[l->n++] = '\n';
}

static void
told(void *arg, enum mef_family family, const char *text, size_t n)
{
	add_line(arg, family == MEF_IMPORTS ? LOOK_IMPORT : LOOK_FACT,
	    (const unsigned char *)text, n);
}

/* Of characters that are step octets each, the others zero: UTF-16. */
static void
find_strings(struct lines *l, const unsigned char *at, size_t n, size_t step)
{
	unsigned char text[TEXT_MOST];
	size_t length = 0;

	for (size_t i = 0; i + step <= n; i += step) {
		const bool is_text = at[i] >= ' ' && at[i] <= '~' &&
				     (step == 1 || at[i + 1] == 0);

		if (is_text && length < sizeof(text))
			text[length++] = at[i];
		if (is_text)
			continue;
		if (length >= STRING_LEAST)
			add_line(l, LOOK_STRING, text, length);
		length = 0;
	}
	if (length >= STRING_LEAST)
		add_line(l, LOOK_STRING, text, length);
}

static _Noreturn void
read_one(int out, const void *at, size_t n)
{
	const struct rlimit size = {OUTPUT_MAX, OUTPUT_MAX};
	struct lines lines = {.at = xcalloc(1, OUTPUT_MAX)};
	struct mef_bag *bag;

	if (setrlimit(RLIMIT_FSIZE, &size) < 0 ||
	    sandbox_reader(READER_BYTES, READER_CPU_SEC) < 0)
		_exit(111);
	bag = mef_bag_new();
	bag->tell = told;
	bag->tell_arg = &lines;
	mef_extract(bag, MEF_SET_FULL, at, n);
	find_strings(&lines, at, n, 1);
	find_strings(&lines, at, n, 2);
	_exit(write_all(out, lines.at, lines.n) < 0 ? 111 : 0);
}

static int
map(const char *path, const void **ret_at, size_t *ret_n)
{
	CLEANUP(close_fd)
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	void *at;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > MEF_DOCUMENT_MAX)
		return -EINVAL;
	*ret_n = (size_t)st.st_size;
	*ret_at = "";
	if (st.st_size == 0)
		return 0;
	at = mmap(NULL, *ret_n, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	*ret_at = at;
	return 0;
}

static void
add_text(struct look *look, enum look_kind kind, const char *text, size_t n)
{
	size_t *count = &look->n[kind];

	/* Grows by doubling: at every power of two. */
	if ((*count & (*count - 1)) == 0)
		look->at[kind] = reallocarray(look->at[kind],
		    *count ? 2 * *count : 1, sizeof(*look->at[kind]));
	if (!look->at[kind])
		abort();
	look->at[kind][(*count)++] = xasprintf("%.*s", (int)n, text);
}

int
look_parse(const char *text, size_t n, struct look *ret)
{
	struct look look = {.n = {0}};

	while (n > 0) {
		const char *end = memchr(text, '\n', n);
		const size_t length = end ? (size_t)(end - text) : n;
		const char *kind = memchr(letters, *text, sizeof(letters));

		if (!end || !kind || length < 2 || length > TEXT_MOST + 2)
			break;
		for (size_t i = 1; i < length; i++)
			if (text[i] < ' ' || text[i] > '~')
				goto bad;
		add_text(&look, (enum look_kind)(kind - letters), text + 2,
		    length - 2);
		text = end + 1;
		n -= length + 1;
	}
	if (n == 0) {
		*ret = look;
		return 0;
	}
bad:
	look_done(&look);
	return -EPROTO;
}

void
look_done(struct look *look)
{
	for (int k = 0; k < LOOK_KINDS; k++) {
		for (size_t i = 0; i < look->n[k]; i++)
			free(look->at[k][i]);
		free(look->at[k]);
	}
}

static int
by_place(const void *a, const void *b)
{
	char *const *x = *(char *const *const *)a;
	char *const *y = *(char *const *const *)b;

	return (x > y) - (x < y);
}

static int
by_text(const void *a, const void *b)
{
	const int order =
	    strcmp(**(char *const *const *)a, **(char *const *const *)b);

	return order ? order : by_place(a, b);
}

/* The first one of each text, in their order. */
static void
drop_repeats(char **at, size_t *n)
{
	CLEANUP(free_ptr) char ***order = xcalloc(*n + 1, sizeof(*order));
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++)
		order[i] = &at[i];
	if (*n > 0)
		qsort(order, *n, sizeof(*order), by_text);
	for (size_t i = 0; i < *n; i++)
		if (kept > 0 && strcmp(*order[i], *order[kept - 1]) == 0)
			free(*order[i]);
		else
			order[kept++] = order[i];
	if (kept > 0)
		qsort(order, kept, sizeof(*order), by_place);
	for (size_t i = 0; i < kept; i++)
		at[i] = *order[i];
	*n = kept;
}

static int
take_output(int fd, struct look *ret)
{
	CLEANUP(free_ptr) char *text = NULL;
	size_t n = 0;
	int r = read_fd(fd, OUTPUT_MAX, &text, &n);

	if (r == 0)
		r = look_parse(text, n, ret);
	for (int k = 0; r == 0 && k < LOOK_KINDS; k++)
		drop_repeats(ret->at[k], &ret->n[k]);
	return r;
}

int
look_read(const char *path, struct look *ret)
{
	CLEANUP(close_fd) int out = memfd_new("sluice-look");
	const pid_t parent = getpid();
	const void *at = NULL;
	int status = -1, r;
	size_t n = 0;
	pid_t pid;

	r = out < 0 ? out : map(path, &at, &n);
	if (r < 0)
		return r;
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		proc_bind_to_parent(parent);
		read_one(out, at, n);
	}
	r = pid < 0 ? -errno : 0;
	while (r == 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			r = -errno;
	if (n > 0)
		(void)munmap((void *)(uintptr_t)at, n);
	if (r == 0)
		r = status == 0 ? take_output(out, ret) : -EPROTO;
	return r;
}
