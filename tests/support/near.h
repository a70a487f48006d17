/*
 * tests/support/near.h - doubles that should be equal but for rounding;
 * cmocka's own check compares floats.
 */
#ifndef SLUICE_TESTS_NEAR_H
#define SLUICE_TESTS_NEAR_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define assert_near(is, want, within) \
	check_near(is, want, within, __FILE__, __LINE__)

static inline void
check_near(double is, double want, double within, const char *file, int line)
{
	/* The first for INFINITY. */
	if (is == want || fabs(is - want) <= within)
		return;
	print_error("%.15g, not %.15g within %g\n", is, want, within);
	_fail(file, line);
}

#endif
