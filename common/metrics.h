/*
 * common/metrics.h - counters of a process, in a small mapped file.
 *
 * runtime/metrics/NAME can be read at any time, also when its writer hangs or
 * has died.  A role opens its file before it enters its sandbox.
 */
#ifndef SLUICE_COMMON_METRICS_H
#define SLUICE_COMMON_METRICS_H

#include "common/clock.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum metric {
#define METRIC(name, kind, unit, help) METRIC_##name,
#include "common/metrics.def"
#undef METRIC
	METRIC_COUNT
};

/* Values of METRIC_mef_model. */
enum metric_mef {
	METRIC_MEF_NONE,   /* there is no model */
	METRIC_MEF_BROKEN, /* there is none that can be used */
	METRIC_MEF_FORMER, /* the same, but for one from before */
	METRIC_MEF_GOOD,
};

enum metric_kind {
	METRIC_KIND_COUNTER,
	METRIC_KIND_GAUGE,
};

struct metric_info {
	const char *name;
	enum metric_kind kind;
	const char *unit;
	const char *help;
};

/* Valid for ever. */
const struct metric_info *metric_info(enum metric metric);

struct metrics;

/*
 * Make runtime/metrics/NAME anew with zeros (the directory too), and map it.
 * Old readers keep the old file.  0 or -errno.
 */
int metrics_open(
    const char *runtime, const char *name, struct metrics **ret_metrics);
/* The file stays: what it says last is still true.  NULL is allowed. */
struct metrics *metrics_close(struct metrics *metrics);

/* Never fail, never block.  metrics NULL: nothing happens. */
void metrics_add(struct metrics *metrics, enum metric metric, uint64_t n);
void metrics_set(struct metrics *metrics, enum metric metric, uint64_t value);

struct metrics_values {
	pid_t pid; /* of the writer; it may be gone */
	struct wall start;
	uint64_t values[METRIC_COUNT];
};

/*
 * Returns 0; -ENOENT: no such process has run; -EBADMSG: no counters, or of
 * another version; or -errno.
 */
int metrics_read(
    const char *runtime, const char *name, struct metrics_values *ret_values);

/*
 * Call fn for the name of every file there; non-zero ends it and is returned.
 * 0 or -errno.
 */
typedef int metrics_fn(void *arg, const char *name);
int metrics_each(const char *runtime, metrics_fn *fn, void *arg);

#endif
