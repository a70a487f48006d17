/*
 * vmm/holder.h - sluice-vmm: holds references and clones of a host, and runs
 * files for whoever asks (vmm/ask.h).
 *
 * It has no parser of anything hostile: it copies octets of reports.  Without
 * a back end or a reference it says so to whoever asks, and looks again for
 * references every two seconds: one that was built, or built anew, is taken.
 */
#ifndef SLUICE_VMM_HOLDER_H
#define SLUICE_VMM_HOLDER_H

#include <stddef.h>
#include <sys/types.h>

struct conf;
struct event_base;
struct holder;
struct metrics;
struct pool_limits;
struct vmm_ops;

struct holder_parts {
	int listen_fd;             /* taken over */
	int meminfo;               /* taken over; -1: see vmm/pool_loop.h */
	const struct conf *conf;   /* borrowed; section vm */
	struct metrics *metrics;   /* borrowed; may be NULL */
	const struct vmm_ops *ops; /* the back end; NULL: none */
	const char *why;           /* then why, else how, in words; borrowed */
	uid_t uid; /* who may ask, besides root; others' connections are
		      closed */
};

/*
 * The first back end that vm.backend admits and that can work here, what was
 * left over of it reaped, and how it works in words; NULL and why when there is
 * none.
 * Logs.  Blocks for the start of a program.
 */
const struct vmm_ops *holder_choose(
    const struct conf *conf, char *why, size_t why_size);

/* What section vm says, and this host has. */
void holder_limits(const struct conf *conf, struct pool_limits *ret);

/* Serve from base's loop on.  Logs what fails. */
struct holder *holder_new(
    struct event_base *base, const struct holder_parts *parts);
/* End all clones, then the loop, within vm.destroy_timeout at the latest. */
void holder_end(struct holder *holder);
struct holder *holder_free(struct holder *holder);

#endif
