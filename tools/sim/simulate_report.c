#include "tools/sim/simulate_report.h"

#include "tools/sim/stats.h"

#include <math.h>

void
report_unstable(double utilisation, struct simulation *ret_simulation)
{
	*ret_simulation = (struct simulation){
	    .utilisation = utilisation, .load = utilisation};
	ret_simulation->all.mean_s = INFINITY;
	ret_simulation->ci99_s = INFINITY;
}

void
report_tallies(const struct model *model, const struct tally *tallies,
    uint64_t usec, struct simulation *ret)
{
	const size_t lanes = model->limits.lanes;
	struct tally all = {0};
	double speed = 0, busy = 0;

	for (size_t i = 0; i < lanes; i++) {
		const double busy_usec = (double)tallies[i].busy_usec;

		tally_merge(&all, &tallies[i]);
		tally_figures(&tallies[i], &ret->lanes[i]);
		tally_figures(&tallies[lanes + i], &ret->classes[i]);
		if (usec > 0)
			ret->lane_utilisation[i] =
			    busy_usec / (double)usec / (double)model->slots;
		busy += ret->lane_utilisation[i] * model->speed[i];
		speed += model->speed[i];
	}
	ret->utilisation = busy / speed;
	tally_figures(&all, &ret->all);
}
