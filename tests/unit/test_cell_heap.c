/* What cells ask malloc(3) for, worker/cell_heap.c. */
#include "worker/cell_priv.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define PIECES 400

/* Of a piece malloc(3) uses some itself, and rounds it up. */
#define OVERHEAD_BYTES 32

static void
pieces_of_any_size_lie_side_by_side_on_new_pages(void **state)
{
	uintptr_t first = 0, end = 0;

	(void)state;
#ifdef SLUICE_SANITIZE
	skip(); /* has an allocator of its own */
#endif
	assert_int_equal(cell_prepare(), 0);
	for (size_t i = 0; i < PIECES; i++) {
		const size_t bytes = 1 + i * i % 3000;
		const uintptr_t at = (uintptr_t)malloc(bytes);

		if (first == 0)
			first = at;
		else
			assert_in_range(at, end, end + OVERHEAD_BYTES);
		end = at + bytes;
	}
	assert_in_range(end - first, PIECES, PIECES * 3000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pieces_of_any_size_lie_side_by_side_on_new_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
