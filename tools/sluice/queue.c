/*
 * tools/sluice/queue.c - `sluice queue [DIR...]`: the messages in the spool.
 */
#include "tools/sluice/command.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "queues/claim.h"
#include "queues/qf.h"
#include "tools/sluice/util.h"
#include "tools/sluice/view.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define uthash_fatal(msg) abort()
#include <uthash.h>

struct options {
	struct common_options common;
	bool wanted[SPOOL_MAX];
	bool any;
};

struct item {
	char id[QUEUE_ID_MAX + 1];
	enum spool_dir dir;
	uint64_t bytes, arrived_usec;
	char *sender, *rcpt;
	size_t recipients;
	struct tries tries;
	struct wall said; /* when the last reason was written */
	char *verdict, *reason;
	UT_hash_handle hh;
};

static char *
join_rcpt(const struct qf *qf)
{
	char *all = xstrdup("");

	for (size_t i = 0; i < qf->n_rcpt && i < 3; i++) {
		char *longer =
		    xasprintf("%s%s%s", all, i ? " " : "", qf->rcpt[i]);

		free(all);
		all = longer;
	}
	return all;
}

/* Sender and recipients; without them when the qf is being written. */
static void
read_envelope(struct item *item, int fd)
{
	CLEANUP(free_ptr) char *text = NULL;
	CLEANUP(qf_freep) struct qf *qf = NULL;
	const char *why = "";
	size_t len;

	if (read_fd(fd, QF_MAX_BYTES, &text, &len) < 0)
		return;
	if (qf_parse(text, len, &qf, &why) < 0) {
		item->reason = xasprintf("(unreadable: %s)", why);
		return;
	}
	item->sender = xstrdup(qf->sender);
	item->rcpt = join_rcpt(qf);
	item->recipients = qf->recipients;
}

