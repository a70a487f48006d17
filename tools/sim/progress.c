#include "tools/sim/progress.h"

#include "tools/sim/output.h"
#include "tools/sim/simulate.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A line on a terminal, and in a file, so often. */
#define TERMINAL_USEC (USEC_PER_SEC / 4)
#define FILE_USEC     (5 * USEC_PER_SEC)
/* An estimate from less than this is a guess. */
#define DONE_MIN 0.005

static volatile sig_atomic_t cancelled;

static void
on_interrupt(int number)
{
	(void)number;
	cancelled = 1;
}

bool
progress_is_cancelled(void)
{
	return cancelled;
}

double
progress_left_s(double spent_s, double done)
{
	if (!(done >= DONE_MIN))
		return NAN;
	return done >= 1 ? 0 : spent_s * (1 - done) / done;
}

static void
show(struct progress *p, struct mono now, double done)
{
	double spent_s = (double)mono_span(p->begun, now) / 1e6;
	char left[32];

	(void)output_seconds(
	    progress_left_s(spent_s, done), left, sizeof(left));
	(void)fprintf(stderr, "%s%-14s %5.1f %%  %s left%s",
	    p->is_terminal ? "\r" : "", p->what, 100 * done, left,
	    p->is_terminal ? "\033[K" : "\n");
	(void)fflush(stderr);
}

static bool
on_progress(void *arg, double done)
{
	struct progress *p = arg;
	struct mono now = mono_now();
	uint64_t pause = p->is_terminal ? TERMINAL_USEC : FILE_USEC;

	if (p->show && mono_span(p->shown, now) >= pause) {
		p->shown = now;
		show(p, now, p->base + p->part * fmin(fmax(done, 0), 1));
	}
	return !cancelled;
}

void
progress_init(struct progress *p, bool is_shown, struct simulate_options *run)
{
	struct sigaction act = {
	    .sa_handler = on_interrupt, .sa_flags = SA_RESETHAND};

	*p = (struct progress){.show = is_shown,
	    .is_terminal = isatty(STDERR_FILENO),
	    .begun = mono_now(),
	    .shown = mono_now(),
	    .what = "",
	    .part = 1};
	run->progress = on_progress;
	run->arg = p;
	(void)sigaction(SIGINT, &act, NULL);
}

void
progress_step(struct progress *p, const char *what, size_t i, size_t n)
{
	p->what = what;
	p->base = (double)i / (double)n;
	p->part = 1 / (double)n;
}

void
progress_end(struct progress *p)
{
	if (p->show && p->is_terminal)
		(void)fputs("\r\033[K", stderr);
	p->show = false;
}
