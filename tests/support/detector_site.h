/*
 * tests/support/detector_site.h - reports in short, for tests of the detector.
 *
 * An event is "KIND|KEY=VALUE|KEY=VALUE"; values are JSON without its quotes,
 * n=NUMBER says that it happened so often.
 * "6*KIND|..." comes six times, each # in it a digit that counts.  A stream
 * begins with agent.start of sample.bin and ends with agent.end.
 */
#ifndef SLUICE_TESTS_DETECTOR_SITE_H
#define SLUICE_TESTS_DETECTOR_SITE_H

#include "vmm/detector.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define STREAM_START "agent.start|name=sample.bin|how=elf"
#define STREAM_END   "agent.end|how=exit|code=0"

struct stream {
	char *text;
	size_t n;
	unsigned int msec; /* of the next event */
};

static inline void
stream_line(struct stream *s, const char *event, int number)
{
	CLEANUP(free_ptr) char *copy = xstrdup(event);
	CLEANUP(free_ptr) char *line = NULL;
	char *at = copy, *field = strsep(&at, "|"), *text;
	size_t n = 0;

	for (char *c = copy + strlen(field) + 1; at && *c; c++)
		if (*c == '#')
			*c = (char)('0' + number % 10);
	line = xasprintf("{\"t\":%u.%03u,\"pid\":30,\"ev\":\"%s\"",
	    s->msec / 1000, s->msec % 1000, field);
	while ((field = strsep(&at, "|"))) {
		char *value = strchr(field, '=');

		assert_non_null(value);
		*value++ = '\0';
		text = strcmp(field, "n") == 0
			   ? xasprintf("%s,\"n\":%s", line, value)
			   : xasprintf("%s,\"%s\":\"%s\"", line, field, value);
		free(line);
		line = text;
	}
	n = strlen(line);
	s->text = realloc(s->text, s->n + n + 3);
	assert_non_null(s->text);
	memcpy(s->text + s->n, line, n);
	memcpy(s->text + s->n + n, "}\n", 3);
	s->n += n + 2;
	s->msec += 10;
}

static inline void
stream_add(struct stream *s, const char *event)
{
	char *star;
	const int times = (int)strtoul(event, &star, 10);

	if (*star != '*') {
		stream_line(s, event, 0);
		return;
	}
	for (int i = 0; i < times; i++)
		stream_line(s, star + 1, i);
}

static inline struct rules *
rules_of(const char *text)
{
	CLEANUP(close_fd) int fd = memfd_new("rules");
	struct rules *rules = NULL;
	char path[64], err[500] = "";

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (rules_load(path, &rules, err, sizeof(err)) < 0)
		fail_msg("%s", err);
	return rules;
}

static inline struct rules *
rules_from(const char *path)
{
	struct rules *rules = NULL;
	char err[500] = "";

	if (rules_load(path, &rules, err, sizeof(err)) < 0)
		fail_msg("%s", err);
	return rules;
}

/* A detector that was fed all events, NULL at their end. */
static inline struct detector *
detector_of(const struct rules *rules, const char *const *events)
{
	struct stream s = {NULL, 0, 0};
	struct detector *d = detector_new(rules);

	stream_add(&s, STREAM_START);
	for (; *events; events++)
		stream_add(&s, *events);
	stream_add(&s, STREAM_END);
	detector_feed(d, s.text, s.n);
	free(s.text);
	return d;
}

/* "ID ID ..." in the order of the evidence; ret has room for max octets. */
static inline uint32_t
evidence_ids(const struct detector *d, char *ret, size_t max)
{
	CLEANUP(free_ptr) char *text = detector_evidence(d, 65536);
	const char *at = text;
	size_t n = 0;

	assert_non_null(text);
	ret[0] = '\0';
	while ((at = strstr(at, "{\"id\":\""))) {
		at += 7;
		n += (size_t)snprintf(ret + n, max - n, "%s%.*s", n ? " " : "",
		    (int)strcspn(at, "\""), at);
		assert_true(n < max);
	}
	return (uint32_t)strtoul(text + strlen("{\"score\":"), NULL, 10);
}

#endif
