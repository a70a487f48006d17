/*
 * vmm/guest/path.h - paths as programs give them, made absolute.  Pure.
 */
#ifndef SLUICE_VMM_GUEST_PATH_H
#define SLUICE_VMM_GUEST_PATH_H

#include <limits.h>
#include <stdbool.h>

/*
 * path, as seen from the directory base, without ".", ".." and doubled
 * slashes; symbolic links are not looked at.  What is longer than PATH_MAX
 * is cut.  ret may be neither of them.
 */
void path_absolute(const char *base, const char *path, char ret[PATH_MAX]);

/* A name from a mail as one that a directory can hold: its last component,
 * changed in place; "attachment" if there is none. */
void path_file_name(char *name);

/* Is path dir or below it?  dir has no slash at its end. */
bool path_is_in(const char *path, const char *dir);

/* The process whose memory a path like /proc/12/mem is, or whose file it is
 * (/proc/12/...); self for /proc/self/...; 0: none. */
int path_proc_pid(const char *path, int self);

#endif
