#include "tools/sluice/submit_spread.h"

#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "tools/sluice/spread.h"
#include "tools/sluice/util.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define DAY_USEC      (86400 * USEC_PER_SEC)
#define PATIENCE_MSEC 5000

/* Files seen within that time; their lives before it count as well. */
#define DAYS 90u

struct figures {
	const struct submit_files *files;
	json_t *all;
};

static int
by_digest(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct digest));
}

static json_t *
rate(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static int
take(void *arg, const struct spread_told *told)
{
	struct figures *f = arg;
	const struct spread_life *l = &told->life;
	char hex[DIGEST_HEX];

	if (!bsearch(&told->digest, f->files->at, f->files->n,
		sizeof(*f->files->at), by_digest))
		return 0;
	(void)json_object_set_new(f->all, digest_hex(&told->digest, hex),
	    json_pack("{sI sI sI sI sI sI sI so so}", "copies",
		(json_int_t)l->copies, "blocked", (json_int_t)l->blocked,
		"messages", (json_int_t)l->messages, "senders",
		(json_int_t)l->senders, "clients", (json_int_t)l->clients,
		"first_usec", (json_int_t)l->first_usec, "last_usec",
		(json_int_t)l->last_usec, "births_per_minute",
		rate(l->births_per_minute), "spread", rate(l->spread)));
	return 0;
}

static int
look(const struct conf *conf, struct ledger *ledger, struct people *people,
    struct figures *f)
{
	struct spread_wish wish = {.people = people,
	    .from = f->files->at[0],
	    .to = f->files->at[f->files->n - 1]};
	struct spread_frame *frame = &wish.frame;
	int r;

	frame->end_usec = wall_now().usec;
	frame->period_usec = DAY_USEC;
	frame->begin_usec = frame->end_usec - (DAYS + SPREAD_PAST) * DAY_USEC;
	frame->n_periods =
	    spread_periods(frame->begin_usec, frame->end_usec, DAY_USEC);
	frame->alarm = 1 / (double)conf->spread.alarm_odds;
	frame->replicas = conf->spread.replicas;
	r = spread_look(ledger, &wish, take, f);
	free(wish.messages);
	return r;
}

json_t *
submit_spread(const struct conf *conf, const char *command,
    const struct submit_files *files)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/ledger.db", conf->site.state);
	CLEANUP(ledger_closep) struct ledger *ledger = NULL;
	CLEANUP(people_freep) struct people *people = NULL;
	struct figures f = {files, json_object()};
	char err[256] = "";
	int r;

	/* Addresses are only counted, so no key is needed. */
	if (files->n == 0 || access(path, F_OK) < 0 ||
	    people_new("none", &people) != STATUS_FINE)
		return f.all;
	r = ledger_open(path, true, PATIENCE_MSEC, &ledger, err, sizeof(err));
	if (r == 0) {
		r = look(conf, ledger, people, &f);
		if (r < 0)
			(void)snprintf(
			    err, sizeof(err), "%s", ledger_error(ledger));
	}
	if (r < 0)
		(void)util_fail(0, command,
		    "%s: %s; the files go without figures of their spread",
		    path, err);
	return f.all;
}
