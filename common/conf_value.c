#include "common/conf_priv.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

/* Longest value of a string: names and addresses are far shorter. */
#define STRING_LIMIT 255
/* Longest number with its unit, and room for a separator. */
#define NUMBER_TEXT 32

#define PPM_PER_PERCENT UINT64_C(10000)

struct unit {
	const char *name;
	uint64_t factor;
};

/* From small to large; the first is the one without a factor. */
static const struct unit byte_units[] = {
    {"", 1},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {NULL, 0},
};

static const struct unit span_units[] = {
    {"us", 1},
    {"ms", USEC_PER_MSEC},
    {"s", USEC_PER_SEC},
    {"m", 60 * USEC_PER_SEC},
    {"h", 3600 * USEC_PER_SEC},
    {"d", 86400 * USEC_PER_SEC},
    {NULL, 0},
};

static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

static const struct unit *
units_of(enum conf_kind kind)
{
	if (kind == CONF_KIND_SPAN)
		return span_units;
	return kind == CONF_KIND_COUNT ? no_units : byte_units;
}

static const char *
example_of(enum conf_kind kind)
{
	if (kind == CONF_KIND_SPAN)
		return "a number with us, ms, s, m, h or d behind it, "
		       "as in 30s";
	if (kind == CONF_KIND_COUNT)
		return "a number in decimal digits";
	if (kind == CONF_KIND_PERCENT)
		return "percent in decimal digits, as in 2.5";
	return "a number of octets, or one with KiB, MiB or GiB behind it, "
	       "as in 64KiB";
}

