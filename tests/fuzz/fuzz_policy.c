/*
 * tests/fuzz/fuzz_policy.c - a rule file, then a name against its rules.
 *
 * The input is the file; from a line "---" on it is names, one a line.
 */
#include "worker/policy_priv.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
judge(const struct policy *policy, const char *name)
{
	const struct reading_part part = {.parent = -1,
	    .n_names = 1,
	    .names = name,
	    .declared = name,
	    .type = name};
	const char *why;
	const enum policy_action action = policy_part(policy, &part, &why);

	assert(action == POLICY_ALLOW ? !*why : *why || policy->n_rules);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char fixed[] = "refuse name *.exe ?a* \"x\"\n"
				    "refuse odd-name bidi clsid \"y\"\n";
	const char *mark = memmem(data, size, "\n---\n", 5);
	const size_t rules = mark ? (size_t)(mark - (const char *)data) : size;
	struct policy *policies[2] = {NULL, NULL};
	char err[200] = "", *names, *name, *at;

	if (policy_parse("f", (const char *)data, rules, &policies[0], err,
		sizeof(err)) < 0)
		assert(strncmp(err, "f:", 2) == 0);
	(void)policy_parse(
	    "g", fixed, sizeof(fixed) - 1, &policies[1], err, sizeof(err));
	names = at = mark ? strndup(mark + 5, size - rules - 5) : NULL;
	while ((name = at ? strsep(&at, "\n") : NULL))
		for (int i = 0; i < 2; i++)
			if (policies[i])
				judge(policies[i], name);
	free(names);
	policy_free(policies[0]);
	policy_free(policies[1]);
	return 0;
}
