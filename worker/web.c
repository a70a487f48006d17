/*
 * worker/web.c - worker/web.h: all of libcurl that there is.
 */
#include "worker/web.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "worker/fetch_address.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Octets of all headers of an answer. */
#define HEADERS_MAX ((size_t)64 << 10)
/* At a time to one host, however many mails link to it. */
#define HOST_CONNECTIONS 4L

#define REQUEST_MAGIC UINT32_C(0x77656271)

struct web {
	struct event_base *base;
	struct web_options options;
	CURLM *multi;
	struct event *timer;
};

struct web_request {
	uint32_t magic;
	struct web *web;
	CURL *easy;
	struct curl_slist *resolve;
	int fd;
	uint64_t most_bytes, bytes;
	size_t header_bytes;
	const char *stopped; /* why we ended it ourselves; NULL: we did not */
	char error[CURL_ERROR_SIZE];
	web_done *done;
	void *arg;
};

static void
request_free(struct web_request *q)
{
	if (q->easy) {
		(void)curl_multi_remove_handle(q->web->multi, q->easy);
		curl_easy_cleanup(q->easy);
	}
	curl_slist_free_all(q->resolve);
	free(q);
}

static const char *
text_of(CURL *easy, CURLINFO what)
{
	char *text = NULL;

	if (curl_easy_getinfo(easy, what, &text) != CURLE_OK || !text)
		return "";
	return text;
}

static const char *
header_of(CURL *easy, const char *name)
{
	struct curl_header *header;

	if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) !=
	    CURLHE_OK)
		return "";
	return header->value;
}

static void
finish(struct web_request *q, CURLcode code)
{
	struct web_answer answer = {.error = "", .bytes = q->bytes};
	curl_off_t length = -1;

	if (code != CURLE_OK)
		answer.error = q->stopped    ? q->stopped
			       : q->error[0] ? q->error
					     : curl_easy_strerror(code);
	(void)curl_easy_getinfo(
	    q->easy, CURLINFO_RESPONSE_CODE, &answer.status);
	(void)curl_easy_getinfo(
	    q->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	answer.declared_bytes = length;
	answer.is_cut = !q->stopped && (code == CURLE_PARTIAL_FILE ||
					   code == CURLE_RECV_ERROR ||
					   code == CURLE_HTTP2_STREAM);
	answer.location = text_of(q->easy, CURLINFO_REDIRECT_URL);
	answer.type = text_of(q->easy, CURLINFO_CONTENT_TYPE);
	answer.disposition = header_of(q->easy, "Content-Disposition");
	q->done(q->arg, &answer);
	request_free(q);
}

/* One at a time: what done does may end others. */
static void
take_finished(struct web *web)
{
	struct web_request *q;
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(web->multi, &left))) {
		const CURLcode code = msg->data.result;

		if (msg->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &q) !=
			CURLE_OK)
			continue;
		assert(q->magic == REQUEST_MAGIC);
		finish(q, code);
	}
}

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct web *web = arg;
	const int action = ((what & EV_READ) ? CURL_CSELECT_IN : 0) |
			   ((what & EV_WRITE) ? CURL_CSELECT_OUT : 0);
	int running;

	(void)curl_multi_socket_action(web->multi, fd, action, &running);
	take_finished(web);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct web *web = arg;
	int running;

	(void)fd;
	(void)what;
	(void)curl_multi_socket_action(
	    web->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_finished(web);
}

static int
set_timer(CURLM *multi, long msec, void *arg)
{
	struct web *web = arg;
	const struct timeval tv = {msec / 1000, (msec % 1000) * 1000};

	(void)multi;
	return msec < 0 ? event_del(web->timer) : event_add(web->timer, &tv);
}

static int
watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket)
{
	struct web *web = arg;
	struct event *ev = socket;
	const short events =
	    (short)(EV_PERSIST | ((what & CURL_POLL_IN) ? EV_READ : 0) |
		    ((what & CURL_POLL_OUT) ? EV_WRITE : 0));

	(void)easy;
	if (ev) {
		(void)curl_multi_assign(web->multi, fd, NULL);
		event_free(ev);
	}
	if (what == CURL_POLL_REMOVE)
		return 0;
	ev = event_new(web->base, fd, events, on_socket, web);
	if (!ev || event_add(ev, NULL) < 0)
		return -1;
	return curl_multi_assign(web->multi, fd, ev) == CURLM_OK ? 0 : -1;
}

/* The last word: it is this address that is connected to. */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct web_request *q = arg;
	const struct web_options *o = &q->web->options;

	if (purpose != CURLSOCKTYPE_IPCXN || address->socktype != SOCK_STREAM ||
	    !address_may(&address->addr, o->rule)) {
		q->stopped = "its address is not to be asked";
		return CURL_SOCKET_BAD;
	}
	return socket(address->family,
	    address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    address->protocol);
}

