/*
 * The table of vmm/pool_step.c: it is the one of docs/vm-lifecycle.md, and
 * each of its cells does what it says.
 */
#include "vmm/pool_priv.h"

#include "common/cleanup.h"
#include "tests/support/pool_site.h"

#include <ctype.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define PAGE TEST_SOURCE_DIR "/../../docs/vm-lifecycle.md"

static void
no_cell_is_empty(void **state)
{
	(void)state;
	for (int s = 0; s < POOL_STATES; s++)
		for (int e = 0; e < EV_COUNT; e++) {
			assert_non_null(pool_steps[s][e].act);
			assert_non_null(pool_steps[s][e].name);
			assert_true(pool_steps[s][e].next < POOL_STATES);
		}
}

/* Cell number i of a line of the page, without its blanks and stars. */
static bool
cell_of(const char *line, int i, char *out, size_t size)
{
	size_t n = 0;

	while (i >= 0 && (line = strchr(line, '|'))) {
		line++;
		i--;
	}
	if (!line || !strchr(line, '|'))
		return false;
	for (; *line != '|'; line++)
		if (*line != ' ' && *line != '*' && n + 1 < size)
			out[n++] = *line;
	out[n] = '\0';
	return true;
}

static void
expect_cell(int s, int e, const char *cell)
{
	const struct step *step = &pool_steps[s][e];
	char want[64];
	const char *name = step->name;

	if (strcmp(name, "nothing") == 0)
		name = "·";
	if (strcmp(name, "odd") == 0)
		name = "–";
	(void)snprintf(want, sizeof(want), "%s%s%s", name,
	    step->next == (enum pool_state)s ? "" : "→",
	    step->next == (enum pool_state)s ? ""
					     : pool_state_name(step->next));
	if (strcmp(cell, want) != 0)
		fail_msg("%s/%s: the page says %s, the code %s",
		    pool_state_name((enum pool_state)s),
		    pool_event_name((enum pool_event)e), cell, want);
}

static void
the_page_has_the_same_table(void **state)
{
	CLEANUP(free_ptr) char *text = NULL;
	char cell[64], *line, *save = NULL;
	int e = -1;
	size_t len;

	(void)state;
	assert_int_equal(read_file(AT_FDCWD, PAGE, 1 << 20, &text, &len), 0);
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (e < 0 && strncmp(line, "| event | empty |", 17) == 0) {
			for (int s = 0; s < POOL_STATES; s++) {
				assert_true(
				    cell_of(line, s + 1, cell, sizeof(cell)));
				assert_string_equal(
				    cell, pool_state_name((enum pool_state)s));
			}
			e = 0;
		} else if (e >= 0 && e < EV_COUNT &&
			   strncmp(line, "| **", 4) == 0) {
			assert_true(cell_of(line, 0, cell, sizeof(cell)));
			assert_string_equal(
			    cell, pool_event_name((enum pool_event)e));
			for (int s = 0; s < POOL_STATES; s++) {
				assert_true(
				    cell_of(line, s + 1, cell, sizeof(cell)));
				expect_cell(s, e, cell);
			}
			e++;
		}
	}
	assert_int_equal(e, EV_COUNT);
}

/* One slot, one run, in whatever state a test wants. */
struct cell_site {
	struct pool_site site;
	struct run_seen seen;
	struct slot *slot;
};

/* What the back end has to tell, without what the pool does by itself. */
static void
listen_raw(struct cell_site *c)
{
	enum vmm_event event;

	while (c->slot->vm && c->slot->ref->ops->next(c->slot->vm, &event) == 0)
		slot_event(c->slot,
		    event == VMM_PARKED   ? EV_PARKED
		    : event == VMM_TAKEN  ? EV_TAKEN
		    : event == VMM_REPORT ? EV_REPORT
		    : event == VMM_ENDED  ? EV_ENDED
		    : event == VMM_DIED   ? EV_DIED
					  : EV_GONE,
		    c->site.now);
}

static void
pass(struct cell_site *c, uint64_t usec)
{
	c->site.now.usec += usec;
	listen_raw(c);
}

static void
late(struct cell_site *c)
{
	assert_true(c->slot->late_at.usec != POOL_NEVER);
	c->site.now = c->slot->late_at;
	slot_event(c->slot, EV_LATE, c->site.now);
}

static void
reach(struct cell_site *c, enum pool_state state, const struct fake_plan *plan)
{
	struct pool_limits limits = site_limits;

	*c = (struct cell_site){.slot = NULL};
	limits.slots = limits.running = limits.cloning = 1;
	site_init(&c->site, &limits);
	fake_plan(c->site.fake, plan);
	site_reference(&c->site, "linux", state == POOL_EMPTY ? 0 : 1);
	c->slot = &c->site.pool->slots[0];
	if (state > POOL_CLONING)
		pass(c, SITE_MSEC);
	if (state == POOL_REHEARSING)
		slot_event(c->slot, EV_REHEARSE, c->site.now);
	if (state >= POOL_TAKING) {
		c->seen.answer = state == POOL_DRAINING ? -EAGAIN : 0;
		site_ask(&c->site, &c->seen);
		pool_tick(c->site.pool, c->site.now);
	}
	if (state >= POOL_RUNNING)
		pass(c, SITE_MSEC);
	if (state >= POOL_DRAINING)
		pass(c, 10 * SITE_MSEC);
	if (state == POOL_LOST && c->slot->state != POOL_LOST)
		late(c);
	assert_int_equal(c->slot->state, state);
}