static struct item *
read_item(const struct spool *spool, enum spool_dir dir, const char *id)
{
	CLEANUP(free_ptr) char *qf = xasprintf("qf%s", id);
	CLEANUP(free_ptr) char *df = xasprintf("df%s", id);
	CLEANUP(close_fd)
	int fd = openat(spool->fds[dir], qf,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct claim look = {.qf_fd = fd};
	struct item *item;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL; /* gone meanwhile */
	item = xcalloc(1, sizeof(*item));
	(void)snprintf(item->id, sizeof(item->id), "%s", id);
	item->dir = dir;
	item->bytes = (uint64_t)st.st_size;
	item->arrived_usec = (uint64_t)st.st_mtim.tv_sec * USEC_PER_SEC;
	if (fstatat(spool->fds[dir], df, &st, AT_SYMLINK_NOFOLLOW) == 0)
		item->bytes += (uint64_t)st.st_size;
	(void)tries_read(&look, &item->tries);
	read_envelope(item, fd);
	return item;
}

static int
read_dir(const struct spool *spool, enum spool_dir dir, struct item **items)
{
	int fd = openat(spool->fds[dir], ".", O_RDONLY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		int r = -errno;

		close_fd(&fd);
		return r;
	}
	while ((e = readdir(d))) {
		const char *id = spool_id_of(e->d_name, "qf");
		struct item *item = NULL, *same = NULL;

		if (id)
			item = read_item(spool, dir, id);
		if (!item)
			continue;
		HASH_REPLACE_STR(*items, id, item, same);
		free(same); /* it moved while we looked */
	}
	(void)closedir(d);
	return 0;
}

static bool
wanted(void *arg, const char *id)
{
	struct item **items = arg, *item = NULL;

	HASH_FIND_STR(*items, id, item);
	return item != NULL;
}

/* The last line that gives a reason says why the message is where it is. */
static void
take(void *arg, const char *journal, const struct event *event)
{
	struct item **items = arg, *item = NULL;

	(void)journal;
	HASH_FIND_STR(*items, event->id, item);
	if (!item || event->t.usec < item->said.usec)
		return;
	if (event->kind == EVENT_MOVE && event->to != item->dir)
		return;
	if (!event->reason && !event->verdict)
		return;
	item->said = event->t;
	free(item->verdict);
	free(item->reason);
	item->verdict = event->verdict ? xstrdup(event->verdict) : NULL;
	item->reason = event->reason ? xstrdup(event->reason) : NULL;
}

static int
by_age(const struct item *a, const struct item *b)
{
	if (a->arrived_usec != b->arrived_usec)
		return a->arrived_usec < b->arrived_usec ? -1 : 1;
	return strcmp(a->id, b->id);
}

static void
set_text(json_t *o, const char *key, const char *text)
{
	(void)json_object_set_new(o, key, util_json_text(text));
}

static void
set_number(json_t *o, const char *key, uint64_t number)
{
	(void)json_object_set_new(o, key, json_integer((json_int_t)number));
}

static void
print_json(const struct item *item, uint64_t age_usec)
{
	json_t *o = json_object();

	set_text(o, "id", item->id);
	set_text(o, "dir", spool_dir_name(item->dir));
	set_number(o, "bytes", item->bytes);
	set_number(o, "age_usec", age_usec);
	set_text(o, "sender", item->sender);
	set_text(o, "rcpt", item->rcpt);
	set_number(o, "recipients", item->recipients);
	set_number(o, "tries_died", item->tries.died);
	set_number(o, "tries_begun", item->tries.begun);
	set_text(o, "verdict", item->verdict);
	set_text(o, "reason", item->reason);
	util_json_line(stdout, o);
}

static void
add_row(struct table *table, const struct item *item, uint64_t age_usec)
{
	char size[32], age[32];
	const char *reason = item->reason ? item->reason : "";

	table_cell(table, "%s", item->id);
	table_cell(table, "%s", spool_dir_name(item->dir));
	table_cell(table, "%s", util_bytes(item->bytes, size, sizeof(size)));
	table_cell(table, "%s", util_span(age_usec, age, sizeof(age)));
	table_cell(table, "%u", item->tries.died);
	table_cell(table, "<%s>", item->sender ? item->sender : "?");
	table_cell(table, "%s%s", item->rcpt ? item->rcpt : "?",
	    item->recipients > 3 ? " ..." : "");
	table_cell(table, "%s%s%s", item->verdict ? item->verdict : "",
	    item->verdict && *reason ? ": " : "", reason);
}

static void
print(struct item **items, bool json)
{
	static const char *const titles[] = {"ID", "DIR", ">SIZE", ">AGE",
	    ">TRIES", "SENDER", "RECIPIENTS", "WHY"};
	struct table *table = table_new(ARRAY_SIZE(titles), titles);
	uint64_t now = wall_now().usec;
	struct item *item, *next;

	HASH_SORT(*items, by_age);
	HASH_ITER (hh, *items, item, next) {
		uint64_t age =
		    now > item->arrived_usec ? now - item->arrived_usec : 0;

		if (json)
			print_json(item, age);
		else
			add_row(table, item, age);
		HASH_DEL(*items, item);
		free(item->sender);
		free(item->rcpt);
		free(item->verdict);
		free(item->reason);
		free(item);
	}
	if (!json && table_rows(table) > 0) {
		table_print(table, stdout);
		return;
	}
	if (!json)
		(void)puts("no messages");
	table_free(table);
}

static int
list(const struct conf *conf, const struct options *o)
{
	CLEANUP(spool_freep) struct spool *spool = NULL;
	struct item *items = NULL;
	struct history *history;
	int r = view_open(conf, &spool), status = STATUS_FINE;

	if (r < 0)
		return util_fail(STATUS_SYSTEM, "queue", "%s: %s",
		    conf->site.spool, strerror(-r));
	for (size_t i = 0; i < SPOOL_MAX; i++) {
		bool there = spool->fds[i] >= 0;

		if (!o->wanted[i] && (o->any || !there))
			continue;
		r = there ? read_dir(spool, (enum spool_dir)i, &items)
			  : -ENOENT;
		if (r < 0)
			status = util_fail(STATUS_SYSTEM, "queue", "%s/%s: %s",
			    spool->path, spool_dir_name((enum spool_dir)i),
			    strerror(-r));
	}
	history = history_new(spool);
	if (items)
		(void)history_read(history, wanted, take, &items);
	(void)history_free(history);
	print(&items, o->common.json);
	return status;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	enum spool_dir dir;

	if (key != ARGP_KEY_ARG)
		return util_common_option(key, arg, &o->common);
	if (spool_dir_parse(arg, &dir) < 0)
		argp_error(state,
		    "%s: no such directory; write in, feed1 .. feedN, out, "
		    "virus, ext, spam or error",
		    arg);
	else
		o->wanted[dir] = o->any = true;
	return 0;
}

static const struct argp_option options[] = {OPTION_CONF, OPTION_JSON, {0}};

static const struct argp argp = {options, parse, "[DIR...]",
    "List the messages that lie in the spool, or in some of its directories, "
    "the oldest first: id, directory, size, age, counted tries, sender, "
    "recipients, and why it waits or was set aside.",
    NULL, NULL, NULL};

int
command_queue(int argc, char **argv)
{
	struct options o = {0};
	struct conf *conf;
	int status = STATUS_FINE;

	util_parse(&argp, argc, argv, &o);
	conf = util_conf(&o.common, &status);
	if (!conf)
		return status;
	status = list(conf, &o);
	(void)conf_free(conf);
	return status;
}
