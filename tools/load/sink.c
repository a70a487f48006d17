/*
 * tools/load/sink.c - the next hop that counts.  A message's line is written
 * before its 250 is sent, so that killing the sink loses nothing that a client
 * was told it has.
 */
#include "sink.h"

#include "headers.h"
#include "jrec.h"
#include "rng.h"
#include "smtp_server.h"
#include "store.h"

#include <argp.h>
#include <err.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID_BYTES_MAX       128
#define RECEIVED_BYTES_MAX 1000 /* "short" enough to log */

struct sink_options {
	struct address listen;
	const char *log;
	const char *store;
	const char *ready_file;
	uint64_t until;   /* 0: no end */
	double idle_exit; /* seconds; 0: never */
	double tempfail_share;
	double break_share;
	uint64_t seed;
	bool json;
};

struct sink {
	const struct sink_options *o;
	struct event_base *base;
	struct event *idle;
	struct rng rng;
	int log_fd;
	int store_dirfd;
	uint64_t messages;
	uint64_t bytes;
	uint64_t unidentified;
	uint64_t tempfailed;
	uint64_t refused; /* could not be kept */
	uint64_t first_usec, last_usec;
};

/* Names come from mail: nothing but these may reach the file system. */
static bool
is_plain_name(const char *id)
{
	return *id != '.' &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			  "0123456789-_.") == strlen(id);
}

/* The id in one of the sender's own addresses, or NULL. */
static char *
id_in_address(const char *address)
{
	const size_t len = strcspn(address, "@");

	if (len < 4 || len >= ID_BYTES_MAX || address[0] != 't' ||
	    strspn(address + 1, "0123456789-") != len - 1 ||
	    !memchr(address, '-', len))
		return NULL;
	return xasprintf("%.*s", (int)len, address);
}

/* The header; or, since a wrap around a message hides that, the envelope. */
static char *
id_of(const struct received *r)
{
	char value[ID_BYTES_MAX];

	if (header_value(r->headers, r->headers_len, TRAFFIC_HEADER, false,
		value, sizeof(value)) &&
	    *value)
		return xstrdup(value);
	return id_in_address(r->from);
}

/* A bounce goes from nobody to the sender of what it returns. */
static void
log_return(const struct received *r, struct jrec *j)
{
	char *id = *r->from == '\0' ? id_in_address(r->rcpt) : NULL;

	if (id)
		jrec_str(j, "returned", id);
	free(id);
}

static int
log_received(const struct sink *s, const struct received *r, uint64_t t)
{
	struct jrec *j = jrec_new();
	char value[RECEIVED_BYTES_MAX + 1];
	int result;

	jrec_str(j, "id", r->id);
	log_return(r, j);
	jrec_str(j, "from", r->from);
	jrec_str(j, "rcpt", r->rcpt);
	jrec_int(j, "bytes", r->bytes);
	jrec_time(j, "t", t);
	if (header_value(r->headers, r->headers_len, "Received", true, value,
		sizeof(value)) &&
	    strlen(value) < RECEIVED_BYTES_MAX)
		jrec_str(j, "received_in", value);
	jrec_str(j, "sha256", r->sha256);
	result = jrec_log(s->log_fd, j);
	(void)jrec_free(j);
	return result;
}

static int
keep(const struct sink *s, const struct received *r)
{
	char name[ID_BYTES_MAX + 32];

	/* Numbered, since a message that comes twice is kept twice. */
	(void)snprintf(name, sizeof(name), "%06" PRIu64 "-%" PRIu64 "-%s",
	    s->messages + 1, mono_usec(),
	    r->id && is_plain_name(r->id) ? r->id : "unknown");
	return store_commit(r->store, name);
}

static void
rearm_idle(const struct sink *s)
{
	const struct timeval tv =
	    usec_to_timeval((uint64_t)(s->o->idle_exit * USEC_PER_SEC));

	if (s->o->idle_exit > 0)
		(void)evtimer_add(s->idle, &tv);
}

static int
on_message(void *arg, struct received *r)
{
	struct sink *s = arg;
	const uint64_t t = wall_usec();
	int result;

	r->id = id_of(r);
	result = keep(s, r);
	if (result == 0 && s->log_fd >= 0)
		result = log_received(s, r, t);
	if (result < 0) {
		warnx("can't keep a message: %s", strerror(-result));
		s->refused++;
		return result;
	}
	s->messages++;
	s->bytes += r->bytes;
	s->unidentified += !r->id;
	s->last_usec = mono_usec();
	if (s->first_usec == 0)
		s->first_usec = s->last_usec;
	rearm_idle(s);
	if (s->messages == s->o->until)
		(void)event_base_loopexit(s->base, NULL);
	if (s->o->break_share > 0 && rng_unit(&s->rng) < s->o->break_share)
		return -ECONNABORTED;
	return 0;
}