static void
over(struct cell_site *c)
{
	site_end(&c->site);
	assert_true(c->seen.dones <= 1);
	seen_free(&c->seen);
}

/* What can be said at any time, changes nothing, and is counted if odd. */
static void
what_comes_too_late_or_is_odd_changes_nothing(void **state)
{
	struct fake_plan hangs = site_plan;

	(void)state;
	hangs.end = FAKE_END_HANGS;
	for (int s = 0; s < POOL_STATES; s++)
		for (int e = 0; e < EV_COUNT; e++) {
			const struct step *step = &pool_steps[s][e];
			bool is_odd = strcmp(step->name, "odd") == 0;
			struct cell_site c;

			if (!is_odd && strcmp(step->name, "nothing") != 0)
				continue;
			reach(&c, (enum pool_state)s,
			    s == POOL_LOST ? &hangs : &site_plan);
			slot_event(c.slot, (enum pool_event)e, c.site.now);
			assert_int_equal(c.slot->state, s);
			assert_int_equal(c.site.pool->counts.odd, is_odd);
			over(&c);
		}
}

/* How an event comes about; -1: told by the back end. */
struct cell_case {
	enum pool_state from;
	enum pool_event event;
	enum pool_state to;
	int end; /* of the run; -1: it goes on, or there is none */
};

static const struct cell_case cases[] = {
    {POOL_EMPTY, EV_CLONE, POOL_CLONING, -1},
    {POOL_CLONING, EV_PARKED, POOL_PARKED, -1},
    {POOL_CLONING, EV_DIED, POOL_DYING, -1},
    {POOL_CLONING, EV_GONE, POOL_EMPTY, -1},
    {POOL_CLONING, EV_LATE, POOL_DYING, -1},
    {POOL_CLONING, EV_RETIRE, POOL_DYING, -1},
    {POOL_CLONING, EV_REFUSED, POOL_EMPTY, -1},
    {POOL_PARKED, EV_REHEARSE, POOL_REHEARSING, -1},
    {POOL_PARKED, EV_GIVEN, POOL_TAKING, -1},
    {POOL_PARKED, EV_DIED, POOL_DYING, -1},
    {POOL_PARKED, EV_GONE, POOL_EMPTY, -1},
    {POOL_PARKED, EV_RETIRE, POOL_DYING, -1},
    {POOL_REHEARSING, EV_PARKED, POOL_PARKED, -1},
    {POOL_REHEARSING, EV_DIED, POOL_DYING, -1},
    {POOL_REHEARSING, EV_GONE, POOL_EMPTY, -1},
    {POOL_REHEARSING, EV_LATE, POOL_DYING, -1},
    {POOL_REHEARSING, EV_RETIRE, POOL_DYING, -1},
    {POOL_REHEARSING, EV_REFUSED, POOL_DYING, -1},
    {POOL_TAKING, EV_TAKEN, POOL_RUNNING, -1},
    {POOL_TAKING, EV_ENDED, POOL_DYING, ASK_END_PROGRAM},
    {POOL_TAKING, EV_DIED, POOL_DYING, ASK_END_DIED},
    {POOL_TAKING, EV_GONE, POOL_EMPTY, ASK_END_DIED},
    {POOL_TAKING, EV_LATE, POOL_DYING, ASK_END_SILENT},
    {POOL_TAKING, EV_STOP, POOL_DYING, ASK_END_STOPPED},
    {POOL_TAKING, EV_RETIRE, POOL_DYING, ASK_END_REFUSED},
    {POOL_TAKING, EV_REFUSED, POOL_DYING, ASK_END_REFUSED},
    {POOL_RUNNING, EV_REPORT, POOL_RUNNING, -1},
    {POOL_RUNNING, EV_ENDED, POOL_DYING, ASK_END_PROGRAM},
    {POOL_RUNNING, EV_DIED, POOL_DYING, ASK_END_DIED},
    {POOL_RUNNING, EV_GONE, POOL_EMPTY, ASK_END_DIED},
    {POOL_RUNNING, EV_LATE, POOL_DYING, ASK_END_DEADLINE},
    {POOL_RUNNING, EV_STOP, POOL_DYING, ASK_END_STOPPED},
    {POOL_RUNNING, EV_RETIRE, POOL_DYING, ASK_END_REFUSED},
    {POOL_DRAINING, EV_REPORT, POOL_DRAINING, -1},
    {POOL_DRAINING, EV_GONE, POOL_EMPTY, ASK_END_DIED},
    {POOL_DRAINING, EV_LATE, POOL_DYING, ASK_END_REFUSED},
    {POOL_DRAINING, EV_STOP, POOL_DYING, ASK_END_STOPPED},
    {POOL_DRAINING, EV_DRAINED, POOL_DYING, ASK_END_PROGRAM},
    {POOL_DRAINING, EV_RETIRE, POOL_DYING, ASK_END_REFUSED},
    {POOL_DYING, EV_GONE, POOL_EMPTY, -1},
    {POOL_DYING, EV_LATE, POOL_LOST, -1},
    {POOL_DYING, EV_REFUSED, POOL_LOST, -1},
    {POOL_LOST, EV_GONE, POOL_EMPTY, -1},
};

