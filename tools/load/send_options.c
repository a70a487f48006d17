/* tools/load/send_options.c - the command line of "sluice-traffic send". */
#include "send.h"

#include <argp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum option_key {
	OPT_TO = 1000,
	OPT_COUNT,
	OPT_DURATION,
	OPT_RATE,
	OPT_ARRIVALS,
	OPT_BURST,
	OPT_CONNECTIONS,
	OPT_PER_CONNECTION,
	OPT_SEED,
	OPT_CORPUS,
	OPT_LIST,
	OPT_CORPUS_CLASS,
	OPT_SKIP_BARE_CR,
	OPT_SIZE_MU,
	OPT_SIZE_SIGMA,
	OPT_ATTACH_MU,
	OPT_ATTACH_SIGMA,
	OPT_MAX_BYTES,
	OPT_ATTACH_SHARE,
	OPT_SPAM_SHARE,
	OPT_EICAR_SHARE,
	OPT_EXT_SHARE,
	OPT_EICAR_EVERY,
	OPT_EICAR,
	OPT_RCPT,
	OPT_DOMAIN,
	OPT_LOG,
	OPT_TIMEOUT,
	OPT_RETRY_FOR,
	OPT_NO_RETRY,
	OPT_RESEND_BROKEN,
	OPT_ALLOW_REMOTE,
	OPT_PROGRESS,
	OPT_JSON,
};

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Where and how fast:", 1},
    {"to", OPT_TO, "ADDR:PORT", 0, "the SMTP server (numeric, or localhost)",
	0},
    {"count", OPT_COUNT, "N", 0,
	"messages to send (100, or each corpus file once; 0: no end)", 0},
    {"duration", OPT_DURATION, "SECONDS", 0, "begin none after this time", 0},
    {"rate", OPT_RATE, "R", 0,
	"messages a second; 0, the default: as fast as they go", 0},
    {"arrivals", OPT_ARRIVALS, "KIND", 0,
	"poisson (default), uniform or bursty", 0},
    {"burst", OPT_BURST, "N", 0, "mean length of a burst (10)", 0},
    {"connections", OPT_CONNECTIONS, "C", 0, "at the same time (4)", 0},
    {"per-connection", OPT_PER_CONNECTION, "M", 0, "messages before QUIT (10)",
	0},
    {NULL, 0, NULL, 0, "What:", 2},
    {"seed", OPT_SEED, "S", 0, "same seed, same load; ids are tS-000001 … (1)",
	0},
    {"corpus", OPT_CORPUS, "DIR", 0,
	"send the files below DIR, in seeded random order, cycling", 0},
    {"list", OPT_LIST, "FILE", 0, "send the files that FILE names, one a line",
	0},
    {"corpus-class", OPT_CORPUS_CLASS, "NAME", 0,
	"class of such messages in the log (corpus)", 0},
    {"skip-bare-cr", OPT_SKIP_BARE_CR, NULL, 0,
	"leave out files with a bare CR or a NUL: sendmail answers 421, 554",
	0},
    {"size-mu", OPT_SIZE_MU, "MU", 0,
	"octets are exp(Normal(MU, SIGMA)) (8.19)", 0},
    {"size-sigma", OPT_SIZE_SIGMA, "SIGMA", 0, "(0.74)", 0},
    {"attach-mu", OPT_ATTACH_MU, "MU", 0,
	"the same for messages with attachments (11.04)", 0},
    {"attach-sigma", OPT_ATTACH_SIGMA, "SIGMA", 0, "(1.17)", 0},
    {"max-bytes", OPT_MAX_BYTES, "N", 0, "cut larger draws (33554432)", 0},
    {"attach-share", OPT_ATTACH_SHARE, "P", 0,
	"share with attachments (0.2; 0 with a corpus)", 0},
    {"spam-share", OPT_SPAM_SHARE, "P", 0, "share with GTUBE (0)", 0},
    {"eicar-share", OPT_EICAR_SHARE, "P", 0, "share with EICAR (0)", 0},
    {"ext-share", OPT_EXT_SHARE, "P", 0,
	"share with a refused name, such as .exe (0)", 0},
    {"eicar-every", OPT_EICAR_EVERY, "N", 0, "each Nth message is EICAR", 0},
    {"eicar", OPT_EICAR, "N", 0,
	"exactly N of all messages are EICAR, at random places", 0},
    {"rcpt", OPT_RCPT, "ADDRESS", 0,
	"recipient (one of u00 … u99 in the domain)", 0},
    {"domain", OPT_DOMAIN, "NAME", 0,
	"of senders and recipients (traffic.test)", 0},
    {NULL, 0, NULL, 0, "When things go wrong:", 3},
    {"timeout", OPT_TIMEOUT, "SECONDS", 0,
	"wait so long for a reply, and so long for a server that is down (60)",
	0},
    {"retry-for", OPT_RETRY_FOR, "SECONDS", 0,
	"try a message again after 4xx, so long from its first try (120)", 0},
    {"no-retry", OPT_NO_RETRY, NULL, 0, "don't", 0},
    {"resend-broken", OPT_RESEND_BROKEN, NULL, 0,
	"send again what may have been taken already", 0},
    {"allow-remote", OPT_ALLOW_REMOTE, NULL, 0,
	"permit a server that isn't on loopback", 0},
    {NULL, 0, NULL, 0, "What to tell:", 4},
    {"log", OPT_LOG, "FILE", 0, "append one JSON line a message", 0},
    {"progress", OPT_PROGRESS, NULL, 0,
	"a line a second (default on a terminal)", 0},
    {"json", OPT_JSON, NULL, 0, "summary as one JSON object", 0},
    {0},
};

