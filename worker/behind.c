/*
 * worker/behind.c - worker/behind.h.
 */
#include "worker/behind.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "worker/fetcher.h"
#include "worker/job_priv.h"
#include "worker/reading.h"
#include "worker/url.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* RFC 2231: whatever octets it has, the header stays one. */
static char *
encode_name(const char *name)
{
	char *text = xcalloc(3 * strlen(name) + 1, 1), *at = text;

	for (; *name; name++) {
		const unsigned char c = (unsigned char)*name;

		if (isalnum(c) || c == '.' || c == '-' || c == '_')
			*at++ = (char)c;
		else
			at += sprintf(at, "%%%02X", c);
	}
	return text;
}

/* A server's header field, kept in one line. */
static void
flatten(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = ' ';
}

/*
 * The type without its parameters.  What would be read as mail once more is
 * attached as what it is for a browser, a file.
 */
static void
media_type(const char *type, char *buf, size_t size)
{
	const size_t len = strcspn(type, "; \t");
	bool is_sound = len > 0 && len < size && memchr(type, '/', len);

	for (size_t i = 0; i < len && is_sound; i++)
		is_sound =
		    isalnum((unsigned char)type[i]) || strchr("/.+-_", type[i]);
	if (!is_sound || strncasecmp(type, "message/", 8) == 0 ||
	    strncasecmp(type, "multipart/", 10) == 0)
		(void)snprintf(buf, size, "application/octet-stream");
	else
		(void)snprintf(buf, size, "%.*s", (int)len, type);
}

int
behind_mail(const char *url, const struct wire_fetched *fetched, int file,
    uint64_t *ret_bytes)
{
	struct wire_fetched f = *fetched;
	char type[128], linked[URL_MAX + 1];
	CLEANUP(free_ptr) char *own = NULL, *last = NULL, *head = NULL;
	CLEANUP(close_fd) int fd = memfd_new("behind");
	const char *rest;
	int r;

	if (fd < 0)
		return fd;
	(void)url_name(url, linked, sizeof(linked));
	own = encode_name(linked);
	last = encode_name(f.name);
	media_type(f.type, type, sizeof(type));
	flatten(f.disposition);
	rest = strchr(f.disposition, ';');
	head = xasprintf("MIME-Version: 1.0\n"
			 "Content-Type: %s; name*=utf-8''%s\n"
			 "Content-Transfer-Encoding: binary\n"
			 "Content-Disposition: attachment; filename*=utf-8''%s"
			 "%s\n\n",
	    type, own, *last ? last : own, rest ? rest : "");
	r = write_all(fd, head, strlen(head));
	if (r == 0)
		r = copy_range(file, 0, f.bytes, fd);
	if (r < 0)
		return r;
	*ret_bytes = strlen(head) + f.bytes;
	return TAKE_FD(fd);
}

/* A link's answer for the mail: hit, with the link named. */
static void
merge(struct behind *b, enum job_engine e, const struct engine_answer *answer)
{
	struct engine_answer named;

	answer_set(&named, answer->engine, (enum answer)answer->answer,
	    "%.90s (behind %.90s)", answer->reason, b->url);
	named.wait = answer->wait;
	job_merge(b->job, e, &named);
}

void
behind_judged(struct job *job)
{
	struct behind *b = job->behind;
	size_t len;

	b->evidence =
	    evidence_format(job, BEHIND_EVIDENCE_MAX / b->job->n_links, &len);
	for (int e = 0; e < JOB_ENGINES; e++)
		if (job->is_asked[e] && job->answers[e].answer != ANSWER_CLEAN)
			merge(b, (enum job_engine)e, &job->answers[e]);
	job_answered(b->job);
}

/* Its file did not come, or not all of it. */
static void
note_unfetched(struct behind *b, const char *why)
{
	struct engine_answer answer;

	(void)snprintf(b->why, sizeof(b->why), "%s", why);
	if (strcmp(b->job->judge->conf->links.unfetched, "hold") != 0)
		return;
	answer_set(&answer, "links", ANSWER_HIT, "held: %.90s not fetched: %s",
	    b->url, b->why);
	job_merge(b->job, JOB_LINKS, &answer);
}

static void
on_fetched(void *arg, const struct wire_fetched *fetched, int fd)
{
	struct behind *b = arg;
	CLEANUP(close_fd) int file = fd;
	uint64_t bytes;
	int mail;

	if (!fetched->got || fetched->is_cut)
		note_unfetched(b, fetched->text);
	if (fetched->got) {
		b->is_fetched = true;
		b->bytes = fetched->bytes;
		mail = behind_mail(b->url, fetched, file, &bytes);
		if (mail >= 0) {
			judge_behind(b, mail, bytes);
			return;
		}
		note_unfetched(b, "no memory for it");
	}
	job_answered(b->job);
}

static bool
passes(const struct job *job)
{
	for (int e = 0; e < JOB_ENGINES; e++)
		if (job->is_asked[e] && job->answers[e].answer != ANSWER_CLEAN)
			return false;
	return true;
}

static void
note_cut(struct job *job)
{
	struct engine_answer answer;

	if (strcmp(job->judge->conf->links.unfetched, "hold") != 0)
		return;
	answer_set(&answer, "links", ANSWER_HIT,
	    "held: it has more links than are fetched (links.per_message)");
	job_merge(job, JOB_LINKS, &answer);
}

/* The rest of the places is for those that wait for clones: they are not
 * judged without. */
static bool
may_wait(struct job *job)
{
	const struct judge *judge = job->judge;

	return job->is_long ||
	       (2 * judge->n_long < judge->conf->detonate.waiting &&
		   judge_become_long(job));
}

static void
ask(struct behind *b)
{
	b->job->pending++;
	fetcher_get(b->job->judge->fetcher, b->url, on_fetched, b);
}

bool
behind_begin(struct job *job)
{
	struct judge *judge = job->judge;
	const struct reading *reading = job->reading;
	const char *url = reading ? reading->links : NULL;
	bool has_room;

	if (!judge->fetcher || job->behind || job->is_asked[JOB_LINKS] ||
	    !reading || (reading->n_links == 0 && !reading->links_cut) ||
	    !passes(job))
		return false;
	job->is_asked[JOB_LINKS] = true;
	if (reading->links_cut)
		note_cut(job);
	/* A cell that was taken over may tell of more than it was asked for. */
	job->n_links = reading->n_links;
	if (job->n_links > judge->conf->links.per_message)
		job->n_links = judge->conf->links.per_message;
	if (job->n_links == 0)
		return false;
	job->links = xcalloc(job->n_links, sizeof(*job->links));
	has_room = may_wait(job);
	for (size_t i = 0; i < job->n_links; i++, url += strlen(url) + 1) {
		job->links[i].job = job;
		job->links[i].url = url;
		if (has_room)
			ask(&job->links[i]);
		else
			note_unfetched(&job->links[i],
			    "too many messages wait (detonate.waiting)");
	}
	return has_room;
}

void
behind_free(struct job *job)
{
	for (size_t i = 0; i < job->n_links; i++)
		free(job->links[i].evidence);
	free(job->links);
}
