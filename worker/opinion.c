#include "worker/opinion.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Families that are told to people. */
#define TOLD 3
/* Beyond this a part of a score is cut: it is wide off any mark. */
#define PART_MOST 999.9

static double
part_of(const struct opinion *o, int family)
{
	const double part = o->family[family];

	return isnan(part) ? 0 : fmin(fmax(part, -PART_MOST), PART_MOST);
}

/* The family with the greatest part that is not yet among those told. */
static int
next_family(const struct opinion *o, const bool told[MEF_FAMILIES])
{
	int best = -1;

	for (int f = 0; f < MEF_FAMILIES; f++)
		if (!told[f] && fabs(part_of(o, f)) >= 0.05 &&
		    (best < 0 || fabs(part_of(o, f)) > fabs(part_of(o, best))))
			best = f;
	return best;
}

static void
add_families(const struct opinion *o, char *text, size_t size)
{
	bool told[MEF_FAMILIES] = {false};
	const char *mark = ";";
	int f;

	for (int i = 0; i < TOLD && (f = next_family(o, told)) >= 0; i++) {
		const size_t n = strlen(text);

		(void)snprintf(text + n, size - n, "%s %s %+.1f", mark,
		    mef_family_names[f], part_of(o, f));
		told[f] = true;
		mark = ",";
	}
}

void
opinion_text(const struct opinion *o, char ret[ANSWER_REASON_MAX])
{
	const char *label = mef_label_names[o->label];

	if (o->by == OPINION_LISTED) {
		(void)snprintf(ret, ANSWER_REASON_MAX,
		    "%s: this site lists it (mef.known)", label);
		return;
	}
	if (o->by == OPINION_LEARNED) {
		(void)snprintf(ret, ANSWER_REASON_MAX,
		    "%s: the model has learned this very file", label);
		return;
	}
	(void)snprintf(ret, ANSWER_REASON_MAX, "%s, P %.1f %% (%s", label,
	    100 * o->p_malicious, mef_kind_names[o->kind]);
	if (o->has_families)
		add_families(o, ret, ANSWER_REASON_MAX - 1);
	(void)strcat(ret, ")");
}

/* "borderline 0.509314 pe bytes+0.1 imports-2.0" */
void
opinion_keep(const struct opinion *o, char ret[TABLE_NAME_MAX])
{
	(void)snprintf(ret, TABLE_NAME_MAX, "%s %.6f %s",
	    mef_label_names[o->label], o->p_malicious, mef_kind_names[o->kind]);
	for (int f = 0; o->has_families && f < MEF_FAMILIES; f++) {
		const size_t n = strlen(ret);

		if (fabs(part_of(o, f)) >= 0.05)
			(void)snprintf(ret + n, TABLE_NAME_MAX - n, " %s%+.1f",
			    mef_family_names[f], part_of(o, f));
	}
}

static int
find(const char *const *names, int n, const char *word, size_t len)
{
	for (int i = 0; i < n; i++)
		if (strlen(names[i]) == len && memcmp(names[i], word, len) == 0)
			return i;
	return -1;
}

/* The word up to the next blank, which is passed over. */
static const char *
take_word(const char **at, size_t *ret_len)
{
	const char *word = *at;

	*ret_len = strcspn(word, " ");
	*at = word + *ret_len + (word[*ret_len] == ' ');
	return word;
}

static bool
take_family(const char *word, size_t len, struct opinion *ret)
{
	const size_t n = strcspn(word, "+-");
	const int f =
	    n < len ? find(mef_family_names, MEF_FAMILIES, word, n) : -1;
	char *end;

	if (f < 0)
		return false;
	ret->family[f] = strtod(word + n, &end);
	ret->has_families = true;
	return end == word + len && fabs(ret->family[f]) <= PART_MOST;
}

bool
opinion_kept(const char *text, struct opinion *ret)
{
	struct opinion o = {.by = OPINION_SCORE};
	const char *word;
	size_t len;
	int label, kind;
	char *end;

	word = take_word(&text, &len);
	label = find(mef_label_names, MEF_IS_BORDERLINE + 1, word, len);
	word = take_word(&text, &len);
	o.p_malicious = strtod(word, &end);
	if (label < 0 || len == 0 || end != word + len ||
	    !(o.p_malicious >= 0 && o.p_malicious <= 1))
		return false;
	word = take_word(&text, &len);
	kind = find(mef_kind_names, MEF_KINDS, word, len);
	if (kind < 0)
		return false;
	while (*text) {
		word = take_word(&text, &len);
		if (!take_family(word, len, &o))
			return false;
	}
	o.label = (enum mef_label)label;
	o.kind = (enum mef_kind)kind;
	*ret = o;
	return true;
}
