#include "tools/sluice/subs.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

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
subs_call(const char *command, const char *about,
    const struct sub_command *subs, size_t n, int argc, char **argv)
{
	bool is_asked;
	FILE *out;

	sort_arguments(argc, argv);
	is_asked = argc > 1 && strcmp(argv[1], "--help") == 0;
	out = is_asked ? stdout : stderr;
	for (size_t i = 0; argc > 1 && !is_asked && i < n; i++) {
		CLEANUP(free_ptr) char *name = NULL;

		if (strcmp(subs[i].name, argv[1]) != 0)
			continue;
		name = xasprintf("sluice %s %s", command, subs[i].name);
		argv[1] = name;
		return subs[i].main(argc - 1, argv + 1);
	}
	if (argc > 1 && !is_asked) {
		(void)fprintf(stderr,
		    "sluice %s: %s: no such sub-command; `sluice %s --help` "
		    "lists them\n",
		    command, argv[1], command);
		return STATUS_USAGE;
	}
	(void)fprintf(out, "Usage: sluice %s SUB-COMMAND [OPTION...]\n%s\n",
	    command, about);
	for (size_t i = 0; i < n; i++)
		(void)fprintf(out, "  %-10s %s\n", subs[i].name, subs[i].help);
	(void)fprintf(
	    out, "\n`sluice %s SUB-COMMAND --help` tells more.\n", command);
	return is_asked ? STATUS_FINE : STATUS_USAGE;
}
