#include "tools/sim/closed.h"

#include "tools/sim/model_priv.h"

#include <assert.h>
#include <math.h>

/* What a lane is given, in seconds at its own speed. */
struct lane {
	double share;
	double mean_s, square_s2; /* of the service of its own messages */
	double load; /* utilisation of each server for one message a second */
};

static double
limit_of(const struct model *model, size_t lane)
{
	const uint64_t bytes = model->limits.max_bytes[lane];

	/* The last admits everything, as feed_class() has it. */
	return lane + 1 == model->limits.lanes || bytes == UINT64_MAX
		   ? INFINITY
		   : (double)bytes;
}

static struct lane
lane_of(const struct model *model, size_t i)
{
	const struct moments s = model_service_between(model,
	    i > 0 ? limit_of(model, i - 1) : -INFINITY, limit_of(model, i));
	const double speed = model->speed[i];

	if (!(s.m0 > 0) || !(s.m1 > 0))
		return (struct lane){.share = s.m0};
	return (struct lane){
	    .share = s.m0,
	    .mean_s = s.m1 / s.m0 / speed,
	    .square_s2 = s.m2 / s.m0 / (speed * speed),
	    .load = s.m1 / (speed * (double)model->slots),
	};
}

double
closed_mmc_wait(double rate, double mean_service_s, size_t servers)
{
	const double offered = rate > 0 ? rate * mean_service_s : 0;
	const double c = (double)servers, free = 1 - offered / c;
	double blocked = 1; /* Erlang's B, server by server */

	assert(servers > 0);
	if (!(offered > 0))
		return 0;
	if (!(free > 0))
		return INFINITY;
	for (size_t k = 1; k <= servers; k++)
		blocked = offered * blocked / ((double)k + offered * blocked);
	/* Erlang's C, which is the share that waits, and how long. */
	return blocked / (blocked + free * (1 - blocked)) * mean_service_s /
	       (c * free);
}

/* Of a lane that is stable and has mail to serve. */
static double
lane_wait(const struct model *model, const struct lane *lane)
{
	const double rate = model->rate * lane->share;
	/* (1 + cv^2) / 2: half of E[S^2] / E[S]^2. */
	const double spread =
	    lane->square_s2 / (2 * lane->mean_s * lane->mean_s);

	if (isinf(spread))
		return INFINITY;
	return closed_mmc_wait(rate, lane->mean_s, model->slots) * spread;
}

static struct lane_figures
figures_of(const struct model *model, size_t i)
{
	const struct lane lane = lane_of(model, i);
	struct lane_figures f = {.share = lane.share};

	if (!(lane.load > 0) || !(model->rate > 0))
		return f;
	f.utilisation = model->rate * lane.load;
	f.wait_mean_s = f.utilisation < 1 ? lane_wait(model, &lane) : INFINITY;
	return f;
}

void
closed_figures(const struct model *model, struct closed *ret_closed)
{
	struct closed sum = {
	    .stable = true, .utilisation = model_utilisation(model)};

	for (size_t i = 0; i < model->limits.lanes; i++) {
		const struct lane_figures f = figures_of(model, i);

		sum.lanes[i] = f;
		sum.stable = sum.stable && f.utilisation < 1;
		if (f.wait_mean_s > 0)
			sum.wait_mean_s += f.share * f.wait_mean_s;
	}
	*ret_closed = sum;
}

double
closed_rate_max(const struct model *model)
{
	double most = 0;

	for (size_t i = 0; i < model->limits.lanes; i++)
		most = fmax(most, lane_of(model, i).load);
	return most > 0 ? 1 / most : INFINITY;
}
