#include "common/cleanup.h"
#include "tools/sluice/spread.h"
#include "tools/sluice/util.h"

#include <math.h>
#include <string.h>

static void
set(json_t *o, const char *key, json_t *value)
{
	(void)json_object_set_new(o, key, value);
}

static void
set_number(json_t *o, const char *key, uint64_t n)
{
	set(o, key, json_integer((json_int_t)(n & INT64_MAX)));
}

/* A rate that isn't defined is null. */
static void
set_rate(json_t *o, const char *key, double rate)
{
	set(o, key, isfinite(rate) ? json_real(rate) : json_null());
}

json_t *
spread_frame_json(const struct spread_wish *wish, uint64_t odds)
{
	const struct spread_frame *f = &wish->frame;
	json_t *o = json_object();
	uint64_t messages = 0;

	for (size_t i = SPREAD_PAST; i < f->n_periods; i++)
		messages += f->messages[i];
	set(o, "kind", json_string("frame"));
	set_number(
	    o, "begin_usec", f->begin_usec + SPREAD_PAST * f->period_usec);
	set_number(o, "end_usec", f->end_usec);
	set_number(o, "period_usec", f->period_usec);
	set_number(o, "past", SPREAD_PAST);
	set_number(o, "log_begin_usec", f->log_begin_usec);
	set_number(o, "clients", f->clients);
	set_number(o, "messages", messages);
	set_number(o, "alarm_odds", odds);
	set_number(o, "replicas", f->replicas);
	set(o, "pseudonyms", json_boolean(people_is_keyed(wish->people)));
	return o;
}

static json_t *
period_json(
    const struct spread_frame *f, size_t i, const struct spread_period *p)
{
	json_t *o = json_object();

	set_number(o, "t_usec", f->begin_usec + i * f->period_usec);
	set_number(o, "copies", p->copies);
	set_number(o, "blocked", p->blocked);
	set_number(o, "messages", p->messages);
	set_number(o, "sources", p->sources);
	set_number(o, "new_clients", p->new_clients);
	set_number(o, "holders", p->holders);
	set_rate(o, "births_per_minute", p->births_per_minute);
	set_rate(o, "incidence", p->incidence);
	set_rate(o, "prevalence", p->prevalence);
	set_rate(o, "p", p->p);
	set(o, "burst", json_boolean(p->is_burst));
	return o;
}

static json_t *
alarms_json(const struct spread_told *told)
{
	json_t *list = json_array();

	if (told->bursts > 0)
		(void)json_array_append_new(list, json_string("burst"));
	if (told->life.is_replicating)
		(void)json_array_append_new(list, json_string("replication"));
	return list;
}

/* Those in which there was something. */
static json_t *
periods_json(const struct spread_frame *f, const struct spread_period *periods)
{
	json_t *list = json_array();

	for (size_t i = SPREAD_PAST; i < f->n_periods; i++)
		if (periods[i].copies > 0 || periods[i].holders > 0)
			(void)json_array_append_new(
			    list, period_json(f, i, &periods[i]));
	return list;
}

static void
set_life(json_t *o, const struct spread_life *l)
{
	set_number(o, "first_usec", l->first_usec);
	set_number(o, "last_usec", l->last_usec);
	set_number(o, "lifespan_usec", l->last_usec - l->first_usec);
	set_number(o, "copies", l->copies);
	set_number(o, "blocked", l->blocked);
	set_number(o, "messages", l->messages);
	set_number(o, "senders", l->senders);
	set_number(o, "clients", l->clients);
	set_rate(o, "births_per_minute", l->births_per_minute);
	set_rate(o, "spread", l->spread);
	set_number(o, "rates", l->rates);
	set_rate(o, "affected", l->affected);
}

static void
set_digest(json_t *o, const struct digest *digest)
{
	char hex[DIGEST_HEX];

	set(o, "sha256", json_string(digest_hex(digest, hex)));
}

json_t *
spread_file_json(const struct spread_wish *wish, const struct spread_told *told)
{
	json_t *o = json_object();

	set(o, "kind", json_string("file"));
	set_digest(o, &told->digest);
	set(o, "name", util_json_text(told->name));
	set_number(o, "bytes", told->bytes);
	set(o, "verdict", util_json_text(told->verdict));
	set(o, "engine", util_json_text(told->engine));
	set(o, "alarms", alarms_json(told));
	set_life(o, &told->life);
	set_number(o, "new_clients", told->new_clients);
	set_rate(o, "incidence", told->incidence);
	set_rate(o, "p", told->p);
	if (told->replicator) {
		set(o, "replicator", util_json_text(told->replicator));
		set_number(o, "replicas", told->life.replicas);
	}
	set(o, "periods", periods_json(&wish->frame, told->periods));
	return o;
}

static void
tell(json_t *list, const struct people *people, const char *address, size_t n)
{
	CLEANUP(free_ptr) char *told = people_tell(people, address, n);

	(void)json_array_append_new(list, util_json_text(told));
}

json_t *
spread_log_json(struct people *people, const struct ledger_file *file)
{
	json_t *o = json_object(), *sender = json_array(), *rcpt = json_array();
	size_t len;

	tell(sender, people, file->sender, strlen(file->sender));
	for (const char *p = people_next(file->rcpt, &len); len > 0;
	     p = people_next(p + len, &len))
		tell(rcpt, people, p, len);
	set(o, "kind", json_string("log"));
	set_digest(o, &file->digest);
	set_number(o, "t_usec", file->t.usec);
	set(o, "id", util_json_text(file->id));
	(void)json_object_set(o, "sender", json_array_get(sender, 0));
	set(o, "recipients", rcpt);
	set_number(o, "bytes", file->bytes);
	set(o, "verdict", util_json_text(file->verdict));
	set(o, "engine", util_json_text(file->engine));
	set(o, "place", util_json_text(file->place));
	set(o, "name", util_json_text(file->name));
	json_decref(sender);
	return o;
}
