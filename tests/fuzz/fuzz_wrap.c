/* Whatever control file is taken, the one of the wrapped message is another of
 * the same envelope, with one description of its body: ours. */
#include "queues/qf.h"
#include "queues/qf_priv.h"
#include "queues/wrap_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same_text(const char *a, const char *b)
{
	assert((a == NULL) == (b == NULL));
	assert(!a || strcmp(a, b) == 0);
}

static void
same_envelope(const struct qf *a, const struct qf *b)
{
	same_text(a->sender, b->sender);
	same_text(a->client, b->client);
	assert(a->created.usec == b->created.usec);
	assert(a->recipients == b->recipients && a->n_rcpt == b->n_rcpt);
	for (size_t i = 0; i < a->n_rcpt; i++)
		same_text(a->rcpt[i], b->rcpt[i]);
}

static void
one_body(const struct qf *qf, const struct wrap_form *form)
{
	const char *p = qf->headers, *end = p + qf->headers_len;
	int types = 0, others = 0;

	while (p < end) {
		const struct qf_record rec = qf_next_record(&p, end);

		if (qf_is_named(rec.text, rec.len, "Content-Type")) {
			types++;
			assert(memmem(rec.text, rec.len, form->boundary,
			    strlen(form->boundary)));
		} else if (rec.len >= 8 &&
			   strncasecmp(rec.text, "Content-", 8) == 0) {
			others++;
		}
		assert(!qf_is_named(rec.text, rec.len, "DKIM-Signature"));
	}
	assert(types == 1 && others == 1); /* the encoding */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct wrap_form form = {WRAP_BOUNDARY_START
	    "0123456789abcdef0123456789abcdef",
	    size % 2 == 1};
	const char *reason = NULL;
	struct qf *old = NULL, *new = NULL;
	char *text = NULL;
	size_t len;

	if (qf_parse((const char *)data, size, &old, &reason) < 0)
		return 0;
	assert(wrap_make_qf((const char *)data, size, &form, &text, &len) == 0);
	assert(len <= size + 512);
	assert(qf_parse(text, len, &new, &reason) == 0);
	same_envelope(old, new);
	assert(new->eight_bit || !form.eight_bit);
	one_body(new, &form);
	(void)qf_free(old);
	(void)qf_free(new);
	free(text);
	return 0;
}