static size_t
see_header(char *at, size_t size, size_t n, void *arg)
{
	struct web_request *q = arg;

	(void)at;
	q->header_bytes += size * n;
	if (q->header_bytes <= HEADERS_MAX)
		return size * n;
	q->stopped = "too many headers";
	return 0;
}

static size_t
take_content(char *at, size_t size, size_t n, void *arg)
{
	struct web_request *q = arg;
	const size_t len = size * n;

	if (q->fd < 0 || len > q->most_bytes - q->bytes) {
		q->stopped = "larger than links.file";
		return CURL_WRITEFUNC_ERROR;
	}
	if (write_all(q->fd, at, len) < 0) {
		q->stopped = "no room for it";
		return CURL_WRITEFUNC_ERROR;
	}
	q->bytes += len;
	return len;
}

#define SET(option, value) \
	(code = code ? code : curl_easy_setopt(q->easy, option, value))

/* What curl would do of itself, and is not to. */
static CURLcode
set_limits(struct web_request *q)
{
	CURLcode code = CURLE_OK;

	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_NONE);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_FRESH_CONNECT, 1L);
	SET(CURLOPT_FORBID_REUSE, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 0L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_HTTP09_ALLOWED, 0L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	/* What a browser undoes: a server may send it compressed, asked or
	 * not. */
	SET(CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
	return code;
}

static CURLcode
set_request(struct web_request *q, const struct web_question *question)
{
	CURLcode code = set_limits(q);

	SET(CURLOPT_URL, question->url);
	SET(CURLOPT_PRIVATE, q);
	SET(CURLOPT_ERRORBUFFER, q->error);
	SET(CURLOPT_USERAGENT, q->web->options.agent);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, q);
	SET(CURLOPT_HEADERFUNCTION, see_header);
	SET(CURLOPT_HEADERDATA, q);
	SET(CURLOPT_WRITEFUNCTION, take_content);
	SET(CURLOPT_WRITEDATA, q);
	if (question->fd < 0)
		SET(CURLOPT_NOBODY, 1L);
	else
		SET(CURLOPT_HTTPGET, 1L);
	if (q->resolve)
		SET(CURLOPT_RESOLVE, q->resolve);
	return code;
}

/* The name means what it meant when it was checked. */
static bool
set_resolve(struct web_request *q, const struct web_question *question)
{
	CLEANUP(free_ptr) char *entry = NULL;

	if (!question->addresses)
		return true;
	entry = xasprintf(
	    "%s:%u:%s", question->host, question->port, question->addresses);
	q->resolve = curl_slist_append(NULL, entry);
	return q->resolve != NULL;
}

struct web_request *
web_ask(struct web *web, const struct web_question *question, web_done *done,
    void *arg)
{
	struct web_request *q = xcalloc(1, sizeof(*q));

	q->magic = REQUEST_MAGIC;
	q->web = web;
	q->fd = question->fd;
	q->most_bytes = question->most_bytes;
	q->done = done;
	q->arg = arg;
	q->easy = curl_easy_init();
	if (!q->easy || !set_resolve(q, question) ||
	    set_request(q, question) != CURLE_OK ||
	    curl_multi_add_handle(web->multi, q->easy) != CURLM_OK) {
		request_free(q);
		return NULL;
	}
	return q;
}

void
web_cancel(struct web_request *request)
{
	assert(request->magic == REQUEST_MAGIC);
	request_free(request);
}

#define SET_MULTI(option, value) \
	(code = code ? code : curl_multi_setopt(web->multi, option, value))

static CURLMcode
set_multi(struct web *web)
{
	CURLMcode code = CURLM_OK;

	SET_MULTI(CURLMOPT_SOCKETFUNCTION, watch_socket);
	SET_MULTI(CURLMOPT_SOCKETDATA, web);
	SET_MULTI(CURLMOPT_TIMERFUNCTION, set_timer);
	SET_MULTI(CURLMOPT_TIMERDATA, web);
	SET_MULTI(CURLMOPT_MAX_HOST_CONNECTIONS, HOST_CONNECTIONS);
	SET_MULTI(CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	return code;
}

int
web_new(struct event_base *base, const struct web_options *options,
    struct web **ret_web)
{
	struct web *web;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	web = xcalloc(1, sizeof(*web));
	web->base = base;
	web->options = *options;
	web->multi = curl_multi_init();
	web->timer = evtimer_new(base, on_timer, web);
	if (!web->multi || !web->timer || set_multi(web) != CURLM_OK) {
		(void)web_free(web);
		return -ENOMEM;
	}
	*ret_web = web;
	return 0;
}

struct web *
web_free(struct web *web)
{
	if (!web)
		return NULL;
	if (web->multi)
		(void)curl_multi_cleanup(web->multi);
	if (web->timer)
		event_free(web->timer);
	free(web);
	return NULL;
}
