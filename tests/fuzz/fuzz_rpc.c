/*
 * tests/fuzz/fuzz_rpc.c - any octets as a call of XML-RPC and, behind the
 * first NUL, as what a daemon says to it.
 *
 * Whatever comes, the answer is one of XML-RPC: it is read back as a call.
 */
#include "flow/rpc/answer.h"
#include "flow/rpc/call.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESPONSE "<?xml version=\"1.0\"?>\n<methodResponse>"
#define CALL     "<methodCall><methodName>a</methodName>"
#define END      "</methodResponse>\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct daemon {
	const char *text;
	size_t n;
};

static int
ask(void *arg, enum rpc_whom whom, const char *question, char *answer)
{
	const struct daemon *d = arg;
	size_t n = d->n < RPC_ANSWER_MAX ? d->n : RPC_ANSWER_MAX - 1;

	(void)whom;
	assert(strlen(question) < RPC_QUESTION_MAX &&
	       !strpbrk(question, "\r\n\t"));
	if (!d->text)
		return -ENOENT;
	memcpy(answer, d->text, n);
	answer[n] = '\0';
	return 0;
}

static bool
counter(void *arg, size_t i, const char **ret_name, uint64_t *ret_value)
{
	(void)arg;
	*ret_name = "packets";
	*ret_value = i;
	return i < 3;
}

/* The same, as a call. */
static void
read_back(const char *answer, size_t n)
{
	static struct rpc_call call;
	const char *why = "";
	char *copy;
	int r;

	assert(n > sizeof(RESPONSE END) &&
	       memcmp(answer, RESPONSE, sizeof(RESPONSE) - 1) == 0 &&
	       strcmp(answer + n - (sizeof(END) - 1), END) == 0);
	answer += sizeof(RESPONSE) - 1;
	n -= sizeof(RESPONSE) - 1 + sizeof(END) - 1;
	if (memcmp(answer, "<params>", 8) != 0) {
		assert(memcmp(answer, "<fault>", 7) == 0);
		return;
	}
	copy = malloc(n + 100);
	assert(copy);
	n = (size_t)snprintf(
	    copy, n + 100, CALL "%.*s</methodCall>", (int)n, answer);
	if (n <= RPC_XML_MAX) {
		r = rpc_call_parse(copy, n, &call, &why);
		/* As many as a daemon may say are more than a call may have. */
		if (r < 0 && !strstr(why, "too many"))
			(void)fprintf(stderr, "%s: %s\n", why, copy);
		assert(r == 0 || strstr(why, "too many"));
	}
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
	const size_t n = nul ? (size_t)(nul - data) : size;
	struct daemon daemon = {
	    nul ? (const char *)nul + 1 : NULL, nul ? size - n - 1 : 0};
	const struct rpc_site site = {
	    .arg = &daemon, .ask = ask, .counter = counter, .may_teach = true};
	size_t length;
	char *answer = rpc_answer(&site, (const char *)data, n, &length);

	read_back(answer, length);
	free(answer);
	return 0;
}
