/*
 * tests/fuzz/fuzz_rules.c - any octets as a rule file, then a report against
 * its rules.
 *
 * The input is the file; from a line "---" on it is the report.  A file that
 * is wrong is named with its line.
 */
#include "vmm/rules_priv.h"

#include "common/cleanup.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
include_none(void *arg, const char *name, char **ret, size_t *ret_n)
{
	static const char text[] = "class inner /a*\nbehaviour inner 1 T1000 "
				   "\"I\"\n when file.write path @inner\n";

	(void)arg;
	assert(!strchr(name, '/'));
	if (strcmp(name, "inner") != 0)
		return -ENOENT;
	*ret = strdup(text);
	*ret_n = sizeof(text) - 1;
	return 0;
}

static void
judge(const struct rules *rules, const uint8_t *data, size_t size)
{
	struct detector *d = detector_new(rules);
	CLEANUP(free_ptr) char *evidence = NULL;
	const char *why;

	detector_feed(d, data, size);
	evidence = detector_evidence(d, 4000);
	assert(!evidence || strlen(evidence) <= 4000);
	(void)detector_is_conclusive(d, false, &why);
	assert(detector_reason(d));
	(void)detector_free(d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rules_source source = {include_none, NULL};
	const uint8_t *mark = memmem(data, size, "\n---\n", 5);
	const size_t n = mark ? (size_t)(mark - data) : size;
	struct rules *rules = NULL;
	char err[300] = "";
	const int r = rules_parse(
	    "f", (const char *)data, n, &source, &rules, err, sizeof(err));

	assert(r == 0 ? rules != NULL : r == -EINVAL && !rules);
	if (r < 0) {
		assert(strncmp(err, "f:", 2) == 0 ||
		       strncmp(err, "inner:", 6) == 0);
		return 0;
	}
	if (mark)
		judge(rules, mark + 5, size - n - 5);
	(void)rules_free(rules);
	return 0;
}
