#include "flow/model_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <linear.h>
#include <stdlib.h>

#define TOLERANCE 1e-3 /* liblinear's -e; its own default is 1e-2 */

static void
say_nothing(const char *text)
{
	(void)text;
}

/* Each bin is a variable that is 1 or 0: number f * FLOW_BINS + bin + 1. */
static void
fill(const struct flow_rows *rows, struct problem *problem,
    struct feature_node *nodes)
{
	for (size_t i = 0; i < rows->n; i++) {
		problem->y[i] = rows->is_spam[i] ? 1 : -1;
		problem->x[i] = nodes;
		for (size_t f = 0; f < FLOW_FEATURES; f++)
			*nodes++ = (struct feature_node){
			    (int)(f * FLOW_BINS + rows->bins[i][f] + 1), 1};
		*nodes++ = (struct feature_node){problem->n, 1};
		*nodes++ = (struct feature_node){-1, 0};
	}
}

/*
 * Logistic regression, L2 (liblinear's solver 0, which draws no random
 * numbers).  A bin that no sample was in has weight 0 by that.
 */
void
flow_train_linear(struct flow_model *model, const struct flow_rows *rows,
    const struct flow_params *params)
{
	CLEANUP(free_ptr) double *y = xcalloc(rows->n, sizeof(*y));
	CLEANUP(free_ptr)
	struct feature_node **x =
	    xcalloc(rows->n, sizeof(struct feature_node *));
	CLEANUP(free_ptr)
	struct feature_node *nodes =
	    xcalloc(rows->n * (FLOW_FEATURES + 2), sizeof(*nodes));
	int labels[] = {-1, 1};
	double weights[] = {rows->weight[0], rows->weight[1]};
	struct problem problem = {.l = (int)rows->n,
	    .n = FLOW_FEATURES * FLOW_BINS + 1,
	    .y = y,
	    .x = x,
	    .bias = 1};
	struct parameter parameter = {.solver_type = L2R_LR,
	    .C = params->cost,
	    .eps = TOLERANCE,
	    .nr_weight = 2,
	    .weight_label = labels,
	    .weight = weights};
	struct model *fit;
	double sign;

	fill(rows, &problem, nodes);
	set_print_string_function(say_nothing);
	fit = train(&problem, &parameter);
	/* Its scores are for the label that it met first. */
	sign = fit->label[0] == 1 ? 1 : -1;
	model->bias = sign * fit->w[problem.n - 1];
	for (size_t f = 0; f < FLOW_FEATURES; f++)
		for (unsigned int b = 0; b < model->bins.n[f] + 2u; b++)
			model->points[f][b] = sign * fit->w[f * FLOW_BINS + b];
	free_and_destroy_model(&fit);
}
