/*
 * tools/sluice/model.c - `sluice model SUB-COMMAND`: finds it and calls it.
 */
#include "tools/sluice/model.h"
#include "tools/sluice/spread.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	command_main *main;
	const char *help;
} subs[] = {
    {"train", model_train, "learn programs, or forget them"},
    {"score", model_score, "what does a model say of these files?"},
    {"eval", model_eval, "how good is it on programs that it has not seen?"},
    {"info", model_info, "what is in a model?"},
    {"prune", model_prune, "make a smaller view for publication"},
    {"spread", model_spread, "how do files spread, and is one too fast?"},
    {"diff", model_diff, "make an update: what changed between two models"},
    {"sign", model_sign, "sign an update"},
    {"verify", model_verify, "is an update whole, and whose is it?"},
    {"apply", model_apply, "check an update and put its model in place"},
    {"poll", model_poll, "ask the repository for an update (by a timer)"},
    {"revert", model_revert, "take the last update back"},
};

static void
print_help(FILE *out)
{
	(void)fprintf(out,
	    "Usage: sluice model SUB-COMMAND [OPTION...]\n"
	    "What is learned of the files that come with mail: models that "
	    "tell malicious\nprograms from benign ones, and how files "
	    "spread.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(subs); i++)
		(void)fprintf(out, "  %-10s %s\n", subs[i].name, subs[i].help);
	(void)fprintf(out, "\n`sluice model SUB-COMMAND --help` tells more.\n");
}

/* `sluice -c FILE model SUB` comes as `model -c FILE SUB`: SUB first. */
static void
sort_arguments(int argc, char **argv)
{
	if (argc > 3 && strcmp(argv[1], "-c") == 0) {
		char *option = argv[1], *file = argv[2];

		argv[1] = argv[3];
		argv[2] = option;
		argv[3] = file;
	}
}

int
command_model(int argc, char **argv)
{
	sort_arguments(argc, argv);
	if (argc < 2) {
		print_help(stderr);
		return STATUS_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return STATUS_FINE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(subs); i++) {
		CLEANUP(free_ptr) char *name = NULL;

		if (strcmp(subs[i].name, argv[1]) != 0)
			continue;
		name = xasprintf("sluice model %s", subs[i].name);
		argv[1] = name;
		return subs[i].main(argc - 1, argv + 1);
	}
	(void)fprintf(stderr,
	    "sluice model: %s: no such sub-command; `sluice model --help` "
	    "lists them\n",
	    argv[1]);
	return STATUS_USAGE;
}
