/*
 * vmm/trial.h - what a run says of its file: the detector's findings and the
 * way in which the run ended, put together.  Pure.
 *
 * What was proven stays proven, whatever happened to the clone afterwards.
 * Nothing seen is clean only if it was possible to see something.
 */
#ifndef SLUICE_VMM_TRIAL_H
#define SLUICE_VMM_TRIAL_H

#include <stddef.h>

struct ask_done;
struct detector;

enum trial {
	TRIAL_CLEAN,
	TRIAL_HIT,
	TRIAL_NO_OPENER,    /* no reference can run this kind of file */
	TRIAL_UNKNOWN_FILE, /* its clones failed with it, or it blinded them */
	TRIAL_UNKNOWN_HOST, /* no clone could be had: ask again later */
};

/*
 * done   the last word of the run; its clones were as many as are to be tried
 * text   for people: the behaviour that weighs most, or why it is unknown; ""
 *        when clean.  At most size octets, printable ASCII.
 */
enum trial trial_of(const struct detector *detector,
    const struct ask_done *done, char *text, size_t size);

#endif
