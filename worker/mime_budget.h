/*
 * worker/mime_budget.h - what a message would cost the standard reader, told
 * from its lines before that reader starts.
 */
#ifndef SLUICE_WORKER_MIME_BUDGET_H
#define SLUICE_WORKER_MIME_BUDGET_H

#include "worker/cell_priv.h"

/*
 * Count header lines (and the parameters that crowd in one) and delimiter
 * lines of one entity and add them to the message's.  False, and noted: more
 * than budget.headers or budget.parts (the reader needs about 1.4 kB and 5 us
 * for each part, however small).
 */
bool mime_within_budget(struct cell *c, struct span octets);

/* "Name:" with nothing but a name in front of the colon. */
bool mime_is_field(const char *at, size_t len);

/* NUL, or CR without LF: readers differ about where lines end. */
bool mime_has_odd_octets(struct span octets);

/* A header block that names its content, or of any kind if declared so. */
bool mime_looks_like_mail(struct span octets, bool is_declared);

#endif
