/*
 * tests/fuzz/fuzz_wine.c - any octets as what Wine prints: whole and in
 * pieces they come to the same report, which is lines of bounded length.
 */
#include "vmm/guest/wine_trace.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ROOM (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
peek(void *arg, uint64_t at, void *buf, size_t n)
{
	(void)arg;
	memset(buf, (int)(at & 0xff), n);
	return at % 3 != 0;
}

static size_t
report_of(const uint8_t *data, size_t size, size_t piece, char *room)
{
	static struct wine_trace trace;
	static struct report report;

	report_init(&report, room, ROOM);
	wine_trace_init(&trace, "C:\\a.exe");
	trace.peek = peek;
	while (size > 0) {
		const size_t n = size < piece ? size : piece;

		wine_trace_feed(&trace, &report, 1000, (const char *)data, n);
		data += n;
		size -= n;
	}
	wine_trace_end(&trace, &report, 2000);
	report_end(&report, 3000, "exit", 0);
	return report.used;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char whole[ROOM], pieces[ROOM];
	const size_t n = report_of(data, size, size + 1, whole);
	const char *at = whole, *end = whole + n;

	assert(n == report_of(data, size, size % 7 + 1, pieces));
	assert(memcmp(whole, pieces, n) == 0);
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		assert(stop && stop - at < REPORT_LINE_MAX);
		at = stop + 1;
	}
	return 0;
}
