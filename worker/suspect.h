/*
 * worker/suspect.h - which files of a message are run in a clone, and of
 * which reference: pure, a table over true type and names.
 *
 * A file is run when its true type or one of its names says that a system
 * would execute it.  What only a person's program opens (documents, archives,
 * pictures) is not run: no reference has those programs.
 */
#ifndef SLUICE_WORKER_SUSPECT_H
#define SLUICE_WORKER_SUSPECT_H

#include <stdint.h>

struct reading_part;

/* How long mail is held for it is set by class (conf detonate). */
enum suspect_class {
	SUSPECT_NOT,     /* not run */
	SUSPECT_PROGRAM, /* machine code, installers */
	SUSPECT_SCRIPT,
	SUSPECT_CLASSES
};

struct suspect {
	enum suspect_class class;
	const char *reference; /* "linux", "wine"; constant */
	const char *kind;      /* what it would be run as; constant.  The same
				  content as another kind is another run */
	const char *name;      /* under which it is run: borrowed from part */
};

/*
 * Of a part with content.  A file that both references could run (a script
 * without a first line, by name) goes to the one its name says.
 */
struct suspect suspect_of(const struct reading_part *part);

/* "program", "script". */
const char *suspect_class_name(enum suspect_class class);

#endif
