/*
 * worker/ledger_audit.h - is every accepted message in exactly one place?
 *
 *   accepted = out + virus + ext + spam + error + waiting (in and feeds)
 *
 * Computed from all journals and a look into all directories; right beside
 * living daemons, since what looks wrong is looked at again.
 */
#ifndef SLUICE_WORKER_LEDGER_AUDIT_H
#define SLUICE_WORKER_LEDGER_AUDIT_H

#include "queues/spool.h"
#include "worker/ledger.h"

#include <stdbool.h>
#include <stdint.h>

#define AUDIT_BAD_MAX 100

enum audit_why {
	AUDIT_LOST,   /* accepted, not handed over, and in no directory */
	AUDIT_TWICE,  /* in two directories at once */
	AUDIT_LEDGER, /* the ledger says another place than the journals */
};

struct audit_bad {
	char id[QUEUE_ID_MAX + 1];
	enum audit_why why;
	enum spool_dir journal;  /* where the journals' last line puts it */
	enum spool_dir found[2]; /* AUDIT_TWICE: two of them */
};

struct audit {
	/* Every message is in one of these. */
	uint64_t accepted;
	uint64_t delivered;   /* was in out, taken by the second sendmail */
	uint64_t out_waiting; /* in out */
	uint64_t virus, ext, spam, error;
	uint64_t in, feeds; /* waiting to be placed; to be judged */

	uint64_t lost, twice;
	/* Remarks: none of them is an error. */
	uint64_t undone;       /* journalled move that a crash undid */
	uint64_t unjournalled; /* in feeds or quarantines without any line */
	uint64_t foreign;      /* in out without any line: the second
				* sendmail's own; in no sum above */
	uint64_t bad_lines;    /* of journals */
	uint64_t ledger_differs;

	struct audit_bad bad[AUDIT_BAD_MAX];
	size_t n_bad; /* at most AUDIT_BAD_MAX, though more may be bad */
};

/* Do the sums agree, with nothing lost and nothing twice? */
bool audit_balances(const struct audit *audit);
const char *audit_why_name(enum audit_why why);

/*
 * Take stock.  ledger may be NULL; otherwise its places are compared with
 * the journals' (import first).  Memory: about 150 octets a message in the
 * journals.  Returns 0 whatever it found, or -errno when journals or
 * directories cannot be read.  Blocks: reads all journals, and up to 0.5 s
 * where it must look again.
 */
int ledger_audit(
    const struct spool *spool, struct ledger *ledger, struct audit *ret_audit);

#endif
