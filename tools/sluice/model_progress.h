/*
 * tools/sluice/model_progress.h - how far long work is, for who waits.
 */
#ifndef SLUICE_TOOLS_MODEL_PROGRESS_H
#define SLUICE_TOOLS_MODEL_PROGRESS_H

#include <stddef.h>

/*
 * On standard error if that is a terminal, once a second at most, and wiped
 * out when done reaches all; else nothing.
 */
void progress(const char *what, size_t done, size_t all);

#endif
