/* The control file of a wrapped message. */
#include "queues/wrap_priv.h"

#include "common/cleanup.h"
#include "queues/qf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* More than all that is added. */
#define ADDED_MAX 512

/* The longest name that is_of_body() knows, and its colon, fit. */
#define NAME_ROOM 24

struct making {
	const struct wrap_form *form;
	char *text;
	size_t len;
	bool has_flags, has_body_type, has_headers;
};

static void
put(struct making *m, const char *text, size_t len)
{
	memcpy(m->text + m->len, text, len);
	m->len += len;
}

static void
put_line(struct making *m, const char *text)
{
	put(m, text, strlen(text));
	put(m, "\n", 1);
}

/*
 * Does this header speak of the body that was, so that it would be wrong, or
 * dangerous, in front of the new one?
 */
static bool
is_of_body(const char *header, size_t len)
{
	return (len > 8 && strncasecmp(header, "Content-", 8) == 0) ||
	       (len > 4 && strncasecmp(header, "ARC-", 4) == 0) ||
	       qf_is_named(header, len, "MIME-Version") ||
	       qf_is_named(header, len, "DKIM-Signature") ||
	       qf_is_named(header, len, "DomainKey-Signature");
}

/* "H?flags?Name: value"; qf_parse() has seen both question marks. */
static void
take_header(struct making *m, const struct qf_record *rec)
{
	const char *at = memchr(rec->text + 2, '?', rec->len - 2);
	char name[NAME_ROOM];
	size_t n = 0;

	/* As it is sent, so without sendmail's quoting: it could hide a name.
	 */
	for (at++; at < rec->text + rec->len && n < sizeof(name); at++)
		if (*at != '\377')
			name[n++] = *at;
	if (is_of_body(name, n))
		return;
	put(m, rec->text, rec->len);
	put(m, "\n", 1);
}

/* The body may have octets above 127 now that were in the headers before. */
static void
take_flags(struct making *m, const struct qf_record *rec)
{
	put(m, "F", 1);
	if (m->form->eight_bit && !m->has_flags &&
	    !memchr(rec->text, '8', rec->len))
		put(m, "8", 1);
	m->has_flags = true;
	put(m, rec->text + 1, rec->len - 1);
	put(m, "\n", 1);
}

static void
end_envelope(struct making *m)
{
	if (m->form->eight_bit && !m->has_flags)
		put_line(m, "F8");
	if (m->form->eight_bit && !m->has_body_type)
		put_line(m, "B8BITMIME");
	m->has_headers = true;
}

static void
end_headers(struct making *m)
{
	char line[128];

	put_line(m, "H??MIME-Version: 1.0");
	(void)snprintf(line, sizeof(line),
	    "H??Content-Type: multipart/mixed;\n\tboundary=\"%s\"",
	    m->form->boundary);
	put_line(m, line);
	put_line(m, m->form->eight_bit ? "H??Content-Transfer-Encoding: 8bit"
				       : "H??Content-Transfer-Encoding: 7bit");
}

static void
take_record(struct making *m, const struct qf_record *rec)
{
	const char type = rec->text[0];

	if (!m->has_headers && (type == 'H' || type == '.'))
		end_envelope(m);
	if (type == '.')
		end_headers(m);
	if (type == 'H') {
		take_header(m, rec);
	} else if (type == 'F') {
		take_flags(m, rec);
	} else if (type == 'B' && m->form->eight_bit) {
		if (!m->has_body_type)
			put_line(m, "B8BITMIME");
		m->has_body_type = true;
	} else {
		put(m, rec->text, rec->len);
		put(m, "\n", 1);
	}
}

int
wrap_make_qf(const char *old, size_t len, const struct wrap_form *form,
    char **ret_text, size_t *ret_len)
{
	CLEANUP(free_ptr) char *text = malloc(len + ADDED_MAX);
	struct making m = {.form = form, .text = text};
	const char *end = old + len;

	if (!text)
		return -ENOMEM;
	while (old < end) {
		struct qf_record rec = qf_next_record(&old, end);

		take_record(&m, &rec);
	}
	*ret_len = m.len;
	*ret_text = TAKE_PTR(text);
	return 0;
}
