/*
 * tools/sluice/subs.h - a command that has sub-commands: finds and calls them.
 */
#ifndef SLUICE_TOOLS_SUBS_H
#define SLUICE_TOOLS_SUBS_H

#include "tools/sluice/command.h"

#include <stddef.h>

struct sub_command {
	const char *name;
	command_main *main;
	const char *help; /* one line */
};

/*
 * Call the one of n that argv names; without any, or with --help, list them.
 * command: "vm", say; about: what they are for, one or more whole lines.
 * Returns the sub-command's exit status, or STATUS_USAGE.
 */
int subs_call(const char *command, const char *about,
    const struct sub_command *subs, size_t n, int argc, char **argv);

#endif
