/*
 * tools/load/main.c - sluice-traffic: artificial mail, the sink that counts
 * it, and the check that compares the two.
 *
 * Why our own, when Postfix has smtp-source and smtp-sink and there is swaks:
 * those send one text a thousand times.  Here every message has an identity
 * that can be found at the other end, contents are as mixed as real mail, the
 * fate of a message is known when the server dies in the middle of it, and
 * both ends keep books that a program can compare.
 */
#include "base.h"
#include "check.h"
#include "send.h"
#include "sink.h"

#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
    {"send", send_main},
    {"sink", sink_main},
    {"check", check_main},
};

static const char usage[] =
    "Usage: sluice-traffic send|sink|check [OPTION...]\n"
    "Artificial mail load, the SMTP sink that counts it, and the check that\n"
    "every message arrived exactly once, or not at all where it mustn't.\n"
    "\n"
    "  send    send mail over SMTP and log the fate of each message\n"
    "  sink    take mail over SMTP and log each message\n"
    "  check   compare the two logs\n"
    "\n"
    "sluice-traffic COMMAND --help tells more.  A first round, without any\n"
    "scanner between:\n"
    "\n"
    "  sluice-traffic sink --listen 127.0.0.1:2600 --log got.jsonl &\n"
    "  sluice-traffic send --to 127.0.0.1:2600 --log sent.jsonl\n"
    "  kill $!; wait $!\n"
    "  sluice-traffic check --sent sent.jsonl --sink got.jsonl\n"
    "\n"
    "Exit status: 0 fine; 1 bad news; 100 wrong usage; 111 the system "
    "failed.\n";

int
main(int argc, char **argv)
{
	argp_err_exit_status = EXIT_USAGE;
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc >= 2 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
		(void)fputs(usage, stdout);
		return EXIT_FINE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (argc < 2 || strcmp(argv[1], commands[i].name) != 0)
			continue;
		/* What argp calls the program in its messages. */
		argv[1] = xasprintf("sluice-traffic %s", commands[i].name);
		return commands[i].run(argc - 1, argv + 1);
	}
	(void)fputs(usage, stderr);
	return EXIT_USAGE;
}
