/*
 * tools/sluice/main.c - `sluice COMMAND`: finds the command and calls it.
 */
#include "tools/sluice/command.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"

#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct command {
	const char *name;
	command_main *main;
	const char *help;
};

static const struct command commands[] = {
    {"run", command_run,
	"start feed, workers and book; restart what dies; SIGTERM drains"},
    {"status", command_status, "what waits where, and is everything alive?"},
    {"queue", command_queue, "list the messages in the spool"},
    {"trace", command_trace, "everything that is known about one message"},
    {"explain", command_explain, "why is a message where it is?"},
    {"audit", command_audit, "is every accepted message in one place?"},
    {"scan", command_scan, "judge message files without the spool"},
    {"selftest", command_selftest,
	"send samples through the real path and see where they end"},
    {"config", command_config, "check or print the configuration"},
    {"vm", command_vm, "virtual machines in which attachments are run"},
    {"model", command_model,
	"models that tell malicious programs from benign ones, and spread"},
    {"flow", command_flow, "connections that carry mail: learn and judge"},
    {"setup", command_setup, "make users, spool and sendmail's files"},
    {"wake", command_wake, "tell the delivering sendmail of mail (by run)"},
    {"gate", command_gate,
	"tell the receiving sendmail when to refuse mail (by run)"},
};

static void
print_help(FILE *out)
{
	(void)fprintf(out,
	    "Usage: sluice COMMAND [OPTION...]\n"
	    "Sluice stands between two sendmail daemons and lets no message "
	    "through unjudged.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		(void)fprintf(
		    out, "  %-10s %s\n", commands[i].name, commands[i].help);
	(void)fprintf(out,
	    "\n`sluice COMMAND --help` tells more; sluice(8), "
	    "sluice.conf(5).\nExit status: 0 fine, 1 bad news, 2 unknown, "
	    "100 wrong usage or configuration,\n111 the system failed, try "
	    "again.\n");
}

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/*
 * `sluice -c FILE COMMAND` is `sluice COMMAND -c FILE`: the first form is how
 * the supervisor starts its own children (common/proc.h).
 */
static int
call(const struct command *command, char *conf, int argc, char **argv)
{
	CLEANUP(free_ptr) char *name = xasprintf("sluice %s", command->name);
	CLEANUP(free_ptr)
	char **args = xcalloc((size_t)argc + 3, sizeof(*args));
	char option[] = "-c";
	int n = 0;

	args[n++] = name;
	if (conf) {
		args[n++] = option;
		args[n++] = conf;
	}
	for (int i = 1; i < argc; i++)
		args[n++] = argv[i];
	return command->main(n, args);
}

int
main(int argc, char **argv)
{
	const struct command *command;
	char *conf = NULL;

	argp_err_exit_status = STATUS_USAGE;
	log_init("sluice", LOG_LEVEL_INFO);
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc > 2 && strcmp(argv[1], "-c") == 0) {
		conf = argv[2];
		argc -= 2;
		argv += 2;
	}
	if (argc < 2) {
		print_help(stderr);
		return STATUS_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return STATUS_FINE;
	}
	command = find_command(argv[1]);
	if (command)
		return call(command, conf, argc - 1, argv + 1);
	(void)fprintf(stderr,
	    "sluice: %s: no such command; `sluice --help` lists them\n",
	    argv[1]);
	return STATUS_USAGE;
}
