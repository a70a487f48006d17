#include "flow/rpc/answer_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void
rpc_words_of(char *text, struct rpc_words *ret)
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
		if (ret->n == RPC_WORDS_MAX)
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
rpc_word(const struct rpc_words *words, const char *name)
{
	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->names[i], name) == 0)
			return words->values[i];
	return NULL;
}

double
rpc_word_number(const struct rpc_words *words, const char *name)
{
	const char *text = rpc_word(words, name);
	char *end;
	double number;

	if (!text || !*text || text[strspn(text, "0123456789.+-eE")])
		return NAN;
	number = strtod(text, &end);
	return *end ? NAN : number;
}
