/*
 * tests/support/policy_site.h - rules out of a string, parts out of words.
 */
#ifndef SLUICE_TESTS_POLICY_SITE_H
#define SLUICE_TESTS_POLICY_SITE_H

#include "worker/policy_priv.h"

#include "common/cleanup.h"
#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline struct policy *
parse(const char *text)
{
	struct policy *policy = NULL;
	char err[300] = "";

	if (policy_parse("t", text, strlen(text), &policy, err, sizeof(err)))
		fail_msg("%s", err);
	return policy;
}

/* names: n strings, each with its NUL. */
static inline struct reading_part
part(uint32_t n, const char *names, const char *type, uint32_t flags)
{
	return (struct reading_part){.parent = -1,
	    .n_names = n,
	    .names = names,
	    .declared = "",
	    .type = type,
	    .flags = flags};
}

static inline enum policy_action
judge_name(const struct policy *policy, const char *name)
{
	const struct reading_part p =
	    part(1, name, "application/octet-stream", PART_ATTACHMENT);
	const char *why;

	return policy_part(policy, &p, &why);
}

#endif
