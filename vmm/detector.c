#include "vmm/detector_priv.h"

#include "vmm/spelling.h"

#include "common/io.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct detector *
detector_new(const struct rules *rules)
{
	struct detector *d = xcalloc(1, sizeof(*d));

	d->rules = rules;
	d->steps = xcalloc(rules->n_steps + 1, sizeof(*d->steps));
	d->windows = xcalloc(rules->n_window_slots + 1, sizeof(*d->windows));
	d->found = xcalloc(rules->n_behaviours + 1, sizeof(*d->found));
	d->scored.calls =
	    xcalloc(rules->scorer.n_calls + 1, sizeof(*d->scored.calls));
	d->scored.counts =
	    xcalloc(rules->scorer.n_features + 1, sizeof(*d->scored.counts));
	return d;
}

struct detector *
detector_free(struct detector *d)
{
	if (!d)
		return NULL;
	free(d->kept);
	free(d->seen.at);
	free(d->steps);
	free(d->windows);
	free(d->found);
	free(d->scored.calls);
	free(d->scored.counts);
	free(d);
	return NULL;
}

void
detector_cite(struct detector *d, unsigned int behaviour, uint32_t line)
{
	struct found *found = &d->found[behaviour];

	if (line == NO_LINE ||
	    found->n_lines == sizeof(found->lines) / sizeof(found->lines[0]))
		return;
	for (uint32_t i = 0; i < found->n_lines; i++)
		if (found->lines[i] == line)
			return;
	found->lines[found->n_lines++] = line;
}

void
detector_found(struct detector *d, unsigned int behaviour)
{
	if (d->found[behaviour].is_found)
		return;
	d->found[behaviour].is_found = true;
	d->score += d->rules->behaviours[behaviour].weight;
}

bool
detector_is_proven(const struct detector *d)
{
	return d->score >= d->rules->threshold;
}

static void
agent_started(struct detector *d)
{
	struct text name;
	const char *slash;

	if (d->has_start) { /* there is one, before the sample can write */
		d->malformed++;
		return;
	}
	d->has_start = true;
	if (!detector_text(d, FIELD_NAME, &name))
		return;
	slash = memrchr(name.at, '/', name.length);
	if (slash) {
		name.length -= (size_t)(slash - name.at) + 1;
		name.at = slash + 1;
	}
	memcpy(d->sample, name.at, name.length);
	d->sample_length = name.length;
}

static void
agent_ended(struct detector *d)
{
	static const char *const good[] = {"exit", "quiet", "deadline"};
	struct text how;

	if (!detector_text(d, FIELD_HOW, &how))
		how = (struct text){"", 0};
	d->has_end = true;
	d->end_is_good = false;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		d->end_is_good |= how.length == strlen(good[i]) &&
				  memcmp(how.at, good[i], how.length) == 0;
	if (how.length < sizeof(d->how)) {
		memcpy(d->how, how.at, how.length);
		d->how[how.length] = '\0';
	}
	/* Only now: before it, a call that speaks for the program may come. */
	if (scorer_says(d))
		detector_found(d, d->rules->scorer.behaviour);
}

/* It could not watch something, or lost events: "truncated: 12 events lost". */
static void
agent_noted(struct detector *d)
{
	static const char prefix[] = "truncated: ";
	struct text text;
	uint64_t lost = 0;

	d->has_note = true;
	if (!detector_text(d, FIELD_TEXT, &text) ||
	    strncmp(text.at, prefix, sizeof(prefix) - 1) != 0)
		return;
	for (const char *c = text.at + sizeof(prefix) - 1;
	     *c >= '0' && *c <= '9' && lost < UINT32_MAX; c++)
		lost = 10 * lost + (uint64_t)(*c - '0');
	d->lost += lost;
	d->is_truncated = true;
}

