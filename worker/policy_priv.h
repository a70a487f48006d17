/*
 * worker/policy_priv.h - names made comparable, and the rules they meet.
 */
#ifndef SLUICE_WORKER_POLICY_PRIV_H
#define SLUICE_WORKER_POLICY_PRIV_H

#include "worker/policy.h"

#include <stdbool.h>
#include <stdint.h>

/* Octets of a name that are looked at; no file system takes as many. */
#define NAME_MAX_OCTETS 1024

/* What is odd about a name (bits). */
#define ODD_BIDI    UINT32_C(1)  /* characters that turn the direction */
#define ODD_BLANKS  UINT32_C(2)  /* a long run of blanks, then more */
#define ODD_CONTROL UINT32_C(4)  /* control characters */
#define ODD_CLSID   UINT32_C(8)  /* ends with a class identifier */
#define ODD_LONG    UINT32_C(16) /* longer than a file's name can be */

/*
 * A name as its receiver's system would take it: lower case, look-alike
 * ASCII folded, invisible characters gone, and without the dots, blanks,
 * quotes and slashes at its end that some reader drops.
 */
struct policy_name {
	uint32_t odd;
	bool cut;      /* longer than NAME_MAX_OCTETS: fits every glob */
	uint32_t hash; /* of ext */
	size_t ext_len;
	const char *ext;  /* behind the last dot, "" when there is none */
	const char *base; /* behind the last / or \ */
	char text[NAME_MAX_OCTETS];
};

/* Fill *ret, which is large: only what is used of it is touched. */
void policy_name_set(struct policy_name *ret, const char *name);

uint32_t policy_hash(const char *text, size_t len);

/* The whole of text fits glob: * any octets, ? one character, \ the next
 * one as it is.  Both in lower case.  Takes at most |glob| x |text| steps. */
bool policy_glob(const char *glob, const char *text);

/* Endings that are looked up at once instead of tried one by one. */
struct policy_exts {
	size_t n, slots; /* slots is 0 or a power of two above n */
	char **ext;
};

enum policy_kind {
	KIND_NAME,
	KIND_TYPE,
	KIND_DECLARED,
	KIND_ODD,
	KIND_DEEPER,
	KIND_FLAG,
	KIND_ARCHIVED,
};

struct policy_condition {
	enum policy_kind kind;
	bool negated;
	uint32_t value; /* ODD_ bits, PART_ bits or a depth */
	size_t n_globs;
	char **globs;
	struct policy_exts exts;
};

struct policy_rule {
	enum policy_action action;
	size_t n_conditions;
	struct policy_condition *conditions;
	char *text;
};

struct policy {
	size_t n_rules;
	struct policy_rule *rules;
};

/* Is ext, policy_hash() of which is hash, one of them? */
bool policy_exts_has(
    const struct policy_exts *exts, const char *ext, size_t len, uint32_t hash);

/*
 * Rules out of text (len octets; name is for messages).  Returns 0, or
 * -EINVAL with err filled.  Fuzzed by tests/fuzz/fuzz_policy.c.
 */
int policy_parse(const char *name, const char *text, size_t len,
    struct policy **ret_policy, char *err, size_t err_size);

#endif