static const char doc[] =
    "Send artificial or given mail over SMTP, each message with an identity "
    "that \"sluice-traffic check\" finds again at the sink."
    "\v"
    "Each message carries its id in a header X-Traffic-Id, put at the end of "
    "its header block, and in its envelope sender. The log says of each: "
    "accepted, rejected (5xx), deferred (4xx, or never reached the server's "
    "last word) or broken (the connection was lost after the final dot: the "
    "server may have it or not).\n\n"
    "Two senders at the same time need two seeds.\n\n"
    "Examples:\n"
    "  sluice-traffic send --to 127.0.0.1:2525 --count 1000 --eicar 20 \\\n"
    "      --spam-share 0.05 --log sent.jsonl\n"
    "  sluice-traffic send --to 127.0.0.1:2525 --corpus mail/ --rate 50 \\\n"
    "      --arrivals bursty --skip-bare-cr --log sent.jsonl --json\n\n"
    "Exit status: 0 all accepted; 1 some not; 100 wrong usage; 111 no server.";

static void
set_arrivals(struct send_options *o, const char *arg)
{
	if (strcmp(arg, "poisson") == 0)
		o->plan.arrivals = ARRIVALS_POISSON;
	else if (strcmp(arg, "uniform") == 0)
		o->plan.arrivals = ARRIVALS_UNIFORM;
	else if (strcmp(arg, "bursty") == 0)
		o->plan.arrivals = ARRIVALS_BURSTY;
	else
		die(EXIT_USAGE, "--arrivals: poisson, uniform or bursty");
}

static unsigned
parse_unsigned(const char *option, const char *arg, uint64_t max)
{
	const uint64_t n = parse_count(option, arg);

	if (n < 1 || n > max)
		die(EXIT_USAGE, "%s: from 1 to %llu", option,
		    (unsigned long long)max);
	return (unsigned)n;
}

static uint64_t
parse_seconds(const char *option, const char *arg)
{
	return (uint64_t)(parse_number(option, arg, 0, 1e9) * USEC_PER_SEC);
}

/* Put into a line of SMTP as they are. */
static const char *
parse_address_text(const char *option, const char *arg)
{
	if (*arg == '\0' || strpbrk(arg, " <>\r\n"))
		die(EXIT_USAGE, "%s: not like this: \"%s\"", option, arg);
	return arg;
}

