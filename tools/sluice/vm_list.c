/*
 * tools/sluice/vm_list.c - `sluice vm list`: the clones of sluice-vmm.
 */
#include "tools/sluice/vm.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "tools/sluice/vm_host.h"
#include "vmm/asker.h"
#include "vmm/pool.h"

#include <event2/event.h>
#include <string.h>

#define PATIENCE_USEC (5 * USEC_PER_SEC)

static void
on_state(void *arg)
{
	(void)event_base_loopbreak(arg);
}

static void
print_clones(const struct ask_clones *c, const struct ask_clone *rows)
{
	static const char *const titles[] = {
	    ">slot", "reference", "state", ">for", ">private", "runs"};
	struct table *t = table_new(ARRAY_SIZE(titles), titles);
	char span[32], bytes[32], used[32], budget[32];

	for (uint32_t i = 0; i < c->n; i++) {
		table_cell(t, "%u", rows[i].slot);
		table_cell(t, "%s", rows[i].reference);
		table_cell(
		    t, "%s", pool_state_name((enum pool_state)rows[i].state));
		table_cell(
		    t, "%s", util_span(rows[i].age_usec, span, sizeof(span)));
		table_cell(t, "%s",
		    rows[i].private_bytes ? util_bytes(rows[i].private_bytes,
						bytes, sizeof(bytes))
					  : "?");
		table_cell(t, "%s", rows[i].name);
	}
	table_print(t, stdout);
	(void)printf(
	    "back end %s%s%s%s, %u clones, %u runs wait, %u slots written "
	    "off, memory %s of %s; %llu made, %llu died\n",
	    *c->backend ? c->backend : "none", *c->how ? " (" : "", c->how,
	    *c->how ? ")" : "", c->n, c->waiting, c->written_off,
	    util_bytes(c->used_bytes, used, sizeof(used)),
	    util_bytes(c->budget_bytes, budget, sizeof(budget)),
	    (unsigned long long)c->cloned, (unsigned long long)c->died);
	for (uint32_t i = 0; i < c->n_references; i++)
		(void)printf("reference %s %.16s\n", c->references[i].name,
		    c->references[i].digest);
	if (*c->text)
		(void)printf("%s\n", c->text);
}

static json_t *
row_json(const struct ask_clone *row)
{
	return json_pack("{si ss ss sI sI so}", "slot", (int)row->slot,
	    "reference", row->reference, "state",
	    pool_state_name((enum pool_state)row->state), "age_usec",
	    (json_int_t)row->age_usec, "private_bytes",
	    (json_int_t)row->private_bytes, "runs", util_json_text(row->name));
}

static void
print_json(
    const struct ask_clones *c, const struct ask_clone *rows, json_t *owned)
{
	json_t *clones = json_array(), *references = json_object();

	for (uint32_t i = 0; i < c->n; i++)
		(void)json_array_append_new(clones, row_json(&rows[i]));
	for (uint32_t i = 0; i < c->n_references; i++)
		(void)json_object_set_new(references, c->references[i].name,
		    json_string(c->references[i].digest));
	util_json_line(stdout,
	    json_pack("{so si si sI sI sI sI so so so so sO}", "backend",
		util_json_text(c->backend), "waiting", (int)c->waiting,
		"written_off", (int)c->written_off, "used_bytes",
		(json_int_t)c->used_bytes, "budget_bytes",
		(json_int_t)c->budget_bytes, "cloned", (json_int_t)c->cloned,
		"died", (json_int_t)c->died, "references", references, "text",
		util_json_text(c->text), "how", util_json_text(c->how),
		"clones", clones, "owned", owned));
}

static int
list(const struct vm_options *o, const struct conf *conf)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s/vmm/vmm.sock", conf->site.runtime);
	struct event_base *base = event_base_new();
	struct asker *asker = asker_open(base, path, on_state, base);
	struct timeval tv = span_timeval(PATIENCE_USEC);
	const struct ask_clone *rows;
	const struct ask_clones *c;
	json_t *owned = vm_owned(conf);
	int status = STATUS_FINE;

	/* It is asked for the list as soon as it is there. */
	if (asker_list(asker) == 0) {
		(void)event_base_loopexit(base, &tv);
		(void)event_base_dispatch(base);
	}
	c = asker_state(asker, &rows);
	if (!c)
		status = util_fail(STATUS_SYSTEM, "vm list",
		    "%s: no sluice-vmm answers there; sluice run starts one "
		    "where vm.backend is set",
		    path);
	else if (o->common.json)
		print_json(c, rows, owned);
	else
		print_clones(c, rows);
	if (!o->common.json)
		vm_owned_print(owned, stdout);
	json_decref(owned);
	(void)asker_close(asker);
	event_base_free(base);
	return status;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	return util_common_option(
	    key, arg, &((struct vm_options *)state->input)->common);
}

static const struct argp_option options[] = {OPTION_CONF, OPTION_JSON, {0}};

static const struct argp argp = {options, parse, NULL,
    "Which clones sluice-vmm has, in which state, and what they run.", NULL,
    NULL, NULL};

int
vm_list(int argc, char **argv)
{
	struct conf *conf;
	struct vm_options o = {{0}, NULL, NULL, NULL};
	int status = STATUS_FINE;

	util_parse(&argp, argc, argv, &o);
	conf = vm_conf(&o, &status);
	if (conf)
		status = list(&o, conf);
	(void)conf_free(conf);
	return status;
}
