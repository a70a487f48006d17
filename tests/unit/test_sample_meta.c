#include "tools/sluice/sample_meta.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SUM \
	"00000000000000000000000000000000" \
	"000000000000000000000000000000aB"

static json_t *
meta_of(const char *text, bool with_names)
{
	char err[200] = "";
	json_t *meta =
	    sample_meta(text, strlen(text), with_names, err, sizeof(err));

	assert_true(meta ? *err == '\0' : *err != '\0');
	return meta;
}

/* Taken, and then is this text. */
static void
becomes(const char *text, bool with_names, const char *wanted)
{
	json_t *meta = meta_of(text, with_names);
	CLEANUP(free_ptr) char *got = NULL;

	assert_non_null(meta);
	got = json_dumps(meta, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(got, wanted);
	json_decref(meta);
}

static void
what_is_on_the_list_goes_and_nothing_else(void **state)
{
	(void)state;
	becomes("{}", true, "{}");
	becomes("{\"bytes\":1,\"mid\":\"0A\",\"rcpt\":\"a@b\",\"time\":\"x\","
		"\"model\":\"" SUM "\",\"kind\":\"pe\",\"type\":null}",
	    true, "{\"bytes\":1,\"kind\":\"pe\",\"model\":\"" SUM "\"}");
	becomes("{\"families\":{\"bytes\":-1.5,\"words\":2,\"no\":3}}", true,
	    "{\"families\":{\"bytes\":-1.5,\"words\":2}}");
	becomes("{\"spread\":{\"copies\":3,\"replicator\":\"a@b\","
		"\"spread\":null}}",
	    true, "{\"spread\":{\"copies\":3}}");
}

static void
names_with_addresses_stay_at_home(void **state)
{
	const char text[] = "{\"names\":[\"a.exe\",\"bob@x.exe\",\"b\"]}";

	(void)state;
	becomes(text, true, "{\"names\":[\"a.exe\",\"b\"]}");
	becomes(text, false, "{}");
}

static void
names_are_few_and_short(void **state)
{
	CLEANUP(free_ptr) char *text = xcalloc(1, 1000);
	json_t *meta;

	(void)state;
	strcpy(text, "{\"names\":[\"");
	memset(text + strlen(text), 'a', SAMPLE_TEXT_MAX + 1);
	strcat(text, "\"");
	for (int i = 0; i < SAMPLE_NAMES + 4; i++)
		strcat(text, ",\"b\"");
	strcat(text, "]}");
	meta = meta_of(text, true);
	assert_int_equal(
	    json_array_size(json_object_get(meta, "names")), SAMPLE_NAMES);
	assert_string_equal(json_string_value(json_array_get(
				json_object_get(meta, "names"), 0)),
	    "b");
	json_decref(meta);
}

static void
what_is_wrong_is_refused_whole(void **state)
{
	static const char *const texts[] = {"", "[]", "{", "nul",
	    "{\"bytes\":-1}", "{\"bytes\":1.5}", "{\"bytes\":\"1\"}",
	    "{\"bytes\":1,\"bytes\":2}", "{\"p_malicious\":1.01}",
	    "{\"p_malicious\":-0.1}", "{\"p_malicious\":1e400}",
	    "{\"model\":\"00\"}", "{\"names\":\"a\"}", "{\"names\":[1]}",
	    "{\"families\":[]}", "{\"families\":{\"bytes\":\"x\"}}",
	    "{\"spread\":{\"copies\":-1}}", "{\"kind\":\"\xff\"}",
	    "{\"label\":\"\\u001b[2J\"}", "{} {}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_null(meta_of(texts[i], true));
}

static void
names_of_files_are_digests(void **state)
{
	struct digest digest;

	(void)state;
	assert_true(sample_json_name(SUM ".json", &digest));
	assert_int_equal(digest.bytes[31], 0xab);
	assert_false(sample_json_name(SUM, &digest));
	assert_false(sample_json_name(SUM "0.json", &digest));
	assert_false(sample_json_name("../" SUM ".json", &digest));
	assert_false(sample_json_name(".json", &digest));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_on_the_list_goes_and_nothing_else),
	    cmocka_unit_test(names_with_addresses_stay_at_home),
	    cmocka_unit_test(names_are_few_and_short),
	    cmocka_unit_test(what_is_wrong_is_refused_whole),
	    cmocka_unit_test(names_of_files_are_digests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