static void
hear(struct detector *d)
{
	const struct guest_event *e = &d->event;

	d->events++;
	d->stamp++;
	d->has_more |= d->has_end;
	if (e->msec > d->newest_msec)
		d->newest_msec = e->msec;
	else if (d->newest_msec - e->msec > DETECTOR_BACK_MSEC)
		d->went_back = true;
	/* One clock for all spans, which no vantage point turns back. */
	d->event.msec = d->newest_msec;
	if (e->kind == GUEST_AGENT_START)
		agent_started(d);
	else if (e->kind == GUEST_AGENT_END)
		agent_ended(d);
	else if (e->kind == GUEST_AGENT_NOTE)
		agent_noted(d);
	else if (e->kind == GUEST_API_CALL && e->field[FIELD_NAME])
		scorer_saw(d, e->field[FIELD_NAME]);
	detector_match(d);
	detector_remember(d);
	d->is_truncated |= d->seen.is_full;
}

/* The line from line_at on is whole. */
static void
end_line(struct detector *d)
{
	const char *line = d->kept + d->line_at;
	const size_t length = d->n_kept - d->line_at;

	if (d->is_skipping) {
		d->is_skipping = false;
		d->malformed++;
		d->n_kept = d->line_at;
		return;
	}
	if (length == 0)
		return;
	if (report_read(line, length, &d->event) < 0) {
		d->malformed++;
		d->n_kept = d->line_at;
		return;
	}
	d->line = (uint32_t)d->line_at;
	hear(d);
	/* Events are read again when they are cited. */
	d->kept[d->n_kept++] = '\n';
	d->line_at = d->n_kept;
}

static void
make_room(struct detector *d, size_t n)
{
	if (d->n_kept + n + 1 <= d->kept_room)
		return;
	d->kept_room = 2 * (d->n_kept + n + 1);
	if (d->kept_room < 4096)
		d->kept_room = 4096;
	d->kept = realloc(d->kept, d->kept_room);
	if (!d->kept)
		abort();
}

static void
feed_piece(struct detector *d, const char *piece, size_t n)
{
	if (d->n_kept - d->line_at + n > EVENT_LINE_MAX)
		d->is_skipping = true;
	if (d->is_skipping) {
		d->n_kept = d->line_at;
		return;
	}
	make_room(d, n);
	memcpy(d->kept + d->n_kept, piece, n);
	d->n_kept += n;
}

void
detector_feed(struct detector *d, const void *octets, size_t n)
{
	const char *at = octets;

	if (n > DETECTOR_OCTETS_MAX - d->octets) {
		n = (size_t)(DETECTOR_OCTETS_MAX - d->octets);
		d->is_truncated = true;
	}
	d->octets += n;
	while (n > 0) {
		const char *newline = memchr(at, '\n', n);
		const size_t length = newline ? (size_t)(newline - at) : n;

		if (length > 0)
			feed_piece(d, at, length);
		if (newline) {
			make_room(d, 0);
			end_line(d);
		}
		at += length + (newline != NULL);
		n -= length + (newline != NULL);
	}
}

void
detector_lost(struct detector *d, uint64_t n)
{
	if (n == 0)
		return;
	if (n > d->lost)
		d->lost = n;
	d->is_truncated = true;
}

bool
detector_has_no_opener(const struct detector *d)
{
	return d->has_end && strcmp(d->how, "no-opener") == 0;
}

bool
detector_is_conclusive(
    const struct detector *d, bool ended, const char **ret_why)
{
	*ret_why =
	    !d->has_start          ? "the agent did not begin"
	    : ended && !d->has_end ? "the report was cut off before its end"
	    : detector_has_no_opener(d)
		? "nothing in the guest opens this kind of file"
	    : d->has_end && !d->end_is_good ? "the agent could not run the file"
	    : d->has_more                   ? "the report went on after its end"
	    : d->malformed ? "the report has lines that are no events"
	    : d->went_back ? "the report's time went back"
	    : d->is_truncated || d->n_kept > d->line_at ? "events were lost"
	    : d->has_note ? "the agent could not see everything"
			  : "";
	return !**ret_why;
}
