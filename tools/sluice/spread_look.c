#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "tools/sluice/spread.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A list of numbers that grows. */
struct numbers {
	uint64_t *at;
	size_t n, room;
};

/* The copies of one file, while its rows come. */
struct look {
	const struct spread_wish *wish;
	spread_told_fn *fn;
	void *arg;
	struct spread_told told;
	uint64_t newest_usec;
	struct spread_copy *copies;
	size_t *senders; /* of each copy: where in names its sender begins */
	size_t n, room;
	char *names; /* NUL behind each */
	size_t n_names, names_room;
	struct spread_period *periods;
};

/* Doubles: what is added one by one stays linear.  Memory that mail can make
 * large is the operator's own command's, so it may die of it. */
static void *
grow(void *at, size_t *room, size_t need, size_t size)
{
	if (need <= *room)
		return at;
	while (*room < need)
		*room = *room ? 2 * *room : 64;
	at = reallocarray(at, *room, size);
	if (!at) {
		perror("sluice model spread");
		_exit(STATUS_SYSTEM);
	}
	return at;
}

static void
add_number(struct numbers *l, uint64_t number)
{
	l->at = grow(l->at, &l->room, l->n + 1, sizeof(*l->at));
	l->at[l->n++] = number;
}

static int
by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

struct crowd {
	const struct people *people;
	struct numbers numbers;
};

static int
take_people(void *arg, const struct ledger_message *m)
{
	struct crowd *c = arg;
	size_t len = strlen(m->sender);

	if (len > 0)
		add_number(
		    &c->numbers, people_number(c->people, m->sender, len));
	for (const char *p = people_next(m->rcpt, &len); len > 0;
	     p = people_next(p + len, &len))
		add_number(&c->numbers, people_number(c->people, p, len));
	return 0;
}

static int
count_clients(struct ledger *ledger, struct spread_wish *wish)
{
	struct crowd c = {.people = wish->people};
	const struct wall since = {wish->frame.begin_usec};
	int r = ledger_people(ledger, since, take_people, &c);
	uint64_t n = 0;

	if (c.numbers.n > 0)
		qsort(c.numbers.at, c.numbers.n, sizeof(uint64_t), by_number);
	for (size_t i = 0; i < c.numbers.n; i++)
		n += i == 0 || c.numbers.at[i] != c.numbers.at[i - 1];
	free(c.numbers.at);
	wish->frame.clients = n;
	return r;
}

struct times {
	const struct spread_frame *frame;
	uint64_t *messages;
	char last[QUEUE_ID_MAX + 1];
};

/* A message's files have one time, so its rows come together. */
static int
take_time(void *arg, const struct ledger_message *m)
{
	struct times *t = arg;
	size_t p = spread_period_of(t->frame, m->t.usec);

	if (p == t->frame->n_periods || strcmp(m->id, t->last) == 0)
		return 0;
	t->messages[p]++;
	(void)snprintf(t->last, sizeof(t->last), "%s", m->id);
	return 0;
}

static int
count_messages(struct ledger *ledger, struct spread_wish *wish)
{
	struct spread_frame *f = &wish->frame;
	struct times t = {.frame = f};
	int r = ledger_files_begin(ledger, &f->log_begin_usec);

	if (r < 0)
		return r;
	t.messages = xcalloc(f->n_periods, sizeof(*t.messages));
	f->messages = wish->messages = t.messages;
	return ledger_file_times(
	    ledger, (struct wall){f->begin_usec}, take_time, &t);
}

static size_t
keep_name(struct look *l, const char *name, size_t len)
{
	size_t at = l->n_names;

	l->names = grow(l->names, &l->names_room, at + len + 1, 1);
	memcpy(l->names + at, name, len);
	l->names[at + len] = '\0';
	l->n_names += len + 1;
	return at;
}

static void
add_copy(struct look *l, const struct spread_copy *copy, size_t sender)
{
	size_t room = l->room;

	l->copies = grow(l->copies, &room, l->n + 1, sizeof(*l->copies));
	l->senders = grow(l->senders, &l->room, l->n + 1, sizeof(*l->senders));
	l->senders[l->n] = sender;
	l->copies[l->n++] = *copy;
}

