#include "flow/dialogue_priv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum asked {
	ASKED_OTHER,
	ASKED_DATA,
	ASKED_TLS,
	ASKED_END, /* of a message */
};

/* Where in a line of a message. */
enum place {
	AT_BEGIN,
	AT_DOT,    /* behind a dot that begins a line */
	AT_DOT_CR, /* and behind its CR */
	AT_MIDDLE,
};

/* What is read of a header. */
enum field {
	FIELD_NAME,
	FIELD_SKIP, /* the rest of one that is of no interest */
	FIELD_ID,   /* the value of Message-ID */
	FIELD_BODY, /* the header is over */
};

void
smtp_begin(struct dialogue *d)
{
	d->mode = DIALOGUE_COMMANDS;
	d->asked[0] = (struct dialogue_asked){ASKED_OTHER, 1};
	d->n_asked = 1;
}

static void
ask(const struct reading *r, enum asked what)
{
	struct dialogue *d = r->dialogue;
	struct dialogue_asked *last =
	    d->n_asked > 0 ? &d->asked[d->n_asked - 1] : NULL;

	if (last && last->what == what && last->n < UINT16_MAX) {
		last->n++;
	} else if (d->n_asked == DIALOGUE_ASKED_MAX) {
		smtp_stop(r, DIALOGUE_LOST);
	} else {
		d->asked[d->n_asked++] =
		    (struct dialogue_asked){(uint8_t)what, 1};
	}
}

/* What a reply is to.  One to nothing (421 and good-bye) is of no interest. */
static enum asked
answered(struct dialogue *d)
{
	const enum asked what = (enum asked)d->asked[0].what;

	if (d->n_asked == 0)
		return ASKED_OTHER;
	if (--d->asked[0].n == 0) {
		d->n_asked--;
		memmove(d->asked, d->asked + 1, d->n_asked * sizeof(*d->asked));
	}
	return what;
}

static void
begin_message(struct dialogue *d)
{
	d->in_message = true;
	d->at = AT_BEGIN;
	d->field = FIELD_NAME;
	d->was_cr = false;
	d->has_id_key = false;
	d->n_in = 0;
}

static void
end_message(const struct reading *r)
{
	struct dialogue *d = r->dialogue;

	d->mode = DIALOGUE_COMMANDS;
	d->in_message = false;
	d->n_in = 0;
	d->id = flow_budget_resize(r->budget, d->id, &d->id_room_bytes, 0);
	if (d->ended == UINT16_MAX) {
		smtp_stop(r, DIALOGUE_LOST);
		return;
	}
	d->ended++;
	r->sink->ended(
	    r->sink->arg, d->ended, d->has_id_key ? &d->id_key : NULL);
	ask(r, ASKED_END);
}

/* The first counts: what a program makes of a second one is its own affair. */
static void
begin_field(const struct reading *r)
{
	static const char name[] = "message-id";
	struct dialogue *d = r->dialogue;
	size_t n = d->n_in;

	while (n > 0 && (d->line_in[n - 1] == ' ' || d->line_in[n - 1] == '\t'))
		n--;
	d->field = FIELD_SKIP;
	if (d->has_id_key || n != sizeof(name) - 1 ||
	    strncasecmp(d->line_in, name, n) != 0)
		return;
	if (!d->id)
		d->id = flow_budget_resize(
		    r->budget, NULL, &d->id_room_bytes, FLOW_ID_MAX);
	if (!d->id)
		return;
	d->id_n = 0;
	d->field = FIELD_ID;
}

static void
end_field(struct dialogue *d)
{
	if (d->field == FIELD_ID)
		d->has_id_key = flow_key_of_id(d->id, d->id_n, &d->id_key);
	d->field = FIELD_NAME;
	d->n_in = 0;
}

/* An octet of the header; is_first: of a line. */
static void
header_octet(const struct reading *r, char c, bool is_first)
{
	struct dialogue *d = r->dialogue;

	if (is_first && c != ' ' && c != '\t') {
		end_field(d);
		if (c == '\r' || c == '\n') {
			d->field = FIELD_BODY;
			return;
		}
	}
	if (d->field == FIELD_NAME) {
		if (c == ':')
			begin_field(r);
		else if (d->n_in < sizeof(d->line_in))
			d->line_in[d->n_in++] = c;
		else
			d->field = FIELD_SKIP;
	} else if (d->field == FIELD_ID && c != '\r' && c != '\n') {
		if (d->id_n < FLOW_ID_MAX)
			d->id[d->id_n++] = c;
		else
			d->field = FIELD_SKIP;
	}
}

