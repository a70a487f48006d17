/*
 * vmm/rules_parse_priv.h - a rule file line by line, and its words.
 */
#ifndef SLUICE_VMM_RULES_PARSE_PRIV_H
#define SLUICE_VMM_RULES_PARSE_PRIV_H

#include "vmm/rules_priv.h"

#define RULES_WORDS_MAX 600u /* of one line */

struct rules_word {
	char *text; /* NUL-terminated */
	bool is_quoted;
};

struct rules_parser {
	struct rules *rules;
	const struct rules_source *source;
	const char *name; /* of the file */
	unsigned int line;
	unsigned int depth; /* of includes */
	size_t bytes;       /* read so far, of all files */
	char *err;
	size_t err_size;
	bool is_open;   /* a behaviour that "when" may follow */
	bool is_scorer; /* its block is open */
	size_t n_words, at;
	struct rules_word words[RULES_WORDS_MAX];
};

/* Fill err with "FILE:LINE: ..."; returns -EINVAL. */
int rules_wrong(struct rules_parser *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Cut a line into words, in place. */
int rules_split(struct rules_parser *p, char *line);

/* The next word, NULL: none.  take: go on behind it if it is that one,
 * unquoted. */
const char *rules_peek(const struct rules_parser *p);
bool rules_take(struct rules_parser *p, const char *word);

/* A whole number from least to most; what says what it is. */
int rules_number(struct rules_parser *p, const char *what, uint32_t least,
    uint32_t most, uint32_t *ret);
int rules_real(struct rules_parser *p, const char *what, double *ret);
/* A word that says something, as fresh memory. */
int rules_text(struct rules_parser *p, const char *what, char **ret);
int rules_end(struct rules_parser *p); /* no words may be left */

/* "behaviour" and "scorer" begin with the same words. */
int rules_open_behaviour(struct rules_parser *p, bool is_scorer);

/* One glob, class or @new, @sample. */
int rules_parse_item(struct rules_parser *p, struct rules_item *ret);

/* Lines of a behaviour: "when" (is_first) and "then". */
int rules_parse_step(struct rules_parser *p, bool is_first);

/* Lines of a scorer; *ret_known: it was one. */
int rules_parse_scorer(struct rules_parser *p);
int rules_parse_scored(struct rules_parser *p, bool *ret_known);
int rules_close_scorer(struct rules_parser *p);

/* The path of a file beside the one of that path; fresh memory. */
char *rules_beside(const char *path, const char *name);

/* Room for one more in a list. */
void *rules_grow(void *list, size_t n, size_t size);

#endif
