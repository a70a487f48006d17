/*
 * worker/suspect.h - which files of a message are run in a clone, as what, and
 * of which reference: pure, two tables over true type and names.
 *
 * A file is run when its true type or one of its names says that a system
 * would execute it, and once for each thing that these make of it: the sender
 * chooses the octets from which the type is guessed, and the reader's system
 * goes by the name.  What only a person's program opens (documents, archives,
 * pictures) is not run: no reference has those programs.
 */
#ifndef SLUICE_WORKER_SUSPECT_H
#define SLUICE_WORKER_SUSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reading_part;

/* More than there are kinds (a test counts them). */
#define SUSPECT_KINDS_MAX 16
/* Of a kind's word, with its NUL. */
#define SUSPECT_KIND_MAX 8
/* Of the name under which a file is run, with its NUL. */
#define SUSPECT_NAME_MAX 256

/* How long mail is held for it is set by class (conf detonate). */
enum suspect_class {
	SUSPECT_PROGRAM, /* machine code, installers */
	SUSPECT_SCRIPT,
	SUSPECT_CLASSES
};

struct suspect {
	enum suspect_class class;
	const char *reference; /* "linux", "wine"; constant */
	const char *kind;      /* what it would be run as; constant.  The same
				  content as another kind is another run */
	const char *name;      /* that says so: borrowed from part; else the
				  first that says nothing, or "" */
	const char *type;      /* its true type, if that says so; else "" */
};

/*
 * Everything that a part with content would be run as, each kind once; returns
 * how many.  What stands first is what its type says.  None of the text of the
 * mail itself.
 */
size_t suspect_of(
    const struct reading_part *part, struct suspect ret[SUSPECT_KINDS_MAX]);

/*
 * Of what nothing says by itself that it would be executed, but which is a
 * program all the same: as an ELF, or a Windows program, by its octets.
 */
void suspect_as_program(
    const struct reading_part *part, bool is_windows, struct suspect *ret);

/*
 * The name of the file that is run: the mail's, without what its reader's
 * system would drop of it, so that its ending is the kind's.
 */
void suspect_file_name(
    const struct suspect *suspect, char ret[SUSPECT_NAME_MAX]);

/* "program", "script". */
const char *suspect_class_name(enum suspect_class class);

#endif
