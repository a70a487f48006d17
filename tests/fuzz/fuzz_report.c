/*
 * tests/fuzz/fuzz_report.c - any octets as a guest's report.
 *
 * Each line is read by our own reader and by jansson: what ours takes for an
 * event jansson takes for an object with the same strings.  Then the whole
 * is fed to a detector at once and in pieces, which must come to the same.
 */
#include "vmm/detector.h"
#include "vmm/report.h"
#include "vmm/rules_priv.h"

#include "common/cleanup.h"

#include <assert.h>
#include <jansson.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] =
    "class docs /root/* c:/users/*\n"
    "behaviour a 60 T1000 \"A\"\n"
    " when file.create path $ and path @docs\n"
    " then process.start path $ within 10s\n"
    " when process.start args *x* and image not */sh\n"
    "behaviour b 50 T1000 \"B\"\n"
    " when file.write path @docs and path not @new times 3 different dir\n"
    " when registry.set key *run* and data @new @sample\n"
    "behaviour c 40 T1000 \"C\"\n"
    " when file.create base $ times 2 different dir\n"
    " when net.mail times 3 different to within 5s\n"
    "scorer d 10 T1000 \"D\"\n bias -1\n score 0\n weight 1.5 a b\n";

/* U+0000 is U+FFFD in ours; nothing else may differ. */
static void
same_string(const struct guest_event *e, size_t i, const json_t *value)
{
	const char *theirs = json_string_value(value);
	const char *ours = e->field[i];
	const size_t n = json_string_length(value);

	assert(strlen(ours) == e->length[i]);
	for (size_t k = 0; k < n; k++) {
		if (theirs[k] == '\0') {
			assert(memcmp(ours, "\xef\xbf\xbd", 3) == 0);
			ours += 3;
		} else {
			assert(*ours++ == theirs[k]);
		}
	}
	assert(*ours == '\0');
}

static void
line_is_the_same(const char *line, size_t n)
{
	CLEANUP(free_ptr) struct guest_event *e = malloc(sizeof(*e));
	json_error_t error;
	json_t *json;

	assert(e);
	if (report_read(line, n, e) < 0)
		return;
	assert(e->kind < GUEST_KINDS && e->times > 0);
	json = json_loadb(
	    line, n, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
	if (!json) { /* 1e999, which we keep as text; a key that we don't know
		      */
		assert(json_error_code(&error) == json_error_numeric_overflow ||
		       json_error_code(&error) == json_error_null_byte_in_key);
		return;
	}
	for (size_t i = 0; i < GUEST_FIELDS; i++) {
		const json_t *value = json_object_get(
		    json, guest_field_name((enum guest_field)i));

		assert((value == NULL) == (e->field[i] == NULL));
		if (json_is_string(value))
			same_string(e, i, value);
	}
	assert(strcmp(json_string_value(json_object_get(json, "ev")),
		   guest_kind_name(e->kind)) == 0);
	json_decref(json);
}

static struct detector *
fed(const struct rules *rules, const uint8_t *data, size_t size, size_t piece)
{
	struct detector *d = detector_new(rules);

	while (size > 0) {
		const size_t n = size < piece ? size : piece;

		detector_feed(d, data, n);
		data += n;
		size -= n;
	}
	return d;
}

static void
evidence_is_the_same(const struct detector *a, const struct detector *b)
{
	const size_t sizes[] = {20, 300, 1000, 65536};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		CLEANUP(free_ptr) char *x = detector_evidence(a, sizes[i]);
		CLEANUP(free_ptr) char *y = detector_evidence(b, sizes[i]);
		json_t *json;

		assert((x == NULL) == (y == NULL));
		if (!x)
			continue;
		assert(strcmp(x, y) == 0 && strlen(x) <= sizes[i]);
		json = json_loads(x, JSON_REJECT_DUPLICATES, NULL);
		assert(json && !strchr(x, '\n'));
		json_decref(json);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rules *rules;
	struct detector *whole, *pieces;
	const char *at = (const char *)data, *end = at + size, *why[2];

	if (!rules) {
		char err[300];

		if (rules_parse("r", text, strlen(text), NULL, &rules, err,
			sizeof(err)) < 0)
			abort();
	}
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		newline = newline ? newline : end;
		line_is_the_same(at, (size_t)(newline - at));
		at = newline + (newline < end);
	}
	whole = fed(rules, data, size, size + 1);
	pieces = fed(rules, data, size, size % 7 + 1);
	evidence_is_the_same(whole, pieces);
	assert(detector_is_conclusive(whole, true, &why[0]) ==
	       detector_is_conclusive(pieces, true, &why[1]));
	assert(strcmp(why[0], why[1]) == 0);
	assert(detector_is_proven(whole) == detector_is_proven(pieces));
	(void)detector_free(whole);
	(void)detector_free(pieces);
	return 0;
}
