#include "worker/warning.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/utf8.h"
#include "worker/answer.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define REASON "{{reason}}"
#define NAMES  "{{names}}"

struct warning {
	char *text;
};

static bool
starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* What is wrong at *p, which is moved behind what is right; NULL: nothing. */
static const char *
check_at(const char **p, unsigned int *places)
{
	size_t n = utf8_length(*p, SIZE_MAX);

	if (n == 0)
		return "not UTF-8: save it as UTF-8";
	if ((unsigned char)**p < ' ' && **p != '\n' && **p != '\t')
		return "a control character: remove it (lines end with LF)";
	if (**p == 0x7f)
		return "a control character: remove it";
	if (starts_with(*p, "{{")) {
		if (starts_with(*p, REASON))
			n = strlen(REASON);
		else if (starts_with(*p, NAMES))
			n = strlen(NAMES);
		else
			return "\"{{\" without a known name: write " REASON
			       " or " NAMES;
		if (++*places > WARNING_PLACES_MAX)
			return "more than 16 of " REASON " and " NAMES
			       ": write fewer";
	}
	*p += n;
	return NULL;
}

static int
check(
    const char *path, const char *text, size_t len, char *err, size_t err_size)
{
	unsigned int line = 1, places = 0;
	const char *wrong = NULL, *p = text;

	while (*p && !wrong) {
		line += *p == '\n';
		wrong = check_at(&p, &places);
	}
	if (!wrong && p != text + len)
		wrong = "a NUL: remove it";
	if (!wrong && len == 0)
		wrong = "empty: write what the receiver is to read";
	if (!wrong)
		return 0;
	(void)snprintf(
	    err, err_size, "%s:%u: %s (wrap.text)", path, line, wrong);
	return -EINVAL;
}

int
warning_load(const char *path, struct warning **ret, char *err, size_t err_size)
{
	CLEANUP(free_ptr) char *text = NULL;
	size_t len;
	int r;

	r = read_file(AT_FDCWD, path, WARNING_FILE_MAX, &text, &len);
	if (r == -EFBIG)
		(void)snprintf(err, err_size,
		    "%s: larger than %zu octets: shorten it (wrap.text)", path,
		    WARNING_FILE_MAX);
	else if (r < 0)
		(void)snprintf(err, err_size,
		    "%s: %s: run tools/setup, which installs one, or name "
		    "another (wrap.text)",
		    path, strerror(-r));
	else
		r = check(path, text, len, err, err_size);
	if (r < 0)
		return r;
	*ret = xcalloc(1, sizeof(**ret));
	(*ret)->text = TAKE_PTR(text);
	return 0;
}

struct warning *
warning_free(struct warning *warning)
{
	if (!warning)
		return NULL;
	free(warning->text);
	free(warning);
	return NULL;
}

/* Each character that is not plain becomes one '?'. */
static void
write_plain(FILE *to, const char *text, size_t len, const char *not_plain)
{
	for (size_t i = 0; i < len;) {
		const char c = text[i];
		const size_t n = utf8_length(text + i, len - i);

		(void)fputc(
		    c >= ' ' && c < 0x7f && !strchr(not_plain, c) ? c : '?',
		    to);
		i += n ? n : 1;
	}
}

static void
write_name(FILE *to, const char *name, size_t len)
{
	static const char not_plain[] = "\"\\/:@<>";
	const size_t tail = 20, head = WARNING_NAME - tail - 3;

	(void)fputs("  \"", to);
	if (len <= WARNING_NAME) {
		write_plain(to, name, len, not_plain);
	} else {
		write_plain(to, name, head, not_plain);
		(void)fputs("...", to);
		write_plain(to, name + len - tail, tail, not_plain);
	}
	(void)fputs("\"\n", to);
}

/* Does an engine say "warn" of this part? */
static bool
is_meant(const json_t *part)
{
	const json_t *verdict;
	size_t i;

	json_array_foreach (json_object_get(part, "verdicts"), i, verdict) {
		const char *answer =
		    json_string_value(json_object_get(verdict, "answer"));

		if (answer && strcmp(answer, answer_name(ANSWER_WARN)) == 0)
			return true;
	}
	return false;
}

/* A part may have several names: each is one that a reader may show. */
static void
write_names(FILE *to, const json_t *evidence)
{
	const json_t *part, *name;
	unsigned int n = 0;
	size_t i, k;

	json_array_foreach (json_object_get(evidence, "parts"), i, part) {
		if (!is_meant(part))
			continue;
		json_array_foreach (json_object_get(part, "names"), k, name) {
			if (json_is_string(name) && n++ < WARNING_NAMES)
				write_name(to, json_string_value(name),
				    json_string_length(name));
		}
	}
	if (n == 0)
		(void)fputs("  (a file without a name)\n", to);
	if (n > WARNING_NAMES)
		(void)fprintf(to, "  and %u more\n", n - WARNING_NAMES);
}

static void
write_text(
    FILE *to, const char *text, const char *reason, const json_t *evidence)
{
	while (*text) {
		if (starts_with(text, REASON)) {
			write_plain(to, reason, strlen(reason), "\"\\/@<>");
			text += strlen(REASON);
		} else if (starts_with(text, NAMES)) {
			write_names(to, evidence);
			text += strlen(NAMES);
			text += *text == '\n'; /* the last name's own */
		} else {
			(void)fputc(*text++, to);
		}
	}
}

char *
warning_text(const struct warning *warning, const char *reason,
    const char *evidence, size_t len)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	json_t *json = json_loadb(evidence, len, 0, NULL);

	if (!to)
		abort(); /* small: as xcalloc() */
	write_text(to, warning->text, reason, json);
	json_decref(json);
	if (fclose(to) != 0)
		abort();
	return text;
}