static int
parse_pace(int key, const char *arg, struct send_options *o)
{
	switch (key) {
	case OPT_TO:
		if (address_parse(arg, &o->client.to) < 0)
			die(EXIT_USAGE, "--to: \"%s\" is no ADDR:PORT", arg);
		return 0;
	case OPT_COUNT:
		o->plan.count = parse_count("--count", arg);
		o->plan.has_count = true;
		if (o->plan.count == 0)
			o->plan.count = UINT64_MAX;
		return 0;
	case OPT_DURATION:
		o->duration_usec = parse_seconds("--duration", arg);
		return 0;
	case OPT_RATE:
		o->plan.rate = parse_number("--rate", arg, 0, 1e6);
		return 0;
	case OPT_ARRIVALS:
		set_arrivals(o, arg);
		return 0;
	case OPT_BURST:
		o->plan.burst = parse_number("--burst", arg, 1, 1e6);
		return 0;
	case OPT_CONNECTIONS:
		o->connections = parse_unsigned("--connections", arg, 10000);
		return 0;
	case OPT_PER_CONNECTION:
		o->client.messages_max =
		    parse_unsigned("--per-connection", arg, UINT32_MAX);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
parse_sizes(int key, const char *arg, struct sizes *s)
{
	switch (key) {
	case OPT_SIZE_MU:
		s->mu = parse_number("--size-mu", arg, 0, 25);
		return 0;
	case OPT_SIZE_SIGMA:
		s->sigma = parse_number("--size-sigma", arg, 0, 10);
		return 0;
	case OPT_ATTACH_MU:
		s->attach_mu = parse_number("--attach-mu", arg, 0, 25);
		return 0;
	case OPT_ATTACH_SIGMA:
		s->attach_sigma = parse_number("--attach-sigma", arg, 0, 10);
		return 0;
	case OPT_MAX_BYTES:
		s->max_bytes =
		    parse_unsigned("--max-bytes", arg, (uint64_t)1 << 30);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
parse_shares(int key, const char *arg, struct plan_options *p)
{
	switch (key) {
	case OPT_ATTACH_SHARE:
		p->attach_share = parse_number("--attach-share", arg, 0, 1);
		return 0;
	case OPT_SPAM_SHARE:
		p->spam_share = parse_number("--spam-share", arg, 0, 1);
		return 0;
	case OPT_EICAR_SHARE:
		p->eicar_share = parse_number("--eicar-share", arg, 0, 1);
		return 0;
	case OPT_EXT_SHARE:
		p->ext_share = parse_number("--ext-share", arg, 0, 1);
		return 0;
	case OPT_EICAR_EVERY:
		p->eicar_every = parse_count("--eicar-every", arg);
		return 0;
	case OPT_EICAR:
		p->eicar_count = parse_count("--eicar", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
parse_content(int key, const char *arg, struct send_options *o)
{
	switch (key) {
	case OPT_SEED:
		o->plan.seed = o->message.seed = parse_count("--seed", arg);
		return 0;
	case OPT_CORPUS:
		o->corpus_dir = arg;
		return 0;
	case OPT_LIST:
		o->list = arg;
		return 0;
	case OPT_CORPUS_CLASS:
		o->corpus_class = arg;
		return 0;
	case OPT_SKIP_BARE_CR:
		o->skip_bare_cr = true;
		return 0;
	case OPT_RCPT:
		o->message.recipient = parse_address_text("--rcpt", arg);
		return 0;
	case OPT_DOMAIN:
		o->message.domain = parse_address_text("--domain", arg);
		o->client.helo = o->message.domain;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
parse_trouble(int key, const char *arg, struct send_options *o)
{
	switch (key) {
	case OPT_TIMEOUT:
		o->client.timeout_usec = parse_seconds("--timeout", arg);
		o->give_up_usec = o->client.timeout_usec;
		return 0;
	case OPT_RETRY_FOR:
		o->retry_usec = parse_seconds("--retry-for", arg);
		return 0;
	case OPT_NO_RETRY:
		o->no_retry = true;
		return 0;
	case OPT_RESEND_BROKEN:
		o->resend_broken = true;
		return 0;
	case OPT_ALLOW_REMOTE:
		o->allow_remote = true;
		return 0;
	case OPT_LOG:
		o->log = arg;
		return 0;
	case OPT_PROGRESS:
		o->progress = true;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void
check_together(struct send_options *o, const struct argp_state *state)
{
	struct plan_options *p = &o->plan;

	if (o->client.to.ss.ss_family == AF_UNSPEC)
		argp_error(state, "--to says where; see --help");
	if (!address_is_loopback(&o->client.to) && !o->allow_remote)
		die(EXIT_USAGE,
		    "--to isn't on loopback; this is a flood of test viruses "
		    "and spam: --allow-remote if you mean it");
	if (p->attach_share < 0)
		p->attach_share = o->corpus_dir || o->list ? 0 : 0.2;
	if (p->attach_share + p->spam_share + p->eicar_share + p->ext_share >
	    1 + 1e-9)
		die(EXIT_USAGE, "the shares are more than 1 together");
	if (p->eicar_count > 0 && p->has_count && p->count == UINT64_MAX)
		die(EXIT_USAGE, "--eicar needs an end: give --count");
	if (p->has_count && p->eicar_count > p->count)
		die(EXIT_USAGE, "--eicar is more than --count");
	/* A refusal to wait at all would give up before the first try. */
	if (o->client.timeout_usec == 0)
		die(EXIT_USAGE, "--timeout: more than 0");
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct send_options *o = state->input;
	int r = parse_pace(key, arg, o);

	if (r == ARGP_ERR_UNKNOWN)
		r = parse_sizes(key, arg, &o->message.sizes);
	if (r == ARGP_ERR_UNKNOWN)
		r = parse_shares(key, arg, &o->plan);
	if (r == ARGP_ERR_UNKNOWN)
		r = parse_content(key, arg, o);
	if (r == ARGP_ERR_UNKNOWN)
		r = parse_trouble(key, arg, o);
	if (key == ARGP_KEY_ARG)
		argp_error(state, "what is \"%s\"?", arg);
	if (key == ARGP_KEY_END)
		check_together(o, state);
	return r;
}

int
send_main(int argc, char **argv)
{
	static const struct argp argp = {
	    options, parse, NULL, doc, NULL, NULL, NULL};
	struct send_options o = {
	    .plan = {.seed = 1, .burst = 10, .attach_share = -1},
	    .message = {.seed = 1,
		.domain = "traffic.test",
		.sizes = {.mu = 8.19,
		    .sigma = 0.74,
		    .attach_mu = 11.04,
		    .attach_sigma = 1.17,
		    .max_bytes = 32 << 20}},
	    .client = {.helo = "traffic.test",
		.messages_max = 10,
		.timeout_usec = 60 * (uint64_t)USEC_PER_SEC},
	    .corpus_class = "corpus",
	    .connections = 4,
	    .give_up_usec = 60 * (uint64_t)USEC_PER_SEC,
	    .retry_usec = 120 * (uint64_t)USEC_PER_SEC,
	    .progress = isatty(STDERR_FILENO),
	};

	(void)argp_parse(&argp, argc, argv, 0, NULL, &o);
	return send_run(&o);
}
