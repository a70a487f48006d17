#include "worker/links.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/support/cell_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What was found, blank-separated. */
struct found {
	char text[4096];
	size_t n, too_long;
};

static void
note(void *arg, const char *url)
{
	struct found *f = arg;

	f->n++;
	if (!url)
		f->too_long++;
	else if (strlen(f->text) + strlen(url) + 2 < sizeof(f->text))
		(void)strcat(strcat(f->text, *f->text ? " " : ""), url);
}

static const struct row {
	const char *text, *found;
} texts[] = {
    {"see http://a.test/x.exe now", "http://a.test/x.exe"},
    {"see http://a.test/x.exe.", "http://a.test/x.exe"},
    {"<https://a.test/x.exe>, or", "https://a.test/x.exe"},
    {"(http://a.test/x.exe)", "http://a.test/x.exe"},
    {"(http://a.test/x(1).exe?(b))", "http://a.test/x(1).exe?(b))"},
    {"\"http://a.test/x.exe\"", "http://a.test/x.exe"},
    {"*http://a.test/x.exe*", "http://a.test/x.exe"},
    {"HTTPS://A.TEST/x.exe!", "https://a.test/x.exe"},
    {"www.a.test/x.exe", "http://www.a.test/x.exe"},
    {"http://www.a.test/x.exe", "http://www.a.test/x.exe"},
    {"http://a.test/r?u=http://b.test/x.exe",
	"http://a.test/r?u=http://b.test/x.exe http://b.test/x.exe"},
    {"http://a.test/x.exe\302\240http://b.test/y",
	"http://a.test/x.exe http://b.test/y"},
    {"http://a.test/x.exe\343\201\257", "http://a.test/x.exe"},
    {"ahttp://a.test/x.exe", ""},
    {"ftp://a.test/x.exe", ""},
    {"joe@www.a.test awww.a.test", ""},
    {"http://", ""},
    {"://", ""},
    {"www. .", ""},
};

static const struct row pages[] = {
    {"<a href=\"http://a.test/x.exe\">y</a>",
	"http://a.test/x.exe http://a.test/x.exe"},
    {"<a href=&#104;ttp&colon;&sol;/a.test/x&period;e&#x78;e>",
	"http://a.test/x.exe"},
    {"<A\nHREF = 'http:\\\\a.test/x.exe'>", "http://a.test/x.exe"},
    {"<a/href=http:a.test/x.exe/>", "http://a.test/x.exe/"},
    {"<a title='>' href=http:a.test/x.exe>", "http://a.test/x.exe"},
    {"<a title=\"<a href='http:b.test/y'>\" href=http:a.test/x.exe>",
	"http://a.test/x.exe"},
    {"<a href=\"ht\ntp:/\n/a.test/x\t.exe\">", "http://a.test/x.exe"},
    {"<a href=\"http:a.test/x.exe?a=1&amp;b=2&c=&ampd\">",
	"http://a.test/x.exe?a=1&b=2&c=&ampd"},
    {"<a href=http:a.test/x.exe", "http://a.test/x.exe"},
    {"<area href=http:a.test/x.exe>", "http://a.test/x.exe"},
    {"<iframe src=http:a.test/x.exe>", "http://a.test/x.exe"},
    {"<embed src=http:a.test/x.exe>", "http://a.test/x.exe"},
    {"<object data=http:a.test/x.exe>", "http://a.test/x.exe"},
    {"<script src=http:a.test/x.js></script>", "http://a.test/x.js"},
    {"<svg><a xlink:href=http:a.test/x.exe>", "http://a.test/x.exe"},
    {"<meta http-equiv=refresh content=\"0; URL='http:a.test/x.exe'\">",
	"http://a.test/x.exe"},
    {"<meta content=url=>", ""},
    {"<base href=http:a.test/d/><a href=x.exe><base href=http:b.test/>"
     "<a href=/y.exe>",
	"http://a.test/d/x.exe http://a.test/y.exe"},
    {"<a href=x.exe>", ""},
    {"<img src=http:a.test/x.exe><form action=http:a.test/y.exe>", ""},
    {"<script>location='http://a.test/x.exe'</script>", "http://a.test/x.exe"},
    {"<script>'<a href=http:a.test/x.exe>'</scripty></script >"
     "<a href=http:b.test/y.exe>",
	"http://b.test/y.exe"},
    {"<!-- <a href=http:a.test/x.exe> --><a href=http:b.test/y.exe>",
	"http://b.test/y.exe"},
    {"<!--><a href=http:b.test/y.exe>", "http://b.test/y.exe"},
    {"<!---><a href=http:b.test/y.exe>", "http://b.test/y.exe"},
    {"<!-- --!><a href=http:b.test/y.exe>", "http://b.test/y.exe"},
    {"<!--[if mso]>http://a.test/x.exe<![endif]-->", "http://a.test/x.exe"},
    {"<!-- a=\" --><a href=http:b.test/y.exe>", "http://b.test/y.exe"},
    {"<?x <a href=http:b.test/y.exe>", ""},
    {"</a href=http:a.test/z><a href=http:b.test/y.exe>",
	"http://b.test/y.exe"},
    {"< a href=http:a.test/x.exe>", ""},
    {"http://a.test/x.exe&quot; http://b.test/?c&amp;d&nbsp;",
	"http://a.test/x.exe http://b.test/?c&d"},
    {"<", ""},
    {"<a", ""},
    {"<a href", ""},
    {"<a href=", ""},
    {"<a href=\"", ""},
    {"<!-", ""},
    {"<!--", ""},
    {"<!---", ""},
    {"</", ""},
};

