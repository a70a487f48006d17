/*
 * vmm/guest/wine.h - Wine in a guest that has it: its server and services
 * run before clones are taken, so that a sample need not wait for them.
 */
#ifndef SLUICE_VMM_GUEST_WINE_H
#define SLUICE_VMM_GUEST_WINE_H

#include <stdbool.h>

/* Made by vmm/reference/wine.recipe. */
#define WINE_PREFIX    "/wine"
#define WINE_DRIVE     WINE_PREFIX "/drive_c"
#define WINE_USER      WINE_DRIVE "/users/root"
#define WINE_DOWNLOADS "C:\\users\\root\\Downloads\\"

/* What is run over and over before clones are taken.  Code that was
 * translated once is there for all; a fifth time is no faster. */
#define WINE_REHEARSAL  WINE_DRIVE "/windows/rehearsal.exe"
#define WINE_REHEARSALS 4

/* Of programs under Wine whose lines are read (vmm/guest/wine_trace.h). */
extern const char *const wine_environment[];

bool wine_is_there(void);

/*
 * Start the server, the services and a desktop, as a jailed user's.  Blocks
 * until they are there, which takes some ten seconds.
 *
 * ret_calls  set to where the kernel asks about the server's network calls,
 *            which it makes for whatever program runs; the caller's, to serve
 *            during a run (watch_seccomp()): until then such a call waits, and
 *            all of Wine with it.  -1 on failure
 *
 * Returns 0 or -errno; -ECHILD: one of them has failed.
 */
int wine_start(int *ret_calls);

/*
 * Wait until the server has written down what changed in the registry so far,
 * half a minute at most: it does so on a timer, and would otherwise in each
 * clone, in the middle of its run.
 */
void wine_settle(void);

#endif