static bool
on_tempfail(void *arg)
{
	struct sink *s = arg;

	/* Asked at MAIL, RCPT and the dot: a third of the share at each. */
	if (s->o->tempfail_share <= 0 ||
	    rng_unit(&s->rng) >= s->o->tempfail_share / 3)
		return false;
	s->tempfailed++;
	return true;
}

static void
on_cut(void *arg, const char *id)
{
	const struct sink *s = arg;
	struct jrec *j;

	if (s->log_fd < 0)
		return;
	j = jrec_new();
	jrec_str(j, "event", "cut");
	jrec_str(j, "id", id);
	jrec_time(j, "t", wall_usec());
	if (jrec_log(s->log_fd, j) < 0)
		warnx("can't write the log");
	(void)jrec_free(j);
}

static const struct smtp_server_events server_events = {
    .message = on_message,
    .tempfail = on_tempfail,
    .cut = on_cut,
};

static void
on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct sink *s = arg;

	(void)fd;
	(void)what;
	(void)event_base_loopexit(s->base, NULL);
}

static void
summary(const struct sink *s)
{
	const double seconds =
	    (double)(s->last_usec - s->first_usec) / USEC_PER_SEC;
	struct jrec *j;

	if (!s->o->json) {
		(void)printf("%" PRIu64 " messages, %" PRIu64 " octets, "
			     "%.1f s from first to last, %" PRIu64
			     " without identity, %" PRIu64
			     " times 4xx as asked, %" PRIu64 " not kept\n",
		    s->messages, s->bytes, seconds, s->unidentified,
		    s->tempfailed, s->refused);
		return;
	}
	j = jrec_new();
	jrec_int(j, "messages", s->messages);
	jrec_int(j, "bytes", s->bytes);
	jrec_real(j, "seconds", seconds);
	jrec_int(j, "unidentified", s->unidentified);
	jrec_int(j, "tempfailed", s->tempfailed);
	jrec_int(j, "refused", s->refused);
	if (jrec_print(stdout, j) < 0)
		die(EXIT_SYSTEM, "can't write the summary");
	(void)jrec_free(j);
}

static void
open_files(struct sink *s)
{
	int r;

	s->log_fd = -1;
	s->store_dirfd = -1;
	if (s->o->log) {
		r = jrec_log_open(s->o->log, &s->log_fd);
		if (r < 0)
			die(EXIT_USAGE, "%s: %s", s->o->log, strerror(-r));
	}
	if (!s->o->store)
		return;
	(void)mkdir(s->o->store, 0755);
	s->store_dirfd = open(s->o->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->store_dirfd < 0)
		die(EXIT_USAGE, "%s: %s", s->o->store, strerror(errno));
}

/* Say where we listen: on standard error, and in a file for scripts. */
static void
announce(const struct sink *s, const struct smtp_server *server)
{
	char text[64];
	FILE *f;

	smtp_server_address(server, text, sizeof(text));
	(void)fprintf(stderr, "sluice-traffic sink: listening on %s\n", text);
	if (!s->o->ready_file)
		return;
	f = fopen(s->o->ready_file, "we");
	if (!f || fprintf(f, "%s\n", text) < 0 || fclose(f) != 0)
		die(EXIT_SYSTEM, "%s: %s", s->o->ready_file, strerror(errno));
}

/* Each connection is a descriptor: take all that we may have. */
static void
raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);
	}
}

static void
serve(struct sink *s)
{
	struct event *term = evsignal_new(s->base, SIGTERM, on_stop, s);
	struct event *intr = evsignal_new(s->base, SIGINT, on_stop, s);
	struct smtp_server *server;
	int r;

	s->idle = evtimer_new(s->base, on_stop, s);
	if (!term || !intr || !s->idle)
		die(EXIT_SYSTEM, "out of memory");
	r = smtp_server_new(
	    s->base, &s->o->listen, s->store_dirfd, &server_events, s, &server);
	if (r < 0)
		die(EXIT_SYSTEM, "can't listen: %s", strerror(-r));
	(void)event_add(term, NULL);
	(void)event_add(intr, NULL);
	rearm_idle(s);
	announce(s, server);
	if (event_base_dispatch(s->base) < 0)
		die(EXIT_SYSTEM, "the event loop failed");
	(void)smtp_server_free(server);
	event_free(s->idle);
	event_free(term);
	event_free(intr);
}

