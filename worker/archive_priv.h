/*
 * worker/archive_priv.h - one pass of libarchive over octets.
 */
#ifndef SLUICE_WORKER_ARCHIVE_PRIV_H
#define SLUICE_WORKER_ARCHIVE_PRIV_H

#include "worker/cell_priv.h"

/* Formats are told apart here, never by libarchive's own bidding: a file that
 * fits two of them is read as each (archive_also.c). */
enum archive_form {
	FORM_NONE,
	FORM_ZIP,
	FORM_ZIP_LOCAL, /* by the local headers alone, as from a pipe */
	FORM_7ZIP,
	FORM_RAR,
	FORM_TAR,
	FORM_CPIO,
	FORM_AR,
	FORM_CAB,
	FORM_LHA,
	FORM_ISO,
	FORM_FILE, /* one compressed file, which may be a tar or cpio */
	FORM_RAW,  /* one compressed file, whatever is in it */
};

/* One archive that is being read. */
struct reader {
	struct cell *c;
	int32_t index;  /* of the archive's part */
	unsigned depth; /* of the members */
	struct span octets;
	uint32_t ambiguity; /* of members that no other pass has shown */
	int filter;         /* for FORM_FILE and FORM_RAW */
	/* Set by archive_pass(). */
	uint64_t out;   /* octets of all members so far */
	uint32_t n;     /* members of this pass */
	uint64_t used;  /* octets that the format took, decompressed */
	bool is_raw;    /* libarchive saw no format in the compressed file */
	bool is_at_end; /* the format's own end was reached */
	bool is_odd;    /* members that are no files, or folders with content */
	bool is_full_folder; /* a folder whose content was not shown */
	bool is_skipped;     /* damaged headers were passed over */
};

/* Read the members; what is damaged, encrypted or over a budget is flagged or
 * noted.  False: nothing that libarchive takes for such an archive. */
bool archive_pass(struct reader *r, enum archive_form form);

/*
 * Does the compressed file hold more than its archive's reader came by:
 * octets other than zero behind archive_pass()'s end, or a first octet that
 * makes it another file as well?
 */
bool archive_has_more(struct reader *r);

#endif
