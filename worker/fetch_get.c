/*
 * worker/fetch_get.c - worker/fetch_get.h.
 */
#include "worker/fetch_get.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/log.h"
#include "worker/url.h"
#include "worker/web.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Addresses of one name that are tried; the rest is left out. */
#define ADDRESSES_MAX 8
/* A name server that does not answer, in seconds, and how often it is asked. */
#define DNS_TIMEOUT  "2"
#define DNS_ATTEMPTS "2"

struct fetch_get {
	struct fetch_net *net;
	char url[URL_MAX + 1];
	char host[URL_HOST_MAX + 1];
	uint16_t port;
	char addresses[ADDRESSES_MAX * (INET6_ADDRSTRLEN + 3)];
	unsigned int redirects;
	bool is_get; /* HEAD has been asked */
	struct evdns_getaddrinfo_request *lookup;
	struct web_request *request;
	struct event *next;     /* the step that follows is due */
	struct event *deadline; /* of all hops together */
	void (*step)(struct fetch_get *g);
	int fd;
	struct wire_fetched result;
	fetch_get_done *done;
	void *arg;
};

static void
get_free(struct fetch_get *g)
{
	if (g->lookup)
		evdns_getaddrinfo_cancel(g->lookup);
	if (g->request)
		web_cancel(g->request);
	event_free(g->next);
	event_free(g->deadline);
	close_fd(&g->fd);
	free(g);
}

static void
go_on(struct fetch_get *g, void (*step)(struct fetch_get *g))
{
	g->step = step;
	event_active(g->next, EV_TIMEOUT, 1);
}

static void
on_next(evutil_socket_t fd, short what, void *arg)
{
	struct fetch_get *g = arg;

	(void)fd;
	(void)what;
	g->step(g);
}

static void
end(struct fetch_get *g)
{
	g->done(g->arg, &g->result, g->result.got ? g->fd : -1);
	get_free(g);
}

__attribute__((format(printf, 2, 3))) static void
give_up(struct fetch_get *g, const char *fmt, ...)
{
	char text[sizeof(g->result.text)];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	g->result.got = 0;
	(void)snprintf(g->result.text, sizeof(g->result.text), "%.120s%s%.70s",
	    text, g->redirects ? ", led to " : "", g->redirects ? g->host : "");
	go_on(g, end);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct fetch_get *g = arg;

	(void)fd;
	(void)what;
	if (g->step == end)
		return;
	if (g->request) {
		web_cancel(g->request);
		g->request = NULL;
	}
	give_up(g, "not within %llu ms (links.timeout)",
	    (unsigned long long)(g->net->conf->links.timeout_usec /
				 USEC_PER_MSEC));
}

static void ask(struct fetch_get *g);

/* Its address is checked like the link's own. */
static void
follow(struct fetch_get *g, const char *location)
{
	char url[URL_MAX + 1];
	const char *why;
	int r = url_read(NULL, location, strlen(location), url);

	if (r < 0) {
		give_up(g, "it leads to what is no address of the web");
		return;
	}
	if (++g->redirects > g->net->conf->links.redirects) {
		give_up(g,
		    "it leads elsewhere more than %llu times "
		    "(links.redirects)",
		    (unsigned long long)g->net->conf->links.redirects);
		return;
	}
	(void)strcpy(g->url, url);
	url_host(g->url, g->host, &g->port);
	why = url_is_act(g->url);
	if (why)
		give_up(g, "it leads to a link that is not asked: %s", why);
	else
		go_on(g, ask);
}

static void
copy_header(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from);
}

/* GET has brought what there is. */
static void
take(struct fetch_get *g, const struct web_answer *answer)
{
	struct wire_fetched *f = &g->result;

	f->got = 1;
	f->bytes = answer->bytes;
	f->is_cut = answer->is_cut;
	(void)url_name(g->url, f->name, sizeof(f->name));
	copy_header(f->type, sizeof(f->type), answer->type);
	copy_header(
	    f->disposition, sizeof(f->disposition), answer->disposition);
	copy_header(f->text, sizeof(f->text), answer->error);
	go_on(g, end);
}

static bool
is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 ||
	       status == 307 || status == 308;
}

static void get(struct fetch_get *g);

static void
on_answer(void *arg, const struct web_answer *answer)
{
	struct fetch_get *g = arg;
	const uint64_t most = g->net->conf->links.file_bytes;

	g->request = NULL;
	if (g->step == end)
		return;
	g->result.status = (uint32_t)answer->status;
	if (is_redirect(answer->status) && *answer->location)
		follow(g, answer->location);
	else if (!g->is_get && answer->declared_bytes > 0 &&
		 (uint64_t)answer->declared_bytes > most &&
		 answer->status == 200)
		give_up(g, "larger than links.file: %lld octets",
		    (long long)answer->declared_bytes);
	else if (!g->is_get) /* many servers answer HEAD with errors alone */
		go_on(g, get);
	else if (answer->status == 200 &&
		 (!*answer->error || (answer->is_cut && answer->bytes > 0)))
		take(g, answer);
	else if (*answer->error)
		give_up(g, "%s", answer->error);
	else
		give_up(g, "the server answered %ld", answer->status);
}

