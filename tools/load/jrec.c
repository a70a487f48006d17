/* tools/load/jrec.c - JSON lines over jansson. */
#include "jrec.h"

#include "base.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 16 digits: ten of seconds since 1970 and six of microseconds. */
#define DUMP_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(16))

static json_t *
json_of(const struct jrec *j)
{
	return (json_t *)(uintptr_t)j;
}

static struct jrec *
jrec_of(json_t *value)
{
	if (!value)
		die(EXIT_SYSTEM, "out of memory");
	return (struct jrec *)value;
}

static void
set(struct jrec *j, const char *key, json_t *value)
{
	if (json_object_set_new(json_of(j), key, value) < 0)
		die(EXIT_SYSTEM, "out of memory");
}

struct jrec *
jrec_new(void)
{
	return jrec_of(json_object());
}

struct jrec *
jrec_free(struct jrec *j)
{
	json_decref(json_of(j));
	return NULL;
}

static json_t *
text(const char *s)
{
	json_t *value = json_string(s);
	char *copy;

	if (value)
		return value;
	copy = xstrdup(s);
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	value = json_string(copy);
	free(copy);
	return value;
}

void
jrec_str(struct jrec *j, const char *key, const char *s)
{
	set(j, key, s ? text(s) : json_null());
}

void
jrec_int(struct jrec *j, const char *key, uint64_t n)
{
	set(j, key, json_integer((json_int_t)n));
}

void
jrec_real(struct jrec *j, const char *key, double x)
{
	set(j, key, json_real(isfinite(x) ? x : 0.0));
}

void
jrec_bool(struct jrec *j, const char *key, bool b)
{
	set(j, key, json_boolean(b));
}

void
jrec_time(struct jrec *j, const char *key, uint64_t wall_usec)
{
	set(j, key,
	    wall_usec ? json_real((double)wall_usec / USEC_PER_SEC)
		      : json_null());
}

struct jrec *
jrec_child(struct jrec *j, const char *key)
{
	struct jrec *child = jrec_new();

	set(j, key, json_of(child));
	return child;
}

struct jrec *
jrec_append(struct jrec *j, const char *key)
{
	json_t *list = json_object_get(json_of(j), key);
	struct jrec *item = jrec_new();

	if (!list) {
		list = json_array();
		set(j, key, list);
	}
	if (json_array_append_new(list, json_of(item)) < 0)
		die(EXIT_SYSTEM, "out of memory");
	return item;
}

const char *
jrec_get_str(const struct jrec *j, const char *key)
{
	return json_string_value(json_object_get(json_of(j), key));
}

double
jrec_get_number(const struct jrec *j, const char *key, double otherwise)
{
	const json_t *value = json_object_get(json_of(j), key);

	return json_is_number(value) ? json_number_value(value) : otherwise;
}

int
jrec_log_open(const char *path, int *ret_fd)
{
	const int fd =
	    open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	off_t size;
	char last = '\n';
	int r = 0;

	if (fd < 0)
		return -errno;
	size = lseek(fd, 0, SEEK_END); /* -1 for a pipe: nothing to mend */
	if (size > 0 && pread(fd, &last, 1, size - 1) != 1)
		r = -EIO;
	if (r == 0 && last != '\n')
		r = write_all(fd, "\n", 1);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int
jrec_log(int fd, const struct jrec *j)
{
	char *line = json_dumps(json_of(j), DUMP_FLAGS);
	size_t len;
	int r;

	if (!line)
		die(EXIT_SYSTEM, "out of memory");
	len = strlen(line);
	line[len] = '\n'; /* in place of the NUL: one write for the line */
	r = write_all(fd, line, len + 1);
	free(line);
	return r;
}

int
jrec_print(FILE *f, const struct jrec *j)
{
	if (json_dumpf(json_of(j), f, DUMP_FLAGS) < 0 || fputc('\n', f) < 0)
		return -EIO;
	return fflush(f) == 0 ? 0 : -EIO;
}

int
jrec_each(const char *path, jrec_fn *fn, void *arg, uint64_t *ret_bad)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	uint64_t bad = 0;
	int r;

	if (!f)
		return -errno;
	while ((n = getline(&line, &cap, f)) > 0) {
		json_t *j;

		if (n == 1)
			continue; /* the end of a torn line */
		j = json_loadb(line, (size_t)n, 0, NULL);
		if (json_is_object(j))
			fn(arg, jrec_of(j));
		else
			bad++;
		json_decref(j);
	}
	r = ferror(f) ? -EIO : 0;
	free(line);
	(void)fclose(f);
	*ret_bad = bad;
	return r;
}
