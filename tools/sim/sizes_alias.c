#include "tools/sim/sizes_priv.h"

#include "common/cleanup.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* p, 0 .. 1, of 2^64. */
static uint64_t
share_of_64_bits(double p)
{
	return p >= 1 ? UINT64_MAX : (uint64_t)(p * 0x1p64);
}

/*
 * Take columns that are less than full from the bottom of stack, those that
 * are more from its top, and fill the one up with the other until all are.
 */
static void
level(struct sizes_column *columns, double *height, uint32_t *stack, size_t n)
{
	size_t small = 0, large = n;

	for (size_t i = 0; i < n; i++)
		if (height[i] < 1)
			stack[small++] = (uint32_t)i;
		else
			stack[--large] = (uint32_t)i;
	while (small > 0 && large < n) {
		const uint32_t low = stack[--small], high = stack[large];

		columns[low].own = share_of_64_bits(height[low]);
		columns[low].pick[1] = high;
		height[high] = (height[high] + height[low]) - 1;
		if (height[high] < 1) {
			large++;
			stack[small++] = high;
		}
	}
}

void
sizes_alias_init(struct sizes_alias *alias, const double *weights, size_t n)
{
	CLEANUP(free_ptr) double *height = calloc(n, sizeof(*height));
	CLEANUP(free_ptr) uint32_t *stack = calloc(n, sizeof(*stack));
	struct sizes_column *columns = calloc(n, sizeof(*columns));
	double sum = 0;

	assert(height && stack && columns && n > 0 && n < UINT32_MAX);
	for (size_t i = 0; i < n; i++)
		sum += weights[i];
	assert(sum > 0 && isfinite(sum));
	for (size_t i = 0; i < n; i++) {
		height[i] = weights[i] / sum * (double)n;
		/* Full, unless level() says otherwise: what is left over
		 * there differs from full by rounding only. */
		columns[i] = (struct sizes_column){
		    UINT64_MAX, {(uint32_t)i, (uint32_t)i}};
	}
	level(columns, height, stack, n);
	*alias = (struct sizes_alias){n, columns};
}

void
sizes_alias_done(struct sizes_alias *alias)
{
	free(alias->columns);
	*alias = (struct sizes_alias){0};
}
