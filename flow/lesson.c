#include "flow/lesson.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/words.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a, 64 bits: it need not withstand anybody, who lies about his own
 * connection counts it once more. */
static uint64_t
hash_on(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash;
}

static int
read_feature(const char *name, const char *value, struct flow_sample *sample)
{
	for (size_t f = 0; f < FLOW_FEATURES; f++) {
		double n = NAN;

		if (strcmp(flow_feature_name(f), name) != 0)
			continue;
		if (strcmp(value, "null") != 0 &&
		    (!word_is_number(value, &n) || n < 0))
			return -EINVAL;
		sample->x[f] = n;
		return 1;
	}
	return -EINVAL;
}

/* NAME=VALUE.  1: a feature; 0: anything else that is known. */
static int
read_word(char *word, struct lesson *l)
{
	char *value = strchr(word, '=');

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	if (strcmp(word, "content") == 0)
		return word_is_number(value, &l->content) ? 0 : -EINVAL;
	if (strcmp(word, "label") == 0) {
		l->has_label = true;
		l->sample.is_spam = strcmp(value, "spam") == 0;
		return l->sample.is_spam || strcmp(value, "ham") == 0 ? 0
								      : -EINVAL;
	}
	if (strcmp(word, "ttl") == 0)
		return word_is_number(value, &l->ttl) && l->ttl >= 0 &&
			       l->ttl <= UINT8_MAX
			   ? 0
			   : -EINVAL;
	if (strcmp(word, "at") == 0)
		return 0;
	if (strcmp(word, "client") == 0) {
		l->sample.peer = flow_peer(value);
		l->sample.client = flow_client(value);
		if (l->sample.client == 0)
			return -EINVAL;
	} else if (strcmp(word, "port") != 0 && strcmp(word, "start") != 0) {
		return read_feature(word, value, &l->sample);
	}
	l->connection = hash_on(hash_on(l->connection, word), value);
	return 0;
}

static int
read_words(char *rest, struct lesson *l)
{
	int n = 0, r;
	char *word;

	while ((word = strsep(&rest, " "))) {
		if (!*word)
			continue;
		r = read_word(word, l);
		if (r < 0)
			return r;
		n += r;
	}
	return n > 0 ? 0 : -EINVAL;
}

static bool
is_complete(const struct lesson *l)
{
	if (l->has_label != (l->verb == LESSON_TEACH))
		return false;
	return l->verb == LESSON_TEACH ||
	       isnan(l->content) == (l->verb == LESSON_JUDGE);
}

int
lesson_parse(const char *text, size_t n, struct lesson *ret)
{
	static const char *const verbs[] = {
	    [LESSON_JUDGE] = "judge",
	    [LESSON_LEARN] = "learn",
	    [LESSON_TEACH] = "teach",
	    [LESSON_STATUS] = "status",
	    [LESSON_RETRAIN] = "retrain",
	};
	struct lesson l = {.verb = LESSON_JUDGE,
	    .connection = UINT64_C(0xcbf29ce484222325),
	    .content = NAN,
	    .ttl = NAN};
	char copy[LESSON_MAX + 1], *rest = copy;
	const char *verb;

	if (n > LESSON_MAX || memchr(text, '\0', n))
		return -EINVAL;
	memcpy(copy, text, n);
	copy[n] = '\0';
	for (size_t f = 0; f < FLOW_FEATURES; f++)
		l.sample.x[f] = NAN;
	verb = strsep(&rest, " ");
	while (strcmp(verb, verbs[l.verb]) != 0)
		if (++l.verb == ARRAY_SIZE(verbs))
			return -EINVAL;
	if (l.verb == LESSON_STATUS || l.verb == LESSON_RETRAIN) {
		if (rest)
			return -EINVAL;
	} else if (!rest || read_words(rest, &l) < 0 || !is_complete(&l)) {
		return -EINVAL;
	}
	*ret = l;
	return 0;
}

size_t
lesson_opinion(const struct flow_opinion *o, double threshold, char *buf)
{
	char score[32] = "null";

	if (!isnan(o->score))
		(void)snprintf(score, sizeof(score), "%.9g", o->score);
	return (size_t)snprintf(buf, LESSON_ANSWER_MAX,
	    "opinion score=%s points=%.9g above=%d why=%s", score, o->points,
	    o->score > threshold, o->why);
}

size_t
lesson_learned(enum lesson_taken taken, const char *why, char *buf)
{
	static const char *const texts[] = {
	    [LESSON_HAM] = "learned label=ham",
	    [LESSON_SPAM] = "learned label=spam",
	    [LESSON_UNSURE] = "unsure",
	    [LESSON_REFUSED] = "refused why=",
	};

	if (taken == LESSON_REFUSED && !why)
		why = "it comes through a forwarder";
	return (size_t)snprintf(buf, LESSON_ANSWER_MAX, "%s%s", texts[taken],
	    taken == LESSON_REFUSED ? why : "");
}

size_t
lesson_status(const uint64_t seen[2], const char *version, double accuracy,
    const char *why, char *buf)
{
	char share[32] = "null";

	if (!isnan(accuracy))
		(void)snprintf(share, sizeof(share), "%.9g", accuracy);
	return (size_t)snprintf(buf, LESSON_ANSWER_MAX,
	    "status n_ham=%" PRIu64 " n_spam=%" PRIu64
	    " version=%s accuracy=%s why=%.200s",
	    seen[0], seen[1], version ? version : "null", share, why);
}

size_t
lesson_retrained(bool is_begun, char *buf)
{
	return (size_t)snprintf(
	    buf, LESSON_ANSWER_MAX, "retrained begun=%d", is_begun);
}

size_t
lesson_bad(char *buf)
{
	return (size_t)snprintf(
	    buf, LESSON_ANSWER_MAX, "none reason=bad-question");
}
