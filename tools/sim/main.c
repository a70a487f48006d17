/*
 * tools/sim/main.c - sluice-sim: how long mail waits for its scanner, by
 * formula, by simulation, and as it would have been yesterday.
 */
#include "tools/sim/cmd_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	cmd_main *main;
	const char *help;
} commands[] = {
    {"wait", cmd_wait, "the mean wait by formula, at once (policy size)"},
    {"simulate", cmd_simulate, "any policy, message by message"},
    {"optimize", cmd_optimize, "the limits with the least mean wait"},
    {"recommend", cmd_recommend, "which policy, with which limits?"},
    {"replay", cmd_replay, "what would yesterday have looked like?"},
    {"plot", cmd_plot, "curves, as SVG or PNG"},
};

static void
print_help(FILE *out)
{
	(void)fputs("Usage: sluice-sim COMMAND [OPTION...]\n"
		    "How long mail waits for its scanner, and how to make it "
		    "wait less.\n\n",
	    out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		(void)fprintf(
		    out, "  %-10s %s\n", commands[i].name, commands[i].help);
	(void)fputs(
	    "\n`sluice-sim COMMAND --help` tells more; sluice-sim(8) has "
	    "worked examples.\nA first look, for 1.39 messages a second of "
	    "6800 octets on average, each\nscanned in 0.09 s and 0.2 ms an "
	    "octet more:\n\n"
	    "  sluice-sim wait --rate 1.39 --service 0.09,0.0002 --sizes "
	    "exp:6800\n\n"
	    "Exit status: 0 fine, 1 unstable (the queues would grow for "
	    "ever), 100 wrong usage,\n111 the system failed.\n",
	    out);
}

/* At the end, also where argp ends the process: half an answer is none. */
static void
check_output(void)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return;
	(void)fprintf(stderr,
	    "sluice-sim: standard output: %s: the answer is not complete\n",
	    errno ? strerror(errno) : "can't be written");
	_exit(SIM_SYSTEM);
}

int
main(int argc, char **argv)
{
	argp_err_exit_status = SIM_USAGE;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)atexit(check_output);
	if (argc < 2) {
		print_help(stderr);
		return SIM_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return SIM_FINE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		CLEANUP(free_ptr) char *name = NULL;

		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		/* What argp calls the program in its messages. */
		name = xasprintf("sluice-sim %s", commands[i].name);
		argv[1] = name;
		return commands[i].main(argc - 1, argv + 1);
	}
	return options_fail(SIM_USAGE, "sluice-sim",
	    "%s: no such command; `sluice-sim --help` lists them", argv[1]);
}
