/*
 * tools/sluice/repository_notice.h - the mail that says that there is a new
 * release: where it is, what it is, and who signed it (RFC 5322, MIME).
 */
#ifndef SLUICE_TOOLS_REPOSITORY_NOTICE_H
#define SLUICE_TOOLS_REPOSITORY_NOTICE_H

#include "tools/sluice/repository.h"
#include "worker/mef/update.h"

struct notice {
	const char *from;      /* address */
	const char *const *to; /* addresses, n_to of them, at least one */
	size_t n_to;
	const char *url; /* of public/, without a slash at its end */
	/* What leads from the release before, NULL for the first one; and the
	 * whole model.  Their paths, of which the last part is told. */
	const struct mef_update *step, *whole;
	const char *step_path, *whole_path;
	bool is_enclosing; /* the step, or else the whole one, too */
};

/* Could it stand in a header and in an argument list: one word of printable
 * ASCII with an @ within, and no - ahead?  Pure. */
bool notice_is_address(const char *text);

/*
 * Write the mail, with lines that end by LF as sendmail(8) takes them.
 *
 * now_sec  of its Date, since 1970
 * out      the caller's
 *
 * Returns 0 or -errno as open(2), read(2) of the enclosed update; errors of
 * out are the caller's to ask for.  Blocks.
 */
int notice_write(const struct notice *notice, uint64_t now_sec, FILE *out);

/*
 * Give the mail in a file to the local sendmail.  Returns a status after
 * saying why.  Blocks.
 */
int notice_send(const struct repository *repository,
    const struct notice *notice, const char *path);

#endif
