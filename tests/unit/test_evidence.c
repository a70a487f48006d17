/*
 * tests/unit/test_evidence.c - what is written down of a message's parts.
 */
#include "tests/support/judge_site.h"

#include "common/cleanup.h"
#include "common/digest.h"
#include "worker/evidence_parts.h"
#include "worker/reading_priv.h"

#include <jansson.h>

static void
start(struct site *s, site_reading *reading, const char *engines)
{
	char err[200] = "";

	site_set(&s->conf->worker.engines, engines, "");
	assert_int_equal(site_start(s, err, sizeof(err)), 0);
	s->reading = reading;
}

static json_t *
evidence(struct site *s)
{
	json_t *root;

	site_submit(s, 1, "OK");
	site_finish(s, 1);
	assert_int_equal(
	    strlen(s->evidence[1]), s->judgement[1].evidence_bytes);
	assert_null(strchr(s->evidence[1], '\n'));
	root = json_loads(s->evidence[1], 0, NULL);
	assert_non_null(root);
	return root;
}

static bool
leave_two(struct reading_writer *w, void *arg)
{
	struct reading_part part = {.parent = -1,
	    .view = VIEW_CARVED,
	    .flags = PART_ATTACHMENT | PART_ENCRYPTED,
	    .n_names = 2,
	    .names = "b.exe\0caf\xc3\xa9 \"1\".txt",
	    .declared = "text/x",
	    .type = "application/x-dosexec"};

	(void)arg;
	(void)fake_part(w, "OK", 2, "");
	(void)writer_append(w, "A FOUND", 7);
	writer_blob_end(w, &part.off, &part.bytes);
	(void)writer_part(w, &part);
	part.n_names = 0; /* the same octets once more */
	part.flags = PART_BODY | PART_BROKEN | PART_CONTAINER;
	part.view = VIEW_MIME;
	(void)writer_part(w, &part);
	part.bytes = 0;
	part.flags = PART_NO_CONTENT;
	(void)writer_part(w, &part);
	assert_int_equal(
	    writer_commit(w, READING_COMPLETE,
		AMBIGUOUS_NAME | AMBIGUOUS_CARVED, false, "two names"),
	    0);
	return true;
}

static void
is_json(const json_t *have, const char *want)
{
	char *text = json_dumps(have, JSON_COMPACT | JSON_ENSURE_ASCII);

	assert_non_null(text);
	assert_string_equal(text, want);
	free(text);
}

#define REFUSED \
	"{\"engine\":\"policy\",\"answer\":\"refuse\"," \
	"\"reason\":\"No programs, please\"}"
#define ALLOWED "{\"engine\":\"policy\",\"answer\":\"clean\"}"
#define FOUND   "{\"engine\":\"clamd\",\"answer\":\"hit\",\"reason\":\"A\"}"
#define CLEAN   "{\"engine\":\"clamd\",\"answer\":\"clean\"}"

/* sha256 of "A FOUND", "OK" and nothing, by coreutils' sha256sum. */
#define SHA_FOUND \
	"5281d322cbb362c652aa175dd71b16805a214da52710ed963ae20fa95ce9063a"
#define SHA_OK \
	"565339bc4d33d72817b583024112eb7f5cdf3e5eef0252d6ec1b9c9a94e12bb3"
