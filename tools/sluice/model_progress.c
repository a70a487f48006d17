#include "tools/sluice/model_progress.h"

#include "common/clock.h"

#include <stdio.h>
#include <unistd.h>

void
progress(const char *what, size_t done, size_t all)
{
	static uint64_t shown_usec;
	const uint64_t now_usec = mono_now().usec;

	if (done < all && now_usec - shown_usec < USEC_PER_SEC)
		return;
	if (!isatty(STDERR_FILENO) || (done == all && shown_usec == 0))
		return;
	shown_usec = done < all ? now_usec : 0;
	if (done < all)
		(void)fprintf(stderr, "\r%s: %zu of %zu", what, done, all);
	else
		(void)fprintf(stderr, "\r\033[K");
}
