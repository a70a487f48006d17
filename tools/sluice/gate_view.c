#include "tools/sluice/gate_view.h"

#include "tools/sluice/util.h"

#include <inttypes.h>
#include <stdio.h>

/* Bits of METRIC_gate_closed. */
#define CLOSED_WAIT UINT64_C(1)
#define CLOSED_DISK UINT64_C(2)

void
gate_view_put(const struct gate_view *view, struct metrics *metrics)
{
	uint64_t closed = 0;

	if (view->takes_bytes != UINT64_MAX)
		closed |= CLOSED_WAIT;
	if (view->is_full)
		closed |= CLOSED_DISK;
	metrics_set(metrics, METRIC_gate_closed, closed);
	metrics_set(metrics, METRIC_gate_takes,
	    closed & CLOSED_WAIT ? view->takes_bytes : 0);
	metrics_set(
	    metrics, METRIC_gate_since, view->since_usec / USEC_PER_SEC);
	metrics_set(metrics, METRIC_gate_wait, view->wait_usec / USEC_PER_SEC);
	metrics_set(metrics, METRIC_gate_used, view->used_percent);
}

void
gate_view_get(const struct metrics_values *values, struct gate_view *ret_view)
{
	uint64_t closed = values->values[METRIC_gate_closed];

	*ret_view = (struct gate_view){
	    .takes_bytes = closed & CLOSED_WAIT
			       ? values->values[METRIC_gate_takes]
			       : UINT64_MAX,
	    .is_full = closed & CLOSED_DISK,
	    .since_usec = values->values[METRIC_gate_since] * USEC_PER_SEC,
	    .wait_usec = values->values[METRIC_gate_wait] * USEC_PER_SEC,
	    .used_percent = values->values[METRIC_gate_used],
	};
}

bool
gate_view_is_open(const struct gate_view *view)
{
	return !view->is_full && view->takes_bytes == UINT64_MAX;
}

char *
gate_view_text(const struct gate_view *view, char *buf, size_t size)
{
	char since[32], wait[32], above[64] = "all mail";

	(void)util_span(view->since_usec, since, sizeof(since));
	(void)util_span(view->wait_usec, wait, sizeof(wait));
	if (gate_view_is_open(view))
		(void)snprintf(buf, size,
		    "open for %s: wait %s, disk %" PRIu64 " %%", since, wait,
		    view->used_percent);
	else if (view->is_full)
		(void)snprintf(buf, size,
		    "all mail is refused (4xx) for %s: the disk is %" PRIu64
		    " %% full",
		    since, view->used_percent);
	else {
		if (view->takes_bytes > 0)
			(void)snprintf(above, sizeof(above),
			    "mail above %" PRIu64 " octets", view->takes_bytes);
		(void)snprintf(buf, size,
		    "%s is refused (4xx) for %s: it would wait %s", above,
		    since, wait);
	}
	return buf;
}
