/*
 * vmm/guest/watch_wine.h - the vantage point inside Wine: what it prints
 * about the sample, through a pipe.
 */
#ifndef SLUICE_VMM_GUEST_WATCH_WINE_H
#define SLUICE_VMM_GUEST_WATCH_WINE_H

#include <stdbool.h>

#include "vmm/guest/jail.h"
#include "vmm/guest/scene.h"
#include "vmm/guest/wine_trace.h"

struct watch_wine {
	int fd; /* readable when there is something; -1: Wine isn't used */
	const struct jail *jail;
	struct wine_trace trace;
};

/*
 * Open the pipe of the next run.  Sets ret_err to its other end, the caller's:
 * the sample's standard error.  Returns 0, or -errno as pipe2(2).
 */
int watch_wine_open(struct watch_wine *wine, int *ret_err);

/* Begin to watch a run whose first process will be `program`, under Wine.
 * jail is borrowed until the end. */
void watch_wine_begin(
    struct watch_wine *wine, const struct jail *jail, const char *program);

/* Read what there is, a bounded number of octets.  What comes before, or in
 * place of, a begin says nothing and goes. */
void watch_wine(struct watch_wine *wine, struct scene *scene);

/* The run is over.  Returns true: Wine said that it can't run it, or not to
 * its end. */
bool watch_wine_end(struct watch_wine *wine, struct scene *scene);

#endif
