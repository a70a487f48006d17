/*
 * worker/ledger_line.h - journal lines of the plain kind, read without a
 * JSON library: parsing is what most of the ledger's time went to.
 */
#ifndef SLUICE_WORKER_LEDGER_LINE_H
#define SLUICE_WORKER_LEDGER_LINE_H

#include "queues/event.h"

/*
 * Read a line as event_format() writes it, of printable ASCII without
 * escapes outside the evidence.  line is changed: the strings of *ret_event
 * lie in it.  Returns 0 with what event_parse() would give, or -EBADMSG:
 * not of that kind, ask event_parse() (with the line as it was).
 */
int ledger_line(char *line, size_t len, struct event *ret_event);

#endif
