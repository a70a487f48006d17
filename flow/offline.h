/*
 * flow/offline.h - the flows of a capture file.
 */
#ifndef SLUICE_FLOW_OFFLINE_H
#define SLUICE_FLOW_OFFLINE_H

#include "flow/table.h"

#include <stdio.h>

struct offline {
	const char *path; /* "-": standard input */
	uint16_t ports[FLOW_PORTS_MAX];
	size_t n_ports;
	bool is_json;
	bool has_stats; /* a last line on standard error */
};

/*
 * Print each flow of a file to out as it ends, the rest in the order in which
 * they fell silent.  The process enters its sandbox once the file is open.
 *
 * Returns the exit status: 0; 100: no capture; 111: the file is cut off or
 * damaged, after what was whole has been printed, or it can't be read.
 */
int offline_run(const struct offline *offline, FILE *out);

#endif