static void
check_rows(const struct row *rows, size_t n, bool is_page)
{
	for (size_t i = 0; i < n; i++) {
		struct found f = {.n = 0};
		/* Of exactly its size, so that no octet more is looked at. */
		CLEANUP(free_ptr) char *copy = malloc(strlen(rows[i].text));
		const struct span text = {copy, strlen(rows[i].text)};

		assert_non_null(copy);
		memcpy(copy, rows[i].text, text.len);
		if (is_page)
			links_in_page(text, note, &f);
		else
			links_in_text(text, false, note, &f);
		if (strcmp(f.text, rows[i].found) != 0)
			fail_msg("%s: found \"%s\", not \"%s\"", rows[i].text,
			    f.text, rows[i].found);
	}
}

static void
addresses_are_found_in_text(void **state)
{
	(void)state;
	check_rows(texts, ARRAY_SIZE(texts), false);
}

static void
addresses_are_found_in_pages(void **state)
{
	(void)state;
	check_rows(pages, ARRAY_SIZE(pages), true);
}

static void
an_address_that_is_too_long_is_told_as_such(void **state)
{
	struct found f = {.n = 0};
	static char text[8000] = "http://a.test/";

	(void)state;
	memset(text + 14, 'a', sizeof(text) - 14);
	links_in_text((struct span){text, sizeof(text)}, false, note, &f);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.too_long, 1);
}

/* What makes a careless reader look at everything again and again. */
static void
the_time_is_that_of_the_length(void **state)
{
	static const char *const units[] = {"http://", "http://)", "(www.", "<",
	    "<!--", "<!-- --!", "<a", "<a b='", "<title>", "</", "<!",
	    "<a href=", "&#", "<a href=\"&", "<script></", "<meta content=u"};
	const size_t size = LINKS_LOOK_BYTES;
	char *page = malloc(size);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		const size_t n = strlen(units[i]);
		struct found f = {.n = 0};
		struct mono start;
		uint64_t usec;

		for (size_t at = 0; at < size; at++)
			page[at] = units[i][at % n];
		start = mono_now();
		links_in_page((struct span){page, size}, note, &f);
		usec = mono_span(start, mono_now());
		/* It takes up to 0.5 s with sanitizers; anything that goes as
		 * the square takes minutes. */
		if (usec > 10 * USEC_PER_SEC)
			fail_msg("%s: %.1f s", units[i], (double)usec / 1e6);
	}
	free(page);
}

#define HEAD \
	"From: a@a.test\nMIME-Version: 1.0\nContent-Type: multipart/mixed; " \
	"boundary=b\n\n--b\nContent-Type: text/plain\n\n" \
	"see http://a.test/text.exe\nand http://a.test/page.html\n"
#define TAIL \
	"--b\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n\n" \
	"PGh0bWw+PGEgaHJlZj0iaHR0cDovL2EudGVzdC9wYWdlLmRvYyI+eDwvYT48L2h0bWw+" \
	"\n--b--\n"

/* The reading's links, blank-separated. */
static char *
links_of(const char *mail, uint32_t most, bool *ret_cut)
{
	struct cell_limits limits = cell_usual;
	struct reading *r;
	char *text = calloc(1, 8192);
	const char *at;

	limits.links = most;
	r = cell_run_limits(mail, strlen(mail), &limits);
	at = r->links;
	for (uint32_t i = 0; i < r->n_links; i++, at += strlen(at) + 1)
		(void)strcat(strcat(text, i ? " " : ""), at);
	*ret_cut = r->links_cut;
	reading_free(r);
	return text;
}

static void
a_reading_has_the_links_to_files_once_each(void **state)
{
	bool is_cut;
	CLEANUP(free_ptr)
	char *all = links_of(HEAD "http://a.test/text.exe "
				  "http://a.test/unsubscribe.pdf\n" TAIL,
	    8, &is_cut);

	(void)state;
	assert_string_equal(
	    all, "http://a.test/text.exe http://a.test/page.doc");
	assert_false(is_cut);
}

static void
no_more_links_than_the_limit_are_told_and_that_is_said(void **state)
{
	bool is_cut;
	CLEANUP(free_ptr) char *one = links_of(HEAD TAIL, 1, &is_cut);
	CLEANUP(free_ptr) char *none = NULL;

	(void)state;
	assert_string_equal(one, "http://a.test/text.exe");
	assert_true(is_cut);
	none = links_of(HEAD TAIL, 0, &is_cut);
	assert_string_equal(none, "");
	assert_false(is_cut); /* nobody asked */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_are_found_in_text),
	    cmocka_unit_test(addresses_are_found_in_pages),
	    cmocka_unit_test(an_address_that_is_too_long_is_told_as_such),
	    cmocka_unit_test(the_time_is_that_of_the_length),
	    cmocka_unit_test(a_reading_has_the_links_to_files_once_each),
	    cmocka_unit_test(
		no_more_links_than_the_limit_are_told_and_that_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
