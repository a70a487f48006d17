#include "tools/sluice/status_tune.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "feed/tune.h"
#include "tools/sluice/health.h"
#include "tools/sluice/util.h"

#include <inttypes.h>
#include <stdio.h>

static void
set_text(json_t *o, const char *key, const char *text)
{
	(void)json_object_set_new(o, key, util_json_text(text));
}

/* UINT64_MAX, without end or without limit, is left out. */
static void
set_number(json_t *o, const char *key, uint64_t number)
{
	if (number != UINT64_MAX)
		(void)json_object_set_new(
		    o, key, json_integer((json_int_t)(number & INT64_MAX)));
}

static void
set_part(json_t *o, const char *key, uint64_t ppm)
{
	(void)json_object_set_new(o, key, json_real((double)ppm / 1e6));
}

static void
json_lane(const struct health_tune *tune, size_t i)
{
	const struct board_tune_lane *lane = &tune->board.lane[i];
	json_t *o = json_object();
	char name[32];

	(void)snprintf(name, sizeof(name), "feed%zu", i + 1);
	set_text(o, "type", "tune-queue");
	set_text(o, "name", name);
	set_number(o, "max_bytes", tune->max_bytes[i]);
	if (tune->board.has_proposal)
		set_number(o, "proposed_bytes", lane->proposed_bytes);
	set_number(o, "foreseen_wait_usec", lane->foreseen_usec);
	set_number(o, "measured_wait_usec", lane->measured_usec);
	util_json_line(stdout, o);
}

void
status_tune_json(const struct health_tune *tune)
{
	const struct board_tune *b = &tune->board;
	json_t *o;

	if (!tune->is_known)
		return;
	o = json_object();
	set_text(o, "type", "tune");
	set_text(o, "mode", tune_mode_name((enum tune_mode)b->mode));
	set_text(o, "state", tune_state_name((enum tune_state)b->state));
	set_number(o, "messages", b->messages);
	set_part(o, "load", b->load_ppm);
	if (b->has_proposal)
		set_part(o, "gain", b->gain_ppm);
	set_number(o, "foreseen_wait_usec", b->foreseen_usec);
	if (b->has_proposal)
		set_number(o, "proposed_wait_usec", b->proposed_usec);
	set_number(o, "measured_wait_usec", b->measured_usec);
	set_number(o, "changes", b->changes);
	set_number(o, "taken_back", b->taken_back);
	set_number(o, "hold", b->hold);
	util_json_line(stdout, o);
	for (size_t i = 0; i < tune->lanes; i++)
		json_lane(tune, i);
}

static void
add_bytes(struct table *t, uint64_t bytes)
{
	char text[32];

	table_cell(t, "%s",
	    bytes == UINT64_MAX ? "none"
				: util_bytes(bytes, text, sizeof(text)));
}

static void
add_wait(struct table *t, uint64_t usec)
{
	char text[32];

	table_cell(t, "%s",
	    usec == UINT64_MAX ? "no end"
			       : util_span(usec, text, sizeof(text)));
}

static void
print_waits(const struct health_tune *tune)
{
	static const char *const titles[] = {
	    "TUNED", ">LIMIT", ">PROPOSED", ">FORESEEN", ">MEASURED"};
	struct table *t = table_new(ARRAY_SIZE(titles), titles);

	for (size_t i = 0; i < tune->lanes; i++) {
		const struct board_tune_lane *lane = &tune->board.lane[i];

		table_cell(t, "feed%zu", i + 1);
		add_bytes(t, tune->max_bytes[i]);
		add_bytes(t, lane->proposed_bytes);
		add_wait(t, lane->foreseen_usec);
		add_wait(t, lane->measured_usec);
	}
	table_cell(t, "all");
	table_cell(t, "-");
	table_cell(t, "-");
	add_wait(t, tune->board.foreseen_usec);
	add_wait(t, tune->board.measured_usec);
	table_print(t, stdout);
}

void
status_tune_print(const struct health_tune *tune)
{
	const struct board_tune *b = &tune->board;

	if (!tune->is_known)
		return;
	(void)printf("\nTuner: %s", tune_mode_name((enum tune_mode)b->mode));
	if (b->mode == TUNE_OFF) {
		(void)putchar('\n');
		return;
	}
	(void)printf(", %s; load %.1f %%; limits changed %" PRIu64
		     " times, taken back %" PRIu64 "\n",
	    tune_state_name((enum tune_state)b->state),
	    (double)b->load_ppm / 1e4, b->changes, b->taken_back);
	if (!b->has_proposal)
		return;
	(void)printf("The proposed limits save %.0f %% of the mean wait when "
		     "mail comes thick.\n",
	    (double)b->gain_ppm / 1e4);
	print_waits(tune);
}
