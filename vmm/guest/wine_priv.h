/* What the two halves of the reader of Wine's lines share.  Private to
 * vmm/guest/. */
#ifndef SLUICE_VMM_GUEST_WINE_PRIV_H
#define SLUICE_VMM_GUEST_WINE_PRIV_H

#include "vmm/guest/wine_trace.h"

/* One line, and who wrote it. */
struct wine_line {
	struct report *report;
	uint64_t usec;
	uint32_t pid, tid;
	const char *at; /* what is left of it; ends with a zero */
};

#define wine_add(line, kind, ...) \
	report_add((line)->report, (line)->usec, BY_WINE, \
	    (int)((line)->pid + WINE_TRACE_PID_BASE), kind, __VA_ARGS__)

/* What is remembered of the line's process, of its thread: made when there is
 * nothing yet, at the cost of the oldest. */
struct wine_program *wine_program_of(struct wine_trace *trace, uint32_t pid);
struct wine_thread *wine_thread_of(
    struct wine_trace *trace, const struct wine_line *line);

/* Tell of a program that is being started; pid 0: it didn't come to that. */
void wine_tell_program(struct wine_trace *trace, const struct wine_line *line,
    struct wine_thread *thread, uint32_t pid);

/* A line "Call MODULE.FUNCTION(...)", at behind the word; or "Ret". */
void wine_api_call(struct wine_trace *trace, const struct wine_line *line);
void wine_api_return(struct wine_trace *trace, const struct wine_line *line);

#endif
