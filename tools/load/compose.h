/*
 * tools/load/compose.h - artificial messages: well-formed MIME of a class.
 */
#ifndef LOAD_COMPOSE_H
#define LOAD_COMPOSE_H

#include "base.h"
#include "rng.h"

enum msg_class {
	CLASS_HAM,
	CLASS_SPAM,
	CLASS_EICAR,
	CLASS_EXT,
	CLASS_ATTACH,
	CLASS_CORPUS, /* a file, not composed */
	CLASS_COUNT,
};

const char *class_name(enum msg_class c);

/* Lognormal sizes of whole messages in octets: exp(Normal(mu, sigma)). */
struct sizes {
	double mu;
	double sigma;
	double attach_mu;
	double attach_sigma;
	uint64_t max_bytes; /* draws above are cut to this */
};

/* What the headers say. */
struct stamp {
	const char *id;
	const char *sender;
	const char *recipient;
	const char *domain;
};

/* Append a message of the class (not CLASS_CORPUS), LF line ends, to out. */
void compose(struct buf *out, struct rng *r, enum msg_class c,
    const struct sizes *sizes, const struct stamp *stamp);

#endif
