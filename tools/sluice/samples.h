/*
 * tools/sluice/samples.h - the messages of `sluice selftest`.
 */
#ifndef SLUICE_TOOLS_SAMPLES_H
#define SLUICE_TOOLS_SAMPLES_H

#include "queues/spool.h"

#include <stddef.h>

struct sample {
	const char *name;
	const char *engine; /* that must be configured; NULL: none */
	enum spool_dir expected;
};

#define SAMPLE_COUNT 5

extern const struct sample samples[SAMPLE_COUNT];

/*
 * The message, CR LF line ends, fresh memory.  Test strings that scanners
 * look for are put together here, so that no file of ours contains them.
 */
char *sample_text(size_t i, const char *sender, const char *rcpt);

#endif