static void
provoke_by_back_end(struct cell_site *c, enum vmm_event event)
{
	fake_tell(c->site.fake, event);
	listen_raw(c);
}

static void
provoke(struct cell_site *c, const struct cell_case *k)
{
	struct slot *slot = c->slot;

	switch (k->event) {
	case EV_PARKED:
		provoke_by_back_end(c, VMM_PARKED);
		break;
	case EV_TAKEN:
		provoke_by_back_end(c, VMM_TAKEN);
		break;
	case EV_REPORT:
		provoke_by_back_end(c, VMM_REPORT);
		break;
	case EV_ENDED:
		provoke_by_back_end(c, VMM_ENDED);
		break;
	case EV_DIED:
		provoke_by_back_end(c, VMM_DIED);
		break;
	case EV_GONE:
		provoke_by_back_end(c, VMM_GONE);
		break;
	case EV_LATE:
		late(c);
		break;
	case EV_CLONE:
		slot->ref = TAILQ_FIRST(&c->site.pool->refs);
		slot->ref->live++;
		slot_event(slot, k->event, c->site.now);
		break;
	case EV_GIVEN:
		site_ask(&c->site, &c->seen);
		pool_tick(c->site.pool, c->site.now);
		break;
	case EV_DRAINED:
		c->seen.answer = 0;
		slot->run->is_blocked = false;
		slot_event(slot, EV_REPORT, c->site.now);
		break;
	case EV_REHEARSE:
	case EV_STOP:
	case EV_RETIRE:
		c->site.pool->end_why = "retired";
		slot_event(slot, k->event, c->site.now);
		break;
	case EV_REFUSED: /* reach() has done it: the plan was to */
	case EV_COUNT:
		break;
	}
}

static enum pool_state
before(const struct cell_case *k, struct fake_plan *plan)
{
	plan->end = FAKE_ENDS;
	if (k->from == POOL_LOST)
		plan->end = FAKE_END_HANGS;
	if (k->event != EV_REFUSED)
		return k->from;
	/* What leads there. */
	if (k->from == POOL_CLONING) {
		plan->fault = FAKE_CLONE_REFUSED;
		return POOL_EMPTY;
	}
	if (k->from == POOL_REHEARSING) {
		plan->fault = FAKE_REHEARSAL_REFUSED;
		return POOL_PARKED;
	}
	if (k->from == POOL_TAKING) {
		plan->fault = FAKE_INJECT_FAILS;
		return POOL_PARKED;
	}
	plan->end = FAKE_END_REFUSED;
	return POOL_PARKED;
}

static void
try_case(const struct cell_case *k)
{
	static const enum pool_event leads[POOL_STATES] = {
	    [POOL_CLONING] = EV_CLONE,
	    [POOL_REHEARSING] = EV_REHEARSE,
	    [POOL_TAKING] = EV_GIVEN,
	    [POOL_DYING] = EV_RETIRE,
	};
	struct fake_plan plan = site_plan;
	enum pool_state from = before(k, &plan);
	struct cell_case lead = {from, leads[k->from], k->to, -1};
	struct cell_site c;

	reach(&c, from, &plan);
	provoke(&c, k->event == EV_REFUSED ? &lead : k);
	if (c.slot->state != k->to)
		fail_msg("%s + %s: %s, not %s", pool_state_name(k->from),
		    pool_event_name(k->event), pool_state_name(c.slot->state),
		    pool_state_name(k->to));
	if (k->end >= 0) {
		assert_int_equal(c.seen.dones, 1);
		assert_int_equal(c.seen.done.end, k->end);
	}
	assert_int_equal(c.slot->vm != NULL,
	    k->to != POOL_EMPTY &&
		!(k->from == POOL_DYING && k->event == EV_REFUSED));
	over(&c);
}

static void
each_other_cell_leads_where_it_says(void **state)
{
	size_t tried = 0, there = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++, tried++)
		try_case(&cases[i]);
	for (int s = 0; s < POOL_STATES; s++)
		for (int e = 0; e < EV_COUNT; e++)
			there += strcmp(pool_steps[s][e].name, "odd") != 0 &&
				 strcmp(pool_steps[s][e].name, "nothing") != 0;
	assert_int_equal(tried, there); /* none was forgotten */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_cell_is_empty),
	    cmocka_unit_test(the_page_has_the_same_table),
	    cmocka_unit_test(what_comes_too_late_or_is_odd_changes_nothing),
	    cmocka_unit_test(each_other_cell_leads_where_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