/* The rest of a line, or what there is of it.  Returns how many octets. */
static size_t
message_line(const struct reading *r, const char *at, size_t n, bool is_first)
{
	struct dialogue *d = r->dialogue;
	const char *newline = memchr(at, '\n', n);
	const size_t length = newline ? (size_t)(newline - at) + 1 : n;
	const bool cr_before = length > 1 ? at[length - 2] == '\r' : d->was_cr;

	if (d->field != FIELD_BODY)
		for (size_t i = 0; i < length && d->field != FIELD_BODY; i++)
			header_octet(r, at[i], is_first && i == 0);
	/* Only CRLF ends a line before the dot (RFC 5321 4.1.1.4). */
	d->at = newline && cr_before ? AT_BEGIN : AT_MIDDLE;
	d->was_cr = at[length - 1] == '\r';
	return length;
}

/* Up to the dot that ends it.  Returns how many octets were of the message. */
static size_t
data_octets(const struct reading *r, const char *at, size_t n)
{
	struct dialogue *d = r->dialogue;
	size_t i = 0;

	while (i < n && d->mode == DIALOGUE_DATA) {
		const enum place place = (enum place)d->at;

		if (place == AT_BEGIN && at[i] == '.') {
			d->at = AT_DOT;
			i++;
		} else if (place == AT_DOT && at[i] == '\r') {
			d->at = AT_DOT_CR;
			i++;
		} else if (place == AT_DOT_CR && at[i] == '\n') {
			i++;
			end_message(r);
		} else {
			if (place == AT_DOT_CR)
				d->was_cr = true;
			i += message_line(r, at + i, n - i,
			    place == AT_BEGIN || place == AT_DOT);
		}
	}
	return i;
}

/* BDAT has no dots, but lines of a header all the same (RFC 3030). */
static size_t
chunk_octets(const struct reading *r, const char *at, size_t n)
{
	struct dialogue *d = r->dialogue;
	size_t i = 0;

	if (n > d->chunk_left)
		n = (size_t)d->chunk_left;
	d->chunk_left -= n;
	while (i < n && d->field != FIELD_BODY)
		i += message_line(r, at + i, n - i, d->at == AT_BEGIN);
	return n;
}

static void
end_chunk(const struct reading *r)
{
	struct dialogue *d = r->dialogue;

	if (d->is_last_chunk) {
		end_message(r);
		return;
	}
	/* Commands need the line: a name that two chunks share isn't read. */
	d->mode = DIALOGUE_COMMANDS;
	d->n_in = 0;
	if (d->field == FIELD_NAME)
		d->field = FIELD_SKIP;
}

/* "BDAT 1000 LAST" */
static void
begin_chunk(const struct reading *r, const char *arguments)
{
	struct dialogue *d = r->dialogue;
	char *end;

	d->chunk_left = strtoull(arguments, &end, 10);
	d->is_last_chunk = strncasecmp(end, " LAST", 5) == 0;
	if (!d->in_message)
		begin_message(d);
	d->mode = DIALOGUE_CHUNK;
	if (!d->is_last_chunk)
		ask(r, ASKED_OTHER);
	if (d->chunk_left == 0 && d->mode == DIALOGUE_CHUNK)
		end_chunk(r);
}

static bool
is_verb(const char *line, const char *verb)
{
	const size_t n = strlen(verb);

	return strncasecmp(line, verb, n) == 0 &&
	       (line[n] == '\0' || line[n] == ' ');
}

static void
command(const struct reading *r)
{
	struct dialogue *d = r->dialogue;
	char *line = d->line_in;
	size_t n = d->n_in;

	d->n_in = 0;
	while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == ' '))
		n--;
	line[n < sizeof(d->line_in) ? n : sizeof(d->line_in) - 1] = '\0';
	if (is_verb(line, "BDAT")) {
		begin_chunk(r, line + 4);
	} else if (is_verb(line, "DATA")) {
		d->mode = DIALOGUE_WAITS_DATA;
		ask(r, ASKED_DATA);
	} else if (is_verb(line, "STARTTLS")) {
		d->mode = DIALOGUE_WAITS_TLS;
		ask(r, ASKED_TLS);
	} else {
		if (is_verb(line, "RSET"))
			d->in_message = false;
		ask(r, ASKED_OTHER);
	}
}

