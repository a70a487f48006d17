/*
 * tools/sluice/status_tune.h - what `sluice status` says of the tuner: which
 * limits it would take, and waits as foreseen and as measured.
 */
#ifndef SLUICE_TOOLS_STATUS_TUNE_H
#define SLUICE_TOOLS_STATUS_TUNE_H

struct health_tune;

/* On standard output; nothing while no feed has run. */
void status_tune_print(const struct health_tune *tune);
/* One line of type "tune", and one of type "tune-queue" for each lane. */
void status_tune_json(const struct health_tune *tune);

#endif
