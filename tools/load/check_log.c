/* tools/load/check_log.c - read what sender and sink wrote. */
#include "check_log.h"

#include "jrec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more item of an array of items. */
static void *
grown(void *items, size_t count, size_t *cap, size_t size)
{
	if (count < *cap)
		return items;
	*cap = *cap ? *cap * 2 : 1024;
	return xrealloc(items, *cap * size);
}

static bool
status_of(const char *text, enum status *ret_status)
{
	static const char *const names[STATUS_COUNT] = {
	    "accepted", "rejected", "deferred", "broken"};

	for (int i = 0; text && i < STATUS_COUNT; i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret_status = (enum status)i;
			return true;
		}
	}
	return false;
}

static void
copy(char *to, size_t cap, const char *text)
{
	(void)snprintf(to, cap, "%s", text ? text : "");
}

static void
take_sent(void *arg, const struct jrec *j)
{
	struct check_log *l = arg;
	const char *id = jrec_get_str(j, "id");
	struct sent_line *line;
	enum status status;

	if (!id || !status_of(jrec_get_str(j, "status"), &status)) {
		l->bad_lines++;
		return;
	}
	l->sent = grown(l->sent, l->sent_count, &l->sent_cap, sizeof(*l->sent));
	line = &l->sent[l->sent_count++];
	*line = (struct sent_line){
	    .id = xstrdup(id),
	    .status = status,
	    .broke = (unsigned)jrec_get_number(j, "broke", 0),
	    .t_accepted = jrec_get_number(j, "t_accepted", 0),
	};
	copy(line->class, sizeof(line->class), jrec_get_str(j, "class"));
	copy(line->sha256, sizeof(line->sha256), jrec_get_str(j, "sha256"));
}

static void
take_sink(void *arg, const struct jrec *j)
{
	struct check_log *l = arg;
	const char *id = jrec_get_str(j, "id");
	const char *event = jrec_get_str(j, "event");
	const char *returned = id ? NULL : jrec_get_str(j, "returned");
	struct sink_line *line;

	l->sink = grown(l->sink, l->sink_count, &l->sink_cap, sizeof(*l->sink));
	line = &l->sink[l->sink_count++];
	*line = (struct sink_line){
	    .id = xstrdup(id         ? id
			  : returned ? returned
				     : ""),
	    .is_return = returned != NULL,
	    .is_cut = event && strcmp(event, "cut") == 0,
	    .t = jrec_get_number(j, "t", 0),
	};
	copy(line->sha256, sizeof(line->sha256), jrec_get_str(j, "sha256"));
}

static int
add_file(struct check_log *l, const char *path, jrec_fn *take)
{
	uint64_t bad = 0;
	const int r = jrec_each(path, take, l, &bad);

	l->bad_lines += bad;
	return r;
}

int
check_log_add_sent(struct check_log *l, const char *path)
{
	return add_file(l, path, take_sent);
}

int
check_log_add_sink(struct check_log *l, const char *path)
{
	return add_file(l, path, take_sink);
}

static int
sent_by_id(const void *a, const void *b)
{
	const struct sent_line *x = a;
	const struct sent_line *y = b;

	return strcmp(x->id, y->id);
}

static int
sink_by_id(const void *a, const void *b)
{
	const struct sink_line *x = a;
	const struct sink_line *y = b;
	const int order = strcmp(x->id, y->id);

	return order ? order : (x->t > y->t) - (x->t < y->t);
}

void
check_log_sort(struct check_log *l)
{
	if (l->sent_count > 1)
		qsort(l->sent, l->sent_count, sizeof(*l->sent), sent_by_id);
	if (l->sink_count > 1)
		qsort(l->sink, l->sink_count, sizeof(*l->sink), sink_by_id);
}

void
check_log_done(struct check_log *l)
{
	for (size_t i = 0; i < l->sent_count; i++)
		free(l->sent[i].id);
	for (size_t i = 0; i < l->sink_count; i++)
		free(l->sink[i].id);
	free(l->sent);
	free(l->sink);
	*l = (struct check_log){0};
}