#define SHA_EMPTY \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void
every_part_is_there_with_its_verdicts(void **state)
{
	/* Those with a bad answer first. */
	static const char *const want[] = {
	    "{\"sha256\":\"" SHA_FOUND "\","
	    "\"names\":[\"b.exe\",\"caf\\u00E9 \\\"1\\\".txt\"],"
	    "\"type\":\"application/x-dosexec\",\"bytes\":7,"
	    "\"view\":\"carved\",\"flags\":[\"attachment\",\"encrypted\"],"
	    "\"verdicts\":[" REFUSED "," FOUND "]}",
	    "{\"sha256\":\"" SHA_FOUND "\",\"names\":[],"
	    "\"type\":\"application/x-dosexec\",\"bytes\":7,"
	    "\"view\":\"mime\",\"flags\":[\"container\",\"broken\",\"body\"],"
	    "\"verdicts\":[" ALLOWED "," FOUND "]}",
	    "{\"sha256\":\"" SHA_OK "\",\"names\":[],\"type\":\"text/plain\","
	    "\"bytes\":2,\"view\":\"mime\",\"flags\":[\"attachment\"],"
	    "\"verdicts\":[" ALLOWED "," CLEAN "]}",
	    "{\"sha256\":\"" SHA_EMPTY "\",\"names\":[],"
	    "\"type\":\"application/x-dosexec\",\"bytes\":0,"
	    "\"view\":\"mime\",\"flags\":[\"no content\"],"
	    "\"verdicts\":[" ALLOWED "]}",
	};
	struct site *s = *state;
	const json_t *parts;
	json_t *root;

	start(s, leave_two, "policy clamd");
	root = evidence(s);
	parts = json_object_get(root, "parts");
	assert_int_equal(json_array_size(parts), ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		is_json(json_array_get(parts, i), want[i]);
	assert_null(json_object_get(root, "parts_omitted"));
	assert_string_equal(
	    json_string_value(json_object_get(root, "ambiguity")),
	    "name carved");
	assert_string_equal(
	    json_string_value(json_object_get(root, "reading")), "two names");
	json_decref(root);
}

static int
note_file(void *arg, const struct evidence_part *p)
{
	char *at = (char *)arg + strlen(arg), hex[DIGEST_HEX];

	(void)sprintf(at, "%.4s %ju %s %s %s;", digest_hex(&p->digest, hex),
	    (uintmax_t)p->bytes, p->name, p->verdict, p->engine);
	return 0;
}

/* Who counts files reads what is written here. */
static void
the_files_are_found_again(void **state)
{
	struct site *s = *state;
	CLEANUP(free_ptr) char *kept = NULL;
	char files[500] = "";

	start(s, leave_two, "policy clamd");
	json_decref(evidence(s));
	kept = xasprintf("{\"engines\":[],\"reading\":%s}", s->evidence[1]);
	assert_int_equal(evidence_parts(kept, note_file, files), 0);
	assert_string_equal(
	    files, "5281 7 b.exe hit clamd;5653 2  clean policy;");
}

static void
engines_that_were_not_asked_leave_no_verdict(void **state)
{
	struct site *s = *state;
	json_t *root;

	start(s, leave_two, "");
	root = evidence(s);
	assert_null(strstr(s->evidence[1], "policy"));
	assert_null(strstr(s->evidence[1], "clamd"));
	assert_int_equal(json_array_size(json_object_get(root, "parts")), 4);
	json_decref(root);
}

#define THOUSANDS 3000

/* The bad one is the last. */
static bool
leave_thousands(struct reading_writer *w, void *arg)
{
	char name[64];

	(void)arg;
	for (int i = 0; i < THOUSANDS; i++) {
		(void)snprintf(name, sizeof(name), "%d.%s", i,
		    i == THOUSANDS - 1 ? "exe" : "txt");
		(void)fake_part(w, name, strlen(name), name);
	}
	assert_int_equal(writer_commit(w, READING_COMPLETE, 0, false, ""), 0);
	return true;
}

static void
of_thousands_of_parts_the_bad_ones_are_kept(void **state)
{
	struct site *s = *state;
	const json_t *parts, *omitted;
	json_t *root;
	char name[64];

	start(s, leave_thousands, "policy");
	root = evidence(s);
	assert_true(s->judgement[1].evidence_bytes <= WIRE_EVIDENCE_MAX);
	parts = json_object_get(root, "parts");
	assert_true(json_array_size(parts) > 50);
	(void)snprintf(name, sizeof(name), "%d.exe", THOUSANDS - 1);
	assert_string_equal(
	    json_string_value(json_array_get(
		json_object_get(json_array_get(parts, 0), "names"), 0)),
	    name);
	omitted = json_object_get(root, "parts_omitted");
	assert_int_equal(
	    json_integer_value(omitted), THOUSANDS - json_array_size(parts));
	json_decref(root);
}

/* n octets of characters that take the most as ASCII, then end. */
static size_t
fill(char *to, size_t n, const char *end)
{
	for (size_t i = 0; i < n; i++)
		to[i] = "\xc3\xa9"[i % 2];
	(void)strcpy(to + n, end);
	return n + strlen(end) + 1;
}

/* Every text as long as it may be; arg is the end of the names. */
static bool
leave_worst(struct reading_writer *w, void *arg)
{
	char text[READING_TEXT_MAX + 1], type[READING_NAME_MAX + 1];
	char names[3 * (READING_NAME_MAX + 1)], end[16];
	struct reading_part part = {.parent = -1,
	    .flags = PART_FLAGS & ~(PART_NO_CONTENT | PART_BODY),
	    .view = VIEW_BOUNDARY,
	    .n_names = 3,
	    .names = names,
	    .declared = "",
	    .type = type};

	(void)fill(type, READING_NAME_MAX - 1, "");
	for (int i = 0; i < 200; i++) {
		size_t at = 0;

		for (int n = 0; n < 3; n++) {
			(void)snprintf(
			    end, sizeof(end), "%d%s", n, (const char *)arg);
			at += fill(names + at, 250, end);
		}
		(void)writer_append(w, &i, sizeof(i));
		writer_blob_end(w, &part.off, &part.bytes);
		(void)writer_part(w, &part);
	}
	(void)fill(text, READING_TEXT_MAX - 1, "");
	assert_int_equal(
	    writer_commit(w, READING_COMPLETE, AMBIGUOUS_BITS, true, text), 0);
	return true;
}

static void
the_worst_texts_cost_parts_but_never_all(void **state)
{
	static char refused[] = ".exe", allowed[] = ".txt";
	struct site *s = *state;
	json_t *root;

	start(s, leave_worst, "policy");
	for (int i = 0; i < 2; i++) {
		s->reading_arg = i ? refused : allowed;
		root = evidence(s);
		assert_null(json_object_get(root, "too_large"));
		assert_true(
		    json_array_size(json_object_get(root, "parts")) >= 10);
		assert_true(
		    s->judgement[1].evidence_bytes > WIRE_EVIDENCE_MAX / 2);
		assert_non_null(json_object_get(root, "reading"));
		json_decref(root);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, site_setup, site_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_part_is_there_with_its_verdicts),
	    TEST(the_files_are_found_again),
	    TEST(engines_that_were_not_asked_leave_no_verdict),
	    TEST(of_thousands_of_parts_the_bad_ones_are_kept),
	    TEST(the_worst_texts_cost_parts_but_never_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
