/*
 * tools/sluice/flow.h - the sub-commands of `sluice flow`, and what they share.
 */
#ifndef SLUICE_TOOLS_FLOW_H
#define SLUICE_TOOLS_FLOW_H

#include "flow/state.h"
#include "tools/sluice/command.h"
#include "tools/sluice/util.h"

command_main flow_learn;
command_main flow_classify;
command_main flow_report;

/* Options of all of them; the first member of each one's own. */
struct flow_options {
	struct common_options common;
	const char *state;       /* NULL: flow/ in site.state */
	const char *features;    /* NULL or "-": standard input */
	struct flow_rules rules; /* of the configuration, by flow_open() */
};

#define FLOW_OPTION_STATE \
	{ \
		"state", 's', "DIR", 0, \
		    "what was learned is kept there (default: flow in " \
		    "site.state)", \
		    0 \
	}
#define FLOW_OPTION_FEATURES \
	{ \
		"features", 'f', "FILE", 0, \
		    "connections, a JSON object a line as sluice-flow --json " \
		    "prints them (default: standard input)", \
		    0 \
	}

/* Handle these and util_common_option()'s. */
error_t flow_option(int key, char *arg, struct flow_options *o);

/*
 * Open, lock and load what was learned; without a configuration that is named
 * or in its usual place its defaults hold.
 *
 * is_shared  only to read; else it fails while sluice-learn runs
 * ret_dir    the directory's descriptor, the caller's, for flow_state_save()
 *
 * Returns the learner, which the caller frees; or NULL after saying why on
 * standard error, *ret_status set.
 */
struct flow_learner *flow_open(const char *command, struct flow_options *o,
    bool is_shared, int *ret_dir, int *ret_status);

/*
 * Call take for each line of o->features, parsed; object is borrowed.  Lines
 * of white space are passed over.
 * Returns 0, or the status after saying on standard error which line of which
 * file is wrong.
 */
int flow_each(const char *command, const struct flow_options *o,
    void (*take)(
	void *arg, const struct flow_sample *sample, const json_t *object),
    void *arg);

/*
 * Teach that the messages of n queue ids were what label says, "ham" or
 * "spam": sluice-learn if it runs, else the state.  All must have been judged
 * with their connections known, or nothing is learned.
 * Returns the status; what went wrong has been said.
 */
int flow_teach(struct flow_options *o, const char *label,
    const char *const *ids, size_t n);

/* A JSON number, or null for NAN and infinity. */
json_t *flow_real(double number);

#endif
