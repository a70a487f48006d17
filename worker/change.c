/*
 * What deliver changes on mail that passes: the warning around it, the trace
 * header on it, in this order, so that the one never encloses the other.
 */
#include "common/conf.h"
#include "common/log.h"
#include "common/metrics.h"
#include "queues/move.h"
#include "queues/qf.h"
#include "queues/wrap.h"
#include "worker/deliver_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void
add_trace_header(struct deliver *d, struct item *item)
{
	char header[128], first[128];
	const char *value = header + strlen("X-Sluice: ");

	if (!d->conf->worker.trace_header || item->to != SPOOL_OUT)
		return;
	(void)snprintf(header, sizeof(header), "X-Sluice: %s; worker=%u",
	    item->verdict, d->k);
	/* Ours from before a crash stands first; a sender's own does not count,
	 * whatever it claims. */
	if (qf_header(item->qf, "X-Sluice", first, sizeof(first)) &&
	    strcmp(first, value) == 0)
		return;
	if (move_add_header(d->spool, &item->claim, header) < 0)
		log_warn("mid=%s: X-Sluice not added", item->id);
}

static int
wrap(struct deliver *d, struct item *item, const char **ret_reason)
{
	int r;

	if (!item->warning)
		return 0;
	*ret_reason = "it can't be wrapped in a warning";
	r = wrap_message(d->spool, &item->claim, item->warning, ret_reason);
	if (r == -EALREADY) /* before a crash */
		return 0;
	if (r == 0)
		metrics_add(d->metrics, METRIC_deliver_wrapped, 1);
	else
		log_error("mid=%s is not wrapped: %s", item->id, strerror(-r));
	return r;
}

int
deliver_change(struct deliver *d, struct item *item, const char **ret_reason)
{
	int r = wrap(d, item, ret_reason);

	if (r == 0)
		add_trace_header(d, item);
	return r;
}
