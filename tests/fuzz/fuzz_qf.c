#include "queues/qf.h"
#include "queues/received.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* sendmail's quoting (0xff) makes any name of others, but only when it sends:
 * what it holds back it knows by the octets in the file. */
static bool
has_quotes(const uint8_t *data, size_t size)
{
	return memchr(data, 0xff, size) != NULL;
}

/* Whatever is in the file, what comes out is an address and a port. */
static void
check_client(const struct qf *qf)
{
	char address[RECEIVED_ADDRESS] = "";
	unsigned char octets[16];
	uint16_t port = 0;

	if (!received_client(qf, address, &port))
		return;
	assert(port > 0 && qf->client && strchr(qf->client, '['));
	assert(inet_pton(AF_INET, address, octets) == 1 ||
	       inet_pton(AF_INET6, address, octets) == 1);
}

static void
check_headers(const struct qf *qf, const uint8_t *data, size_t size)
{
	char value[100];

	assert(qf->headers_len <= size + size / 2303 + 1);
	assert(strlen(qf->headers) == qf->headers_len);
	if (qf->headers_len == 0)
		return;
	/* It neither begins in the middle of a header nor ends there. */
	assert(qf->headers[qf->headers_len - 1] == '\n');
	assert(!strstr(qf->headers, "\n\n"));
	assert(has_quotes(data, size) ||
	       !qf_header(qf, "Return-Path", value, sizeof(value)));
	if (qf_header(qf, "Subject", value, sizeof(value)))
		assert(strlen(value) < sizeof(value) && !strchr(value, '\n'));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *reason = NULL;
	struct qf *qf = NULL;
	int r = qf_parse((const char *)data, size, &qf, &reason);

	if (r < 0) {
		assert(r == -EBADMSG && reason && !qf);
		return 0;
	}
	assert(memcmp(data, "V8\n", 3) == 0);
	assert(memcmp(data + size - 3, "\n.\n", 3) == 0);
	assert(qf->recipients > 0 && qf->n_rcpt <= QF_MAX_RCPT);
	assert(qf->n_rcpt <= qf->recipients);
	for (size_t i = 0; i < qf->n_rcpt; i++)
		assert(strlen(qf->rcpt[i]) < size);
	assert(strlen(qf->sender) < size);
	check_headers(qf, data, size);
	check_client(qf);
	qf_free(qf);
	return 0;
}
