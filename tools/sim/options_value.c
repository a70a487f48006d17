#include "tools/sim/options_value.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Beyond it a double no longer holds every whole number. */
#define WHOLE_MAX 0x1p53

__attribute__((format(printf, 3, 4))) static int
wrong(char *err, size_t err_size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(err, err_size, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int
value_number(const struct value_rule *rule, const char *text,
    double *ret_number, char *err, size_t err_size)
{
	/* strtod(3) takes more than people should write. */
	bool plain = *text && strspn(text, "0123456789+-.eE") == strlen(text);
	char *end = NULL;
	double x = plain ? strtod(text, &end) : 0;

	if (!plain || end == text || *end != '\0' || !isfinite(x))
		return wrong(err, err_size,
		    "%s: \"%s\" is not a number: write %s", rule->option, text,
		    rule->write);
	if (rule->above && x <= rule->min)
		return wrong(err, err_size, "%s: %s is not above %g: write %s",
		    rule->option, text, rule->min, rule->write);
	if (x < rule->min)
		return wrong(err, err_size, "%s: %s is below %g: write %s",
		    rule->option, text, rule->min, rule->write);
	if (x > rule->max)
		return wrong(err, err_size, "%s: %s is above %g: write %s",
		    rule->option, text, rule->max, rule->write);
	*ret_number = x;
	return 0;
}

int
value_count(const struct value_rule *rule, const char *text,
    uint64_t *ret_count, char *err, size_t err_size)
{
	double x;
	int r = value_number(rule, text, &x, err, err_size);

	if (r < 0)
		return r;
	if (x >= WHOLE_MAX)
		return wrong(err, err_size, "%s: %s is above %.0f: write %s",
		    rule->option, text, WHOLE_MAX - 1, rule->write);
	if (x < 0 || x != floor(x))
		return wrong(err, err_size,
		    "%s: %s is not a whole number: write %s", rule->option,
		    text, rule->write);
	*ret_count = (uint64_t)x;
	return 0;
}

/* The next of the words between commas; NULL behind the last.  An empty one
 * is a word. */
static char *
next_word(char **rest)
{
	return *rest ? strsep(rest, ",") : NULL;
}

int
value_numbers(const struct value_rule *rule, const char *text, size_t min_n,
    size_t max_n, double *ret_numbers, size_t *ret_n, char *err,
    size_t err_size)
{
	CLEANUP(free_ptr) char *copy = xstrdup(text);
	char *rest = copy, *word;
	size_t n = 0;

	while ((word = next_word(&rest))) {
		int r;

		if (n == max_n)
			return wrong(err, err_size,
			    "%s: \"%s\" has more than %zu numbers: write %s",
			    rule->option, text, max_n, rule->write);
		r = value_number(rule, word, &ret_numbers[n++], err, err_size);
		if (r < 0)
			return r;
	}
	if (n < min_n)
		return wrong(err, err_size,
		    "%s: \"%s\" has less than %zu numbers: write %s",
		    rule->option, text, min_n, rule->write);
	*ret_n = n;
	return 0;
}

#define WRITE_LIMITS \
	"octets that ascend, one for each worker but the last, such as " \
	"--limits 2000,10000,50000"

int
value_limits(const char *text, uint64_t *ret_limits, size_t *ret_n, char *err,
    size_t err_size)
{
	static const struct value_rule rule = {
	    "--limits", 1, 1e15, false, WRITE_LIMITS};
	CLEANUP(free_ptr) char *copy = xstrdup(text);
	char *rest = copy, *word;
	uint64_t limits[FEED_MAX_LANES - 1];
	size_t n = 0;
	bool none = false;

	while ((word = next_word(&rest))) {
		int r;

		if (strcmp(word, "none") == 0) {
			none = true;
			continue;
		}
		if (none)
			return wrong(err, err_size,
			    "--limits: %s comes after a queue without a "
			    "limit: write " WRITE_LIMITS,
			    word);
		if (n == ARRAY_SIZE(limits))
			return wrong(err, err_size,
			    "--limits: more than %zu limits: write fewer", n);
		r = value_count(&rule, word, &limits[n], err, err_size);
		if (r < 0)
			return r;
		if (n > 0 && limits[n] <= limits[n - 1])
			return wrong(err, err_size,
			    "--limits: %s comes after %ju and is not more: "
			    "write " WRITE_LIMITS,
			    word, (uintmax_t)limits[n - 1]);
		n++;
	}
	memcpy(ret_limits, limits, n * sizeof(limits[0]));
	*ret_n = n;
	return 0;
}

/* "size, size+load, ..." */
static int
wrong_policy(const char *word, const char *why, char *err, size_t err_size)
{
	char names[128] = "";

	for (int p = 0; p < FEED_POLICIES; p++) {
		size_t n = strlen(names);

		(void)snprintf(names + n, sizeof(names) - n, "%s%s",
		    p ? ", " : "", feed_policy_name((enum feed_policy)p));
	}
	return wrong(err, err_size,
	    "--policy: \"%s\" %s: write some of %s, with commas between, or "
	    "all",
	    word, why, names);
}

int
value_policies(const char *text, enum feed_policy *ret_policies, size_t *ret_n,
    char *err, size_t err_size)
{
	CLEANUP(free_ptr) char *copy = xstrdup(text);
	char *rest = copy, *word;
	enum feed_policy list[FEED_POLICIES];
	size_t n = 0;

	if (strcmp(text, "all") == 0) {
		for (; n < FEED_POLICIES; n++)
			ret_policies[n] = (enum feed_policy)n;
		*ret_n = n;
		return 0;
	}
	while ((word = next_word(&rest))) {
		enum feed_policy p;

		if (feed_policy_parse(word, &p) < 0)
			return wrong_policy(
			    word, "is no policy", err, err_size);
		for (size_t i = 0; i < n; i++)
			if (list[i] == p)
				return wrong_policy(
				    word, "is there twice", err, err_size);
		list[n++] = p;
	}
	memcpy(ret_policies, list, n * sizeof(list[0]));
	*ret_n = n;
	return 0;
}

/* The first second of the day that is days before today. */
static int
day_begin(int days, uint64_t *ret_usec)
{
	time_t now = (time_t)(wall_now().usec / USEC_PER_SEC), t;
	struct tm tm;

	if (!localtime_r(&now, &tm))
		return -EINVAL;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_mday -= days;
	tm.tm_isdst = -1; /* a clock may have been changed in between */
	t = mktime(&tm);
	if (t < 0)
		return -EINVAL;
	*ret_usec = (uint64_t)t * USEC_PER_SEC;
	return 0;
}

static int
calendar_time(const char *text, uint64_t *ret_usec)
{
	static const char *const forms[] = {
	    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"};
	CLEANUP(free_ptr) char *copy = xstrdup(text);
	char *t = strchr(copy, 'T');

	if (t)
		*t = ' ';
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm = {.tm_isdst = -1};
		const char *end = strptime(copy, forms[i], &tm);
		int day = tm.tm_mday;
		time_t sec;

		if (!end || *end)
			continue;
		sec = mktime(&tm);
		if (sec < 0 || tm.tm_mday != day)
			return -EINVAL; /* such as 30 February */
		*ret_usec = (uint64_t)sec * USEC_PER_SEC;
		return 0;
	}
	return -EINVAL;
}

int
value_time(const char *option, const char *text, uint64_t *ret_usec, char *err,
    size_t err_size)
{
	const struct value_rule rule = {option, 0, 1e11, false, ""};
	double sec;
	int r;

	if (strcmp(text, "today") == 0 || strcmp(text, "yesterday") == 0) {
		r = day_begin(text[0] == 'y', ret_usec);
	} else if (strcmp(text, "now") == 0) {
		*ret_usec = wall_now().usec;
		r = 0;
	} else if (value_number(&rule, text, &sec, err, err_size) == 0) {
		*ret_usec = (uint64_t)llround(sec * 1e6);
		r = 0;
	} else {
		r = calendar_time(text, ret_usec);
	}
	if (r == 0)
		return 0;
	return wrong(err, err_size,
	    "%s: \"%s\" is no time: write 2026-11-21, \"2026-11-21 14:30\", "
	    "yesterday, today, now, or seconds since 1970",
	    option, text);
}