/* Collect the begin of a line.  Returns how many octets; is it whole? */
static size_t
collect(char *line, uint8_t *length, size_t room, const char *at, size_t n,
    bool *ret_whole)
{
	const char *newline = memchr(at, '\n', n);
	const size_t taken = newline ? (size_t)(newline - at) : n;
	const size_t fits = room - *length < taken ? room - *length : taken;

	memcpy(line + *length, at, fits);
	*length = (uint8_t)(*length + fits);
	*ret_whole = newline != NULL;
	return taken + (newline != NULL);
}

static size_t
command_octets(const struct reading *r, const char *at, size_t n)
{
	struct dialogue *d = r->dialogue;
	bool is_whole;
	const size_t taken =
	    collect(d->line_in, &d->n_in, sizeof(d->line_in), at, n, &is_whole);

	if (is_whole)
		command(r);
	return taken;
}

void
smtp_in(const struct reading *r, const char *at, size_t n)
{
	struct dialogue *d = r->dialogue;

	while (n > 0) {
		size_t taken = n;

		switch ((enum dialogue_mode)d->mode) {
		case DIALOGUE_COMMANDS:
			taken = command_octets(r, at, n);
			break;
		case DIALOGUE_WAITS_DATA: /* its reply was overtaken */
			d->mode = DIALOGUE_DATA;
			begin_message(d);
			taken = 0;
			break;
		case DIALOGUE_DATA:
			taken = data_octets(r, at, n);
			break;
		case DIALOGUE_CHUNK:
			taken = chunk_octets(r, at, n);
			if (d->chunk_left == 0)
				end_chunk(r);
			break;
		case DIALOGUE_WAITS_TLS: /* nobody may speak now */
			smtp_stop(r, DIALOGUE_LOST);
			break;
		case DIALOGUE_TLS:
		case DIALOGUE_LOST:
			return;
		}
		at += taken;
		n -= taken;
	}
}

/* A word of the reply's text, or NULL. */
static const char *
word_behind(const char *text, const char *mark, size_t *ret_n)
{
	const char *found = strstr(text, mark);

	if (!found)
		return NULL;
	found += strlen(mark);
	*ret_n = strcspn(found, " ;,)");
	return found;
}

/*
 * Where servers name the message: sendmail "250 2.0.0 ID Message accepted",
 * Postfix "250 2.0.0 Ok: queued as ID", Exim "250 OK id=ID".
 */
static bool
queue_key(const char *text, struct flow_key *ret)
{
	size_t n = 0;
	const char *id = word_behind(text, "queued as ", &n);

	if (!id)
		id = word_behind(text, " id=", &n);
	if (!id && strstr(text, " Message accepted")) {
		id = strstr(text, " Message accepted");
		while (id > text && id[-1] != ' ') {
			id--;
			n++;
		}
	}
	return id && flow_key_of_queue(id, n, ret);
}

static void
message_answered(const struct reading *r, const char *line)
{
	struct dialogue *d = r->dialogue;
	struct flow_key key;

	d->answered++;
	if (line[0] == '2' && queue_key(line, &key))
		r->sink->named(r->sink->arg, d->answered, &key);
}

static void
reply(const struct reading *r)
{
	struct dialogue *d = r->dialogue;
	const char *line = d->line_out;
	size_t n = d->n_out;

	d->n_out = 0;
	while (n > 0 && line[n - 1] == '\r')
		n--;
	d->line_out[n < sizeof(d->line_out) ? n : n - 1] = '\0';
	if (n < 3 || (n > 3 && line[3] == '-'))
		return; /* more of it follows */
	switch (answered(d)) {
	case ASKED_DATA:
		if (d->mode == DIALOGUE_WAITS_DATA && line[0] == '3') {
			d->mode = DIALOGUE_DATA;
			begin_message(d);
		} else if (d->mode == DIALOGUE_WAITS_DATA) {
			d->mode = DIALOGUE_COMMANDS;
		} else if (line[0] != '3') {
			smtp_stop(r, DIALOGUE_LOST);
		}
		break;
	case ASKED_TLS:
		if (line[0] == '2')
			smtp_stop(r, DIALOGUE_TLS);
		else
			d->mode = DIALOGUE_COMMANDS;
		break;
	case ASKED_END:
		message_answered(r, line);
		break;
	case ASKED_OTHER:
		break;
	}
}

void
smtp_out(const struct reading *r, const char *at, size_t n)
{
	struct dialogue *d = r->dialogue;

	while (n > 0 && d->mode < DIALOGUE_TLS) {
		bool is_whole;
		const size_t taken = collect(d->line_out, &d->n_out,
		    sizeof(d->line_out), at, n, &is_whole);

		if (is_whole)
			reply(r);
		at += taken;
		n -= taken;
	}
}
