/*
 * tests/bench/behaviour_feed.c - what an event costs the detector.
 *
 *   behaviour_feed RULES usual|words|paths
 *
 * Feeds a report of 8,000 events that are usual for an installed program, or
 * as many as a mailbox holds of those that are made to cost much: command
 * lines and paths, as long as can be, that nearly fit many globs.  Prints how
 * many and how long it took; under callgrind, collect in detector_feed() only.
 */
#include "vmm/detector.h"
#include "vmm/mailbox.h"
#include "vmm/report.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USUAL 8000u

static size_t
usual(unsigned int i, char *ret, size_t size)
{
	static const char *const bodies[] = {
	    "\"file.create\",\"path\":\"C:\\\\users\\\\root\\\\AppData\\\\Local"
	    "\\\\Programs\\\\Plan\\\\lib%u.dll\"",
	    "\"file.write\",\"path\":\"C:\\\\users\\\\root\\\\AppData\\\\Local"
	    "\\\\Programs\\\\Plan\\\\lib%u.dll\",\"data\":\"MZ\"",
	    "\"file.read\",\"path\":\"/root/Documents/plan%u.doc\"",
	    "\"file.delete\",\"path\":\"/tmp/plan/%u.tmp\"",
	    "\"process.start\",\"path\":\"C:\\\\Program Files\\\\Plan\\\\"
	    "plan.exe\",\"args\":\"\\\"C:\\\\Program Files\\\\Plan\\\\plan.exe"
	    "\\\" --type=renderer --handle=%u --lang=en\",\"parent\":30",
	    "\"registry.set\",\"key\":\"\\\\Registry\\\\User\\\\S-1-5-21-1-2-3"
	    "-1000\\\\Software\\\\Plan\\\\%u\",\"name\":\"a\",\"data\":\"b\"",
	    "\"image.load\",\"path\":\"C:\\\\windows\\\\system32\\\\lib%u.dll"
	    "\"",
	    "\"net.connect\",\"addr\":\"10.0.0.2\",\"port\":%u",
	    "\"api.call\",\"name\":\"NtCreateFile\",\"args\":\"%u\"",
	};
	const size_t kinds = ARRAY_SIZE(bodies);
	char body[400];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(body, sizeof(body), bodies[i % kinds], i / 3);
#pragma GCC diagnostic pop
	return (size_t)snprintf(ret, size,
	    "{\"t\":%u.%03u,\"by\":\"wine\",\"pid\":%u,\"ev\":%s}\n", i / 200,
	    i % 200 * 5, 30 + i % 7, body);
}

/* A field of EVENT_STRING_MAX octets, all of them out of `of`. */
static size_t
costly(unsigned int i, const char *kind, const char *field, const char *of,
    char *ret, size_t size)
{
	char value[EVENT_STRING_MAX + 1];
	const size_t n = strlen(of);

	for (size_t k = 0; k < EVENT_STRING_MAX; k++)
		value[k] = of[k % n];
	(void)snprintf(value + EVENT_STRING_MAX - 8, 9, "%08x", i);
	return (size_t)snprintf(ret, size,
	    "{\"ev\":\"%s\",\"pid\":%u,\"%s\":\"%s\"}\n", kind, i % 999 + 1,
	    field, value);
}

static size_t
line_of(const char *what, unsigned int i, char *ret, size_t size)
{
	if (strcmp(what, "words") == 0)
		return costly(i, "process.start", "args",
		    "powershel -en vssadmin delet shadow wmic shadowcop "
		    "bcdedit recoveryenable netsh firewal curl base64 -d,a,b,",
		    ret, size);
	if (strcmp(what, "paths") == 0)
		return costly(i, "file.create", "path",
		    "/root/documents/appdata/local/decryp/wine/drive_", ret,
		    size);
	return usual(i, ret, size);
}

int
main(int argc, char **argv)
{
	CLEANUP(free_ptr) char *report = xcalloc(1, MAILBOX_REPORT_MAX);
	struct rules *rules = NULL;
	struct detector *d;
	char line[EVENT_LINE_MAX], err[300];
	size_t n = 0, length;
	unsigned int events = 0;
	struct mono start;
	uint64_t usec;

	if (argc < 3 || rules_load(argv[1], &rules, err, sizeof(err)) < 0) {
		(void)fprintf(stderr, "usage: behaviour_feed RULES "
				      "usual|words|paths\n");
		return 100;
	}
	while ((strcmp(argv[2], "usual") != 0 || events < USUAL) &&
	       (length = line_of(argv[2], events, line, sizeof(line))) <=
		   MAILBOX_REPORT_MAX - n) {
		memcpy(report + n, line, length);
		n += length;
		events++;
	}
	d = detector_new(rules);
	start = mono_now();
	detector_feed(d, report, n);
	usec = mono_span(start, mono_now());
	(void)printf("%u events of %s, %zu octets: %" PRIu64 " us, %.1f each\n",
	    events, argv[2], n, usec, (double)usec / events);
	(void)detector_free(d);
	(void)rules_free(rules);
	return 0;
}
