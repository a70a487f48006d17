/* tools/load/words.c - vocabulary, sentences, and MIME's two encodings. */
#include "words.h"

#include <string.h>

static const char *const vocabulary[] = {"the", "of", "and", "to", "a", "in",
    "is", "it", "you", "that", "was", "for", "on", "are", "with", "as", "they",
    "be", "at", "one", "have", "this", "from", "or", "had", "by", "not", "word",
    "but", "what", "some", "we", "can", "out", "other", "were", "all", "there",
    "when", "up", "use", "your", "how", "said", "an", "each", "she", "which",
    "do", "their", "time", "if", "will", "way", "about", "many", "then", "them",
    "write", "would", "like", "so", "these", "her", "long", "make", "thing",
    "see", "him", "two", "has", "look", "more", "day", "could", "go", "come",
    "did", "number", "sound", "no", "most", "people", "my", "over", "know",
    "water", "than", "call", "first", "who", "may", "down", "side", "been",
    "now", "find", "meeting", "report", "schedule", "server", "table", "garden",
    "window", "letter", "morning", "project", "budget", "review", "summer",
    "station", "bridge", "village", "chapter", "kitchen", "question", "answer",
    "measure", "document", "committee", "harbour", "library", "mountain",
    "copper", "engine", "lantern", "orchard", "quarter", "river", "season",
    "signal", "timber", "valley", "weather", "winter", "yellow"};

#define VOCABULARY (sizeof(vocabulary) / sizeof(vocabulary[0]))

const char *
word_pick(struct rng *r)
{
	const double u = rng_unit(r);

	/* The square makes frequent words frequent, roughly as in prose. */
	return vocabulary[(size_t)(u * u * (double)VOCABULARY)];
}

void
words_add(struct buf *b, struct rng *r, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		buf_addf(b, "%s%s", i > 0 ? " " : "", word_pick(r));
}

static void
add_wrapped(struct buf *b, size_t *column, const char *word, bool is_first)
{
	const size_t len = strlen(word);
	const size_t at = b->len;

	if (*column > 0 && *column + 1 + len > 71) {
		buf_adds(b, "\n");
		*column = 0;
	} else if (*column > 0) {
		buf_adds(b, " ");
		*column += 1;
	}
	buf_adds(b, word);
	*column += len;
	if (is_first) {
		char *c = b->data + (b->len - len);

		if (*c >= 'a' && *c <= 'z' && b->len > at)
			*c = (char)(*c - 'a' + 'A');
	}
}

void
text_add(struct buf *b, struct rng *r, size_t bytes)
{
	const size_t start = b->len;
	size_t column = 0;

	while (b->len - start < bytes) {
		const unsigned words = 4 + (unsigned)rng_below(r, 14);

		for (unsigned i = 0; i < words; i++)
			add_wrapped(b, &column, word_pick(r), i == 0);
		buf_adds(b, ".");
		column++;
		if (rng_below(r, 6) == 0) {
			buf_adds(b, "\n\n");
			column = 0;
		}
	}
	if (column > 0)
		buf_adds(b, "\n");
}

static void
base64_group(const unsigned char *p, size_t n, char out[4])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned v = (unsigned)p[0] << 16 |
			   (n > 1 ? (unsigned)p[1] << 8 : 0) |
			   (n > 2 ? p[2] : 0U);

	out[0] = digits[v >> 18];
	out[1] = digits[v >> 12 & 63];
	out[2] = n > 1 ? digits[v >> 6 & 63] : '=';
	out[3] = n > 2 ? digits[v & 63] : '=';
}

void
base64_add(struct buf *b, const void *data, size_t len)
{
	const unsigned char *p = data;
	char line[77];
	size_t used = 0;

	while (len > 0) {
		const size_t n = len < 3 ? len : 3;

		base64_group(p, n, line + used);
		used += 4;
		p += n;
		len -= n;
		if (used == 76 || len == 0) {
			line[used++] = '\n';
			buf_add(b, line, used);
			used = 0;
		}
	}
}

void
quoted_add(struct buf *b, const char *data, size_t len)
{
	size_t column = 0;

	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)data[i];
		const bool plain =
		    c == '\n' || c == ' ' || (c > 32 && c < 127 && c != '=');

		if (column > 72 && c != '\n') {
			buf_adds(b, "=\n");
			column = 0;
		}
		if (plain)
			buf_add(b, &c, 1);
		else
			buf_addf(b, "=%02X", c);
		column = c == '\n' ? 0 : column + (plain ? 1 : 3);
	}
}
