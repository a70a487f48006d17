#include "flow/key.h"

#include "common/digest.h"

#include <string.h>

#define QUEUE_MIN 4
#define QUEUE_MAX 64

static void
make(char kind, const char *text, size_t n, struct flow_key *ret)
{
	char named[1 + FLOW_ID_MAX];
	struct digest digest;

	named[0] = kind;
	memcpy(named + 1, text, n);
	digest = digest_memory(named, n + 1);
	memcpy(ret->bytes, digest.bytes, sizeof(ret->bytes));
}

bool
flow_key_of_id(const char *text, size_t n, struct flow_key *ret)
{
	const char *open = memchr(text, '<', n);
	const char *close;

	if (!open)
		return false;
	close = memchr(open, '>', n - (size_t)(open - text));
	if (!close || close - open >= FLOW_ID_MAX || close - open < 2)
		return false;
	make('m', open, (size_t)(close - open) + 1, ret);
	return true;
}

static bool
is_of_queue_id(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

bool
flow_key_of_queue(const char *text, size_t n, struct flow_key *ret)
{
	if (n < QUEUE_MIN || n > QUEUE_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_of_queue_id(text[i]))
			return false;
	make('q', text, n, ret);
	return true;
}

bool
flow_key_is_same(const struct flow_key *a, const struct flow_key *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
