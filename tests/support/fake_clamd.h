/*
 * tests/support/fake_clamd.h - a clamd that answers what the file says.
 *
 * Speaks sessions over a UNIX socket, in the test's own event loop.  The
 * probe (a mail, so it begins with "Received:") is answered with
 * probe_answer and must come first; every other file holds the answer that is
 * wanted, e.g. "OK" or "Eicar FOUND", or an order: !close   end the connection
 * without a word !cut     half an answer, then the end !hang    nothing at all
 *   !slow    an octet each 20 ms, for ever
 *   !raw...  the rest as it is, with a NUL
 *   !twice   two answers
 *   !endless 10,000 octets without a NUL
 *   !later   "OK" after 100 ms
 */
#ifndef SLUICE_TESTS_FAKE_CLAMD_H
#define SLUICE_TESTS_FAKE_CLAMD_H

struct event_base;
struct fake_clamd;

struct fake_clamd_options {
	const char *version_answer; /* "ClamAV 1.4.6/1/today" */
	const char *probe_answer;   /* text or order, as in a file */
};

struct fake_clamd *fake_clamd_new(struct event_base *base, const char *path,
    const struct fake_clamd_options *options);
/* Ends every connection and removes the socket, as a killed clamd would. */
struct fake_clamd *fake_clamd_free(struct fake_clamd *fake);

void fake_clamd_set_probe_answer(struct fake_clamd *fake, const char *text);

/* Counted since the start: connections taken, probes and files received. */
int fake_clamd_connections(const struct fake_clamd *fake);
int fake_clamd_probes(const struct fake_clamd *fake);
int fake_clamd_files(const struct fake_clamd *fake);
/* The most files that waited for an answer at one time. */
int fake_clamd_at_once(const struct fake_clamd *fake);

#endif
