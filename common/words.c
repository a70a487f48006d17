#include "common/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void
words_of(char *text, struct words *ret)
{
	char *word;

	ret->n = 0;
	ret->first = "";
	while ((word = strsep(&text, " \n"))) {
		char *value = strchr(word, '=');

		if (!value) {
			if (*word && ret->n == 0 && !*ret->first)
				ret->first = word;
			continue;
		}
		if (ret->n == WORDS_MAX)
			return;
		*value++ = '\0';
		ret->names[ret->n] = word;
		ret->values[ret->n++] = value;
		if (strcmp(word, "why") == 0 && text) {
			text[-1] = ' ';
			value[strcspn(value, "\n")] = '\0';
			return;
		}
	}
}

const char *
words_value(const struct words *words, const char *name)
{
	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->names[i], name) == 0)
			return words->values[i];
	return NULL;
}

/* strtod() takes more: "inf", "0x1", blanks. */
bool
word_is_number(const char *text, double *ret)
{
	char *end;
	double number;

	if (!*text || text[strspn(text, "0123456789.+-eE")])
		return false;
	number = strtod(text, &end);
	if (*end || !isfinite(number))
		return false;
	*ret = number;
	return true;
}

bool
words_number(const struct words *words, const char *name, double *ret)
{
	const char *text = words_value(words, name);

	*ret = NAN;
	return text && (strcmp(text, "null") == 0 || word_is_number(text, ret));
}