static int
sink_run(const struct sink_options *o)
{
	struct sink s = {.o = o};

	rng_init(&s.rng, o->seed, 0);
	raise_limit();
	open_files(&s);
	s.base = event_base_new();
	if (!s.base)
		die(EXIT_SYSTEM, "no event loop");
	serve(&s);
	summary(&s);
	event_base_free(s.base);
	if (s.log_fd >= 0)
		(void)close(s.log_fd);
	if (s.store_dirfd >= 0)
		(void)close(s.store_dirfd);
	return s.refused > 0 ? EXIT_SYSTEM : EXIT_FINE;
}

enum option_key {
	OPT_LISTEN = 1000,
	OPT_LOG,
	OPT_STORE,
	OPT_READY_FILE,
	OPT_UNTIL,
	OPT_IDLE_EXIT,
	OPT_TEMPFAIL,
	OPT_BREAK,
	OPT_SEED,
	OPT_JSON,
};

static const struct argp_option options[] = {
    {"listen", OPT_LISTEN, "ADDR:PORT", 0,
	"where to serve (numeric, or localhost; port 0: any free one)", 0},
    {"log", OPT_LOG, "FILE", 0,
	"append one JSON line a message, before its 250 is sent", 0},
    {"store", OPT_STORE, "DIR", 0, "keep the messages there as files", 0},
    {"ready-file", OPT_READY_FILE, "FILE", 0,
	"write ADDR:PORT into it once listening", 0},
    {"until", OPT_UNTIL, "N", 0, "end after N messages", 0},
    {"idle-exit", OPT_IDLE_EXIT, "SECONDS", 0,
	"end when no message came for so long, also at the beginning", 0},
    {"tempfail-share", OPT_TEMPFAIL, "P", 0,
	"answer 4xx to this share of messages, at random stages", 0},
    {"break-share", OPT_BREAK, "P", 0,
	"take this share of messages but hang up instead of saying so", 0},
    {"seed", OPT_SEED, "S", 0, "for that (1)", 0},
    {"json", OPT_JSON, NULL, 0, "summary as one JSON object", 0},
    {0},
};

static const char doc[] =
    "An SMTP server that takes every message, logs it and forgets it."
    "\v"
    "A line of the log: {\"id\", \"from\", \"rcpt\", \"bytes\", \"t\", "
    "\"received_in\", \"sha256\"}. A line {\"event\":\"cut\"} says that the "
    "connection ended right after that message's 250, so that the client may "
    "rightly send it again.\n\n"
    "SIGTERM and SIGINT end it with a summary.\n\n"
    "Example:\n"
    "  sluice-traffic sink --listen 127.0.0.1:2600 --log got.jsonl\n\n"
    "Exit status: 0; 100 wrong usage; 111 can't listen, or a message could "
    "not be kept.";

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct sink_options *o = state->input;

	switch (key) {
	case OPT_LISTEN:
		if (address_parse(arg, &o->listen) < 0)
			die(EXIT_USAGE, "--listen: \"%s\" is no ADDR:PORT",
			    arg);
		return 0;
	case OPT_LOG:
		o->log = arg;
		return 0;
	case OPT_STORE:
		o->store = arg;
		return 0;
	case OPT_READY_FILE:
		o->ready_file = arg;
		return 0;
	case OPT_UNTIL:
		o->until = parse_count("--until", arg);
		return 0;
	case OPT_IDLE_EXIT:
		o->idle_exit = parse_number("--idle-exit", arg, 0, 1e9);
		return 0;
	case OPT_TEMPFAIL:
		o->tempfail_share = parse_number("--tempfail-share", arg, 0, 1);
		return 0;
	case OPT_BREAK:
		o->break_share = parse_number("--break-share", arg, 0, 1);
		return 0;
	case OPT_SEED:
		o->seed = parse_count("--seed", arg);
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case ARGP_KEY_END:
		if (o->listen.ss.ss_family == AF_UNSPEC)
			argp_error(state, "--listen says where; see --help");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int
sink_main(int argc, char **argv)
{
	static const struct argp argp = {
	    options, parse, NULL, doc, NULL, NULL, NULL};
	struct sink_options o = {.seed = 1};

	(void)argp_parse(&argp, argc, argv, 0, NULL, &o);
	return sink_run(&o);
}