/* Digits, then a unit; up to the first blank or the end.  NULL: malformed. */
static const char *
scan_number(const char *text, const struct unit *units, uint64_t *ret)
{
	const char *p = text;
	uint64_t n = 0;
	size_t len;

	if (!isdigit((unsigned char)*p))
		return NULL;
	for (; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(n, UINT64_C(10), &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return NULL;
	len = strcspn(p, " ");
	for (; units->name; units++) {
		if (strlen(units->name) != len ||
		    strncmp(units->name, p, len) != 0)
			continue;
		if (__builtin_mul_overflow(n, units->factor, ret))
			return NULL;
		return p + len;
	}
	return NULL;
}

/* Digits, and up to four more behind a point; in millionths. */
static const char *
scan_percent(const char *text, uint64_t *ret)
{
	const char *p = text;
	uint64_t n = 0, unit = PPM_PER_PERCENT;

	if (!isdigit((unsigned char)*p))
		return NULL;
	for (; isdigit((unsigned char)*p) && n <= 1000; p++)
		n = 10 * n + (uint64_t)(*p - '0');
	n *= PPM_PER_PERCENT;
	if (*p == '.')
		for (p++; isdigit((unsigned char)*p) && unit > 1; p++) {
			unit /= 10;
			n += unit * (uint64_t)(*p - '0');
		}
	*ret = n;
	return p;
}

static int
parse_number(enum conf_kind kind, const char *text, uint64_t *ret)
{
	uint64_t n;
	const char *end = kind == CONF_KIND_PERCENT
			      ? scan_percent(text, &n)
			      : scan_number(text, units_of(kind), &n);

	if (!end || *end)
		return -EINVAL;
	*ret = n;
	return 0;
}

static int
refuse_size(
    const struct conf_setting *s, bool is_small, char *err, size_t err_size)
{
	(void)snprintf(err, err_size, "too %s; write %s .. %s",
	    is_small ? "small" : "large", s->lo, s->hi);
	return -EINVAL;
}

static int
take_number(
    const struct conf_setting *s, const char *text, char *err, size_t err_size)
{
	uint64_t n = 0, lo = 0, hi = 0;
	int r;

	if (parse_number(s->kind, text, &n) < 0) {
		(void)snprintf(err, err_size,
		    "not a number that is "
		    "understood; write %s",
		    example_of(s->kind));
		return -EINVAL;
	}
	r = parse_number(s->kind, s->lo, &lo);
	if (r == 0)
		r = parse_number(s->kind, s->hi, &hi);
	assert(r == 0); /* conf.def is ours */
	if (n < lo || n > hi)
		return refuse_size(s, n < lo, err, err_size);
	*(uint64_t *)s->at = n;
	return 0;
}

/* "12", "0.1", "-3.5": a C library's reading depends on the locale. */
static int
parse_real(const char *text, double *ret)
{
	const bool is_minus = *text == '-';
	double n = 0, unit = 1;
	size_t digits = 0;
	bool is_behind = false;

	for (text += is_minus; *text; text++) {
		if (*text == '.' && !is_behind && digits > 0) {
			is_behind = true;
			continue;
		}
		if (!isdigit((unsigned char)*text) || ++digits > 15)
			return -EINVAL;
		n = n * 10 + (*text - '0');
		unit = is_behind ? unit * 10 : unit;
	}
	if (digits == 0)
		return -EINVAL;
	*ret = (is_minus ? -n : n) / unit;
	return 0;
}

static int
take_real(
    const struct conf_setting *s, const char *text, char *err, size_t err_size)
{
	double n = 0, lo = 0, hi = 0;
	int r;

	if (parse_real(text, &n) < 0) {
		(void)snprintf(err, err_size,
		    "not a number that is understood; write one in decimal "
		    "digits, as in 0.5");
		return -EINVAL;
	}
	r = parse_real(s->lo, &lo);
	if (r == 0)
		r = parse_real(s->hi, &hi);
	assert(r == 0); /* conf.def is ours */
	if (n < lo || n > hi)
		return refuse_size(s, n < lo, err, err_size);
	*(double *)s->at = n;
	return 0;
}

static int
take_sizes(
    const struct conf_setting *s, const char *text, char *err, size_t err_size)
{
	struct conf_sizes sizes = {0};
	const char *p = text + strspn(text, " ");

	while (*p) {
		uint64_t *n = &sizes.bytes[sizes.count];

		if (sizes.count == CONF_MAX_LIST) {
			(void)snprintf(err, err_size,
			    "too many; write at most %d", CONF_MAX_LIST);
			return -EINVAL;
		}
		p = scan_number(p, byte_units, n);
		if (!p) {
			(void)snprintf(err, err_size,
			    "not a list of sizes; "
			    "write them with blanks between, as in \"%s\"",
			    s->def);
			return -EINVAL;
		}
		if (*n == 0 || (sizes.count > 0 && *n <= n[-1])) {
			(void)snprintf(err, err_size,
			    "does not ascend; write every size larger than "
			    "the one before it");
			return -EINVAL;
		}
		sizes.count++;
		p += strspn(p, " ");
	}
	*(struct conf_sizes *)s->at = sizes;
	return 0;
}

static int
take_bool(
    const struct conf_setting *s, const char *text, char *err, size_t err_size)
{
	if (strcmp(text, "true") && strcmp(text, "false")) {
		(void)snprintf(
		    err, err_size, "neither yes nor no; write true or false");
		return -EINVAL;
	}
	*(bool *)s->at = text[0] == 't';
	return 0;
}

static void
store_string(const struct conf_setting *s, char *fresh)
{
	char **at = s->at;

	free(*at);
	*at = fresh;
}

/*
 * What is refused here would need quoting in the file or in a log line, and
 * no path, user or address needs it.
 */
static int
take_string(
    const struct conf_setting *s, const char *text, char *err, size_t err_size)
{
	size_t limit = s->kind == CONF_KIND_PATH ? PATH_MAX - 1 : STRING_LIMIT;

	if (s->kind == CONF_KIND_PATH && text[0] != '/') {
		(void)snprintf(err, err_size,
		    "not an absolute path; write "
		    "one that begins with /");
		return -EINVAL;
	}
	if (text[0] == '\0' || strlen(text) > limit) {
		(void)snprintf(err, err_size, "%s; write 1 .. %zu characters",
		    text[0] ? "too long" : "empty", limit);
		return -EINVAL;
	}
	for (const char *p = text; *p; p++) {
		if (!iscntrl((unsigned char)*p) && !strchr("\"'\\$", *p))
			continue;
		(void)snprintf(err, err_size,
		    "has a control character or one "
		    "of \" ' \\ $; write it without");
		return -EINVAL;
	}
	store_string(s, xstrdup(text));
	return 0;
}

static bool
is_word_of(const char *list, const char *word, size_t len)
{
	while (*list) {
		size_t n = strcspn(list, " ");

		if (n == len && strncmp(list, word, len) == 0)
			return true;
		list += n;
		list += strspn(list, " ");
	}
	return false;
}

bool
conf_has_word(const char *list, const char *word)
{
	return is_word_of(list, word, strlen(word));
}

static void
say_word(const struct conf_setting *s, const char *word, size_t len,
    bool is_double, char *err, size_t err_size)
{
	char raw[32], shown[128];

	(void)snprintf(raw, sizeof(raw), "%.*s", (int)len, word);
	(void)snprintf(err, err_size,
	    "%s: %s; write each at most once out of: %s",
	    log_text(shown, sizeof(shown), raw),
	    is_double ? "said twice" : "unknown", s->allowed);
}

/* Copy word by word, so that only single blanks are left. */
static int
take_words(
    const struct conf_setting *s, const char *text, char *err, size_t err_size)
{
	CLEANUP(free_ptr) char *out = xcalloc(strlen(text) + 2, 1);
	const char *p = text + strspn(text, " ");
	size_t n = 0, words = 0;

	while (*p) {
		size_t len = strcspn(p, " ");

		if (!is_word_of(s->allowed, p, len) ||
		    is_word_of(out, p, len)) {
			say_word(
			    s, p, len, is_word_of(out, p, len), err, err_size);
			return -EINVAL;
		}
		if (words++ > 0)
			out[n++] = ' ';
		memcpy(out + n, p, len);
		n += len;
		p += len;
		p += strspn(p, " ");
	}
	if (words == 0 || (s->kind == CONF_KIND_CHOICE && words > 1)) {
		(void)snprintf(err, err_size, "%s; write %s of: %s",
		    words ? "several words" : "empty",
		    s->kind == CONF_KIND_CHOICE ? "one" : "one or more",
		    s->allowed);
		return -EINVAL;
	}
	store_string(s, TAKE_PTR(out));
	return 0;
}

int
conf_take(const struct conf_setting *setting, const char *text, char *err,
    size_t err_size)
{
	switch (setting->kind) {
	case CONF_KIND_COUNT:
	case CONF_KIND_PERCENT:
	case CONF_KIND_BYTES:
	case CONF_KIND_SPAN:
		return take_number(setting, text, err, err_size);
	case CONF_KIND_REAL:
		return take_real(setting, text, err, err_size);
	case CONF_KIND_SIZES:
		return take_sizes(setting, text, err, err_size);
	case CONF_KIND_BOOL:
		return take_bool(setting, text, err, err_size);
	case CONF_KIND_PATH:
	case CONF_KIND_STRING:
		return take_string(setting, text, err, err_size);
	case CONF_KIND_WORDS:
	case CONF_KIND_CHOICE:
		return take_words(setting, text, err, err_size);
	case CONF_KIND_SECTION:
	case CONF_KIND_END:
		break;
	}
	assert(false); /* a section has no value */
	return -EINVAL;
}

/* In the largest unit that leaves no rest. */
static void
number_text(enum conf_kind kind, uint64_t n, char *buf, size_t size)
{
	const struct unit *best = units_of(kind);

	if (kind == CONF_KIND_SPAN && n == 0)
		best += 2; /* "0s" reads better than "0us" */
	else
		for (const struct unit *u = best; n && u->name; u++)
			if (n % u->factor == 0)
				best = u;
	(void)snprintf(
	    buf, size, "%ju%s", (uintmax_t)(n / best->factor), best->name);
}

/* Without zeroes that say nothing: 2.5. */
static void
percent_text(uint64_t ppm, char *buf, size_t size)
{
	uint64_t rest = ppm % PPM_PER_PERCENT;
	int digits = 4;

	for (; digits > 0 && rest % 10 == 0; digits--)
		rest /= 10;
	(void)snprintf(buf, size, "%ju", (uintmax_t)(ppm / PPM_PER_PERCENT));
	if (digits > 0)
		(void)snprintf(buf + strlen(buf), size - strlen(buf), ".%0*ju",
		    digits, (uintmax_t)rest);
}

static char *
sizes_text(const struct conf_sizes *sizes)
{
	char *out = xcalloc(sizes->count + 1, NUMBER_TEXT);

	for (size_t i = 0; i < sizes->count; i++) {
		char one[NUMBER_TEXT];

		number_text(CONF_KIND_SIZES, sizes->bytes[i], one, sizeof(one));
		if (i > 0)
			strcat(out, " ");
		strcat(out, one); /* NUMBER_TEXT each: fits */
	}
	return out;
}

char *
conf_give(const struct conf_setting *setting)
{
	char buf[NUMBER_TEXT];

	switch (setting->kind) {
	case CONF_KIND_COUNT:
	case CONF_KIND_BYTES:
	case CONF_KIND_SPAN:
		number_text(setting->kind, *(const uint64_t *)setting->at, buf,
		    sizeof(buf));
		return xstrdup(buf);
	case CONF_KIND_PERCENT:
		percent_text(*(const uint64_t *)setting->at, buf, sizeof(buf));
		return xstrdup(buf);
	case CONF_KIND_REAL:
		(void)snprintf(
		    buf, sizeof(buf), "%.15g", *(const double *)setting->at);
		return xstrdup(buf);
	case CONF_KIND_SIZES:
		return sizes_text(setting->at);
	case CONF_KIND_BOOL:
		return xstrdup(*(const bool *)setting->at ? "true" : "false");
	case CONF_KIND_PATH:
	case CONF_KIND_STRING:
	case CONF_KIND_WORDS:
	case CONF_KIND_CHOICE:
	case CONF_KIND_SECTION:
	case CONF_KIND_END:
		break;
	}
	return xstrdup(*(char *const *)setting->at);
}