static void
add_copies(struct look *l, const struct ledger_file *f)
{
	const struct people *people = l->wish->people;
	const size_t from = strlen(f->sender);
	size_t sender = keep_name(l, f->sender, from), len;
	struct spread_copy c = {.t_usec = f->t.usec,
	    .message = people_number(people, f->id, strlen(f->id)),
	    .sender = people_number(people, f->sender, from),
	    .passed = strcmp(f->place, spool_dir_name(SPOOL_OUT)) == 0};
	const char *p = people_next(f->rcpt, &len);

	if (len == 0)
		add_copy(l, &c, sender);
	for (; len > 0; p = people_next(p + len, &len)) {
		c.rcpt = people_number(people, p, len);
		add_copy(l, &c, sender);
	}
}

static void
note_replicator(struct look *l)
{
	struct spread_told *t = &l->told;

	for (size_t i = 0; t->life.replicator != 0 && i < l->n; i++) {
		const char *name = l->names + l->senders[i];

		if (l->copies[i].sender != t->life.replicator)
			continue;
		t->replicator =
		    people_tell(l->wish->people, name, strlen(name));
		return;
	}
}

static void
sum_up(struct look *l)
{
	const struct spread_frame *f = &l->wish->frame;
	const uint64_t begin = f->begin_usec + SPREAD_PAST * f->period_usec;
	const double days =
	    (double)(f->end_usec - begin) / (double)(86400 * USEC_PER_SEC);
	struct spread_told *t = &l->told;

	t->p = 1;
	for (size_t i = SPREAD_PAST; i < f->n_periods; i++) {
		t->new_clients += l->periods[i].new_clients;
		t->bursts += l->periods[i].is_burst;
		t->p = fmin(t->p, l->periods[i].p);
	}
	t->incidence =
	    f->clients > 0 && days > 0
		? (double)t->new_clients / ((double)f->clients * days)
		: NAN;
}

/* All rows of a file have come. */
static int
finish(struct look *l)
{
	struct spread_told *t = &l->told;
	int r;

	if (l->n == 0)
		return 0;
	spread_compute(&l->wish->frame, l->copies, l->n, &t->life, l->periods);
	t->periods = l->periods;
	note_replicator(l);
	sum_up(l);
	r = l->fn(l->arg, t);
	free(t->replicator);
	*t = (struct spread_told){0};
	l->n = l->n_names = 0;
	l->newest_usec = 0;
	return r;
}

static int
take_file(void *arg, const struct ledger_file *f)
{
	struct look *l = arg;
	struct spread_told *t = &l->told;
	int r = 0;

	if (f->t.usec > l->wish->frame.end_usec)
		return 0; /* came while we looked, or a clock is wrong */
	if (l->n > 0 && memcmp(&t->digest, &f->digest, sizeof(f->digest)) != 0)
		r = finish(l);
	if (r != 0)
		return r;
	if (l->n == 0 || f->t.usec >= l->newest_usec) {
		l->newest_usec = f->t.usec;
		t->digest = f->digest;
		t->bytes = f->bytes;
		(void)snprintf(t->name, sizeof(t->name), "%s", f->name);
		(void)snprintf(
		    t->verdict, sizeof(t->verdict), "%s", f->verdict);
		(void)snprintf(t->engine, sizeof(t->engine), "%s", f->engine);
	}
	add_copies(l, f);
	return 0;
}

bool
spread_is_alarm(const struct spread_told *told)
{
	return told->bursts > 0 || told->life.is_replicating;
}

int
spread_look(struct ledger *ledger, struct spread_wish *wish, spread_told_fn *fn,
    void *arg)
{
	struct look l = {.wish = wish, .fn = fn, .arg = arg};
	struct ledger_files_query q = {.from = wish->from, .to = wish->to};
	int r = count_clients(ledger, wish);

	q.since.usec =
	    wish->frame.begin_usec + SPREAD_PAST * wish->frame.period_usec;
	if (r == 0)
		r = count_messages(ledger, wish);
	if (r < 0)
		return r;
	l.periods = xcalloc(wish->frame.n_periods, sizeof(*l.periods));
	r = ledger_files(ledger, &q, take_file, &l);
	if (r == 0)
		r = finish(&l);
	free(l.periods);
	free(l.copies);
	free(l.senders);
	free(l.names);
	return r;
}
