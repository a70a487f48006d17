/*
 * vmm/guest/opener.h - which program opens a file, by its first octets, its
 * true type and its name, in that order.  Pure: what there is in the guest's
 * root is asked through a function.
 */
#ifndef SLUICE_VMM_GUEST_OPENER_H
#define SLUICE_VMM_GUEST_OPENER_H

#include <stdbool.h>
#include <stddef.h>

#define OPENER_HEAD_BYTES 1024 /* of the file: its magic, its headers */
#define OPENER_ARGS       6    /* program, its options, the file, NULL */

struct opener_file {
	const char *path;         /* in the guest */
	const char *windows_path; /* the same, as Windows programs see it */
	const char *name;         /* as the mail names it */
	const char *type;         /* MIME type, "" unknown */
	const unsigned char *head;
	size_t head_bytes; /* at most OPENER_HEAD_BYTES */
};

struct opener {
	const char *how;  /* for agent.start; a constant */
	const char *file; /* the path that was given */
	/* Under Wine: the program whose process comes first; else NULL. */
	const char *windows_program;
	const char *argv[OPENER_ARGS]; /* constants, and that path */
};

/*
 * Choose.  is_there: is this program in the root?  Returns 0, or -ENOENT:
 * nothing here can open such a file.
 */
int opener_choose(const struct opener_file *file,
    bool (*is_there)(const char *path), struct opener *ret);

#endif
