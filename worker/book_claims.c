#include "worker/book_claims.h"

#include "common/io.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <uthash.h>

struct claim_seat {
	TAILQ_ENTRY(claim_seat) in_claim;
	TAILQ_ENTRY(claim_seat) in_asker;
	struct book_claim *claim;
	struct claims_asker *asker;
	uint64_t job;
	uint32_t index;
};

TAILQ_HEAD(seat_list, claim_seat);

struct book_claim {
	struct book_key key;
	struct seat_list seats; /* the first holds it; never empty */
	UT_hash_handle hh;
};

struct claims_asker {
	void *arg;
	struct seat_list seats;
};

struct claims {
	struct book_claim *by_key;
	claims_pass_fn *pass;
	claims_tell_fn *tell;
	void *arg;
};

struct claims *
claims_new(claims_pass_fn *pass, claims_tell_fn *tell, void *arg)
{
	struct claims *c = xcalloc(1, sizeof(*c));

	c->pass = pass;
	c->tell = tell;
	c->arg = arg;
	return c;
}

struct claims *
claims_free(struct claims *claims)
{
	assert(!claims || !claims->by_key); /* every asker has left */
	free(claims);
	return NULL;
}

struct claims_asker *
claims_join(struct claims *claims, void *asker_arg)
{
	struct claims_asker *a = xcalloc(1, sizeof(*a));

	(void)claims;
	a->arg = asker_arg;
	TAILQ_INIT(&a->seats);
	return a;
}

static void
stand_up(struct claim_seat *s)
{
	TAILQ_REMOVE(&s->claim->seats, s, in_claim);
	TAILQ_REMOVE(&s->asker->seats, s, in_asker);
	free(s);
}

static void
end_if_empty(struct claims *claims, struct book_claim *claim)
{
	if (!TAILQ_EMPTY(&claim->seats))
		return;
	HASH_DEL(claims->by_key, claim);
	free(claim);
}

/* Take one seat away; who then comes first is told. */
static void
vacate(struct claims *claims, struct claim_seat *seat)
{
	struct book_claim *claim = seat->claim;
	const bool held = TAILQ_FIRST(&claim->seats) == seat;
	const struct claim_seat *next;

	stand_up(seat);
	next = TAILQ_FIRST(&claim->seats);
	if (held && next)
		claims->pass(
		    claims->arg, next->asker->arg, next->job, next->index);
	end_if_empty(claims, claim);
}

void
claims_drop(struct claims *claims, struct claims_asker *asker, uint64_t job)
{
	struct claim_seat *s, *next;

	/* Waiting seats first: a claim must not pass to the job itself. */
	for (int held = 0; held <= 1; held++)
		for (s = TAILQ_FIRST(&asker->seats); s; s = next) {
			next = TAILQ_NEXT(s, in_asker);
			if (s->job != job)
				continue;
			if (held || TAILQ_FIRST(&s->claim->seats) != s)
				vacate(claims, s);
		}
}

void
claims_leave(struct claims *claims, struct claims_asker *asker)
{
	struct claim_seat *s, *next;

	for (int held = 0; held <= 1; held++)
		for (s = TAILQ_FIRST(&asker->seats); s; s = next) {
			next = TAILQ_NEXT(s, in_asker);
			if (held || TAILQ_FIRST(&s->claim->seats) != s)
				vacate(claims, s);
		}
	free(asker);
}

static struct book_claim *
find(const struct claims *claims, const struct book_key *key)
{
	struct book_claim *claim;

	HASH_FIND(hh, claims->by_key, key, sizeof(*key), claim);
	return claim;
}

bool
claims_ask(struct claims *claims, struct claims_asker *asker, uint64_t job,
    uint32_t index, const struct book_key *key)
{
	struct book_claim *claim = find(claims, key);
	struct claim_seat *s = xcalloc(1, sizeof(*s));

	if (!claim) {
		claim = xcalloc(1, sizeof(*claim));
		claim->key = *key;
		TAILQ_INIT(&claim->seats);
		HASH_ADD(hh, claims->by_key, key, sizeof(claim->key), claim);
	}
	s->claim = claim;
	s->asker = asker;
	s->job = job;
	s->index = index;
	TAILQ_INSERT_TAIL(&claim->seats, s, in_claim);
	TAILQ_INSERT_TAIL(&asker->seats, s, in_asker);
	return TAILQ_FIRST(&claim->seats) == s;
}

void
claims_settle(struct claims *claims, const struct claims_asker *asker,
    const struct book_key *key, void *verdict)
{
	struct book_claim *claim = find(claims, key);
	struct claim_seat *s;

	if (!claim)
		return;
	s = TAILQ_FIRST(&claim->seats);
	if (s->asker == asker)
		stand_up(s); /* it knows */
	while ((s = TAILQ_FIRST(&claim->seats))) {
		void *arg = s->asker->arg;
		uint64_t job = s->job;
		uint32_t index = s->index;

		stand_up(s);
		claims->tell(claims->arg, arg, job, index, verdict);
	}
	end_if_empty(claims, claim);
}

void
claims_give_up(struct claims *claims, const struct claims_asker *asker,
    const struct book_key *key)
{
	struct book_claim *claim = find(claims, key);

	if (claim && TAILQ_FIRST(&claim->seats)->asker == asker)
		vacate(claims, TAILQ_FIRST(&claim->seats));
}

size_t
claims_count(const struct claims *claims)
{
	return HASH_COUNT(claims->by_key);
}
