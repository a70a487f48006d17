/*
 * tools/sluice/vm.c - `sluice vm SUB-COMMAND`: finds it and calls it.
 */
#include "tools/sluice/vm.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tools/sluice/command.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	command_main *main;
	const char *help;
} subs[] = {
    {"list", vm_list, "which clones are there, and what do they do?"},
    {"run", vm_run, "run a file in a clone, and say what it did"},
    {"report", vm_report, "what a file that came with a message did"},
    {"bench", vm_bench, "how fast are clones on this host, and how many?"},
    {"reference", vm_reference,
	"build, check or list what clones are made from"},
};

static void
print_help(FILE *out)
{
	(void)fprintf(out,
	    "Usage: sluice vm SUB-COMMAND [OPTION...]\n"
	    "Virtual machines in which attachments are run.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(subs); i++)
		(void)fprintf(out, "  %-10s %s\n", subs[i].name, subs[i].help);
	(void)fprintf(out, "\n`sluice vm SUB-COMMAND --help` tells more.\n");
}

/* `sluice -c FILE vm SUB ...` comes as `vm -c FILE SUB ...`: SUB first. */
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
command_vm(int argc, char **argv)
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
		name = xasprintf("sluice vm %s", subs[i].name);
		argv[1] = name;
		return subs[i].main(argc - 1, argv + 1);
	}
	(void)fprintf(stderr,
	    "sluice vm: %s: no such sub-command; `sluice vm --help` lists "
	    "them\n",
	    argv[1]);
	return STATUS_USAGE;
}