static void
send_question(struct fetch_get *g)
{
	struct in6_addr any;
	const bool is_number = inet_pton(AF_INET, g->host, &any) == 1 ||
			       inet_pton(AF_INET6, g->host, &any) == 1;

	g->request = web_ask(g->net->web,
	    &(struct web_question){.url = g->url,
		.host = g->host,
		.port = g->port,
		.addresses = is_number ? NULL : g->addresses,
		.fd = g->is_get ? g->fd : -1,
		.most_bytes = g->net->conf->links.file_bytes},
	    on_answer, g);
	if (!g->request)
		give_up(g, "no memory");
}

static void
head(struct fetch_get *g)
{
	g->is_get = false;
	send_question(g);
}

static void
get(struct fetch_get *g)
{
	close_fd(&g->fd); /* another hop may have left some of its page */
	g->fd = memfd_new("link");
	g->is_get = true;
	if (g->fd < 0)
		give_up(g, "no memory");
	else
		send_question(g);
}

/* Those that may be asked, as libcurl wants them.  How many there are. */
static int
note_addresses(struct fetch_get *g, const struct evutil_addrinfo *list)
{
	char text[INET6_ADDRSTRLEN];
	size_t used = 0;
	int n = 0;

	for (; list && n < ADDRESSES_MAX; list = list->ai_next) {
		const bool is_v6 = list->ai_family == AF_INET6;

		if (!address_may(list->ai_addr, &g->net->rule) ||
		    getnameinfo(list->ai_addr, list->ai_addrlen, text,
			sizeof(text), NULL, 0, NI_NUMERICHOST) != 0)
			continue;
		used += (size_t)snprintf(g->addresses + used,
		    sizeof(g->addresses) - used, "%s%s%s%s", n ? "," : "",
		    is_v6 ? "[" : "", text, is_v6 ? "]" : "");
		n++;
	}
	return n;
}

static void
on_looked_up(int error, struct evutil_addrinfo *list, void *arg)
{
	struct fetch_get *g = arg;

	if (error == EVUTIL_EAI_CANCEL)
		return;
	g->lookup = NULL;
	if (g->step == end)
		return;
	if (error)
		give_up(g, "its host has no address: %s",
		    evutil_gai_strerror(error));
	else if (note_addresses(g, list) == 0)
		give_up(g, "its address is not to be asked");
	else
		go_on(g, head);
	if (list)
		evutil_freeaddrinfo(list);
}

static void
ask(struct fetch_get *g)
{
	const struct evutil_addrinfo hints = {
	    .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct evdns_getaddrinfo_request *lookup;

	if (!address_port_may(g->port)) {
		give_up(g, "its port %u is not to be asked", g->port);
		return;
	}
	lookup = evdns_getaddrinfo(
	    g->net->dns, g->host, NULL, &hints, on_looked_up, g);
	if (lookup) /* else it has answered already */
		g->lookup = lookup;
}

/*
 * The one who asks parsed hostile mail, or believes who did; unless the
 * address is the site's own.
 */
static void
begin(struct fetch_get *g)
{
	char url[URL_MAX + 1];
	const char *why = NULL;

	if (url_read(NULL, g->url, strlen(g->url), url) < 0 ||
	    strcmp(url, g->url) != 0)
		why = "it is no address";
	else if (!g->net->is_own && !url_is_file(url))
		why = "it is no file's";
	else if (!g->net->is_own)
		why = url_is_act(url);
	if (why) {
		(void)strcpy(g->host, "");
		give_up(g, "it is not asked: %s", why);
		return;
	}
	url_host(g->url, g->host, &g->port);
	ask(g);
}

struct fetch_get *
fetch_get_new(
    struct fetch_net *net, const char *url, fetch_get_done *done, void *arg)
{
	const struct timeval tv = span_timeval(net->conf->links.timeout_usec);
	struct fetch_get *g = xcalloc(1, sizeof(*g));

	g->net = net;
	(void)snprintf(g->url, sizeof(g->url), "%s", url);
	g->fd = -1;
	g->done = done;
	g->arg = arg;
	g->next = event_new(net->base, -1, 0, on_next, g);
	g->deadline = evtimer_new(net->base, on_deadline, g);
	assert(g->next && g->deadline);
	(void)event_add(g->deadline, &tv);
	go_on(g, begin);
	return g;
}

static int
open_dns(struct fetch_net *net)
{
	net->dns = evdns_base_new(net->base, 0);
	if (!net->dns)
		return -ENOMEM;
	/* Without a file of them there may be no name servers: numbers and
	 * the names of the hosts file are asked all the same.  No search list:
	 * a name of the mail's is never one of this site's. */
	(void)evdns_base_resolv_conf_parse(net->dns,
	    DNS_OPTION_NAMESERVERS | DNS_OPTION_MISC | DNS_OPTION_HOSTSFILE,
	    "/etc/resolv.conf");
	(void)evdns_base_set_option(net->dns, "timeout:", DNS_TIMEOUT);
	(void)evdns_base_set_option(net->dns, "attempts:", DNS_ATTEMPTS);
	return 0;
}

int
fetch_net_open(struct fetch_net *net, struct event_base *base,
    const struct conf *conf, char *err, size_t err_size)
{
	const struct web_options options = {
	    .rule = &net->rule, .agent = conf->links.agent};
	int r;

	net->base = base;
	net->conf = conf;
	r = address_rule_read(conf, &net->rule, err, err_size);
	if (r < 0)
		return r;
	r = open_dns(net);
	if (r == 0)
		r = web_new(base, &options, &net->web);
	if (r < 0)
		(void)snprintf(err, err_size, "%s", strerror(-r));
	return r;
}
