/*
 * queues/names_priv.h - file names of a message, and their directories' syncs.
 */
#ifndef SLUICE_QUEUES_NAMES_PRIV_H
#define SLUICE_QUEUES_NAMES_PRIV_H

#include "queues/spool.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* "qf" + id, and room for its NUL. */
#define PAIR_NAME_SIZE (QUEUE_ID_MAX + 3)

/* Write prefix + id to name[PAIR_NAME_SIZE]; returns name. */
static inline char *
pair_name(char *name, const char *prefix, const char *id)
{
	(void)snprintf(
	    name, PAIR_NAME_SIZE, "%.2s%.*s", prefix, QUEUE_ID_MAX, id);
	return name;
}

/* Make the names of a directory durable.  0 or -errno. */
static inline int
sync_dir(int fd)
{
	return TEMP_FAILURE_RETRY(fsync(fd)) < 0 ? -errno : 0;
}

#endif
