#include "tools/sim/simulate_scale.h"

#include "tools/sim/simulate.h"

#include <math.h>

/* A rounding of half a microsecond is 0.5 % of the one, 0.05 % of the other. */
#define SHORT_S 1e-4
#define USUAL_S 1e-3
/* Between two messages, on average: as many as anybody can wait for fit 63
 * bits. */
#define LONG_S 1e3

double
scale_model(const struct model *model, struct model *ret_model)
{
	const double gap_s = 1 / model->rate;
	double fastest = 0, shortest_s, scale = 1;

	for (size_t i = 0; i < model->limits.lanes; i++)
		fastest = fmax(fastest, model->speed[i]);
	shortest_s = fmin(gap_s, model_service(model).mean_s / fastest);
	if (shortest_s < SHORT_S)
		scale = USUAL_S / shortest_s;
	if (scale * gap_s > LONG_S)
		scale = LONG_S * model->rate;
	*ret_model = *model;
	ret_model->rate /= scale;
	ret_model->fixed_s *= scale;
	ret_model->per_octet_s *= scale;
	ret_model->tail_s *= scale;
	return scale;
}

static void
figures_back(struct wait_figures *f, double scale)
{
	f->mean_s /= scale;
	f->p50_s /= scale;
	f->p95_s /= scale;
	f->p99_s /= scale;
	f->max_s /= scale;
}

void
scale_back(struct simulation *s, double scale)
{
	figures_back(&s->all, scale);
	s->ci99_s /= scale;
	for (size_t i = 0; i < FEED_MAX_LANES; i++) {
		figures_back(&s->lanes[i], scale);
		figures_back(&s->classes[i], scale);
	}
}
