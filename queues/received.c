#include "queues/received.h"

#include "queues/qf.h"
#include "queues/qf_priv.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define BEFORE "\t(client ["
#define MIDDLE "] port "

/* sendmail marks IPv6 as RFC 5321 does.  Returns the end of the address in
 * text, which ends with "]", or NULL; all forms of one become the same. */
static const char *
read_address(const char *text, char ret[RECEIVED_ADDRESS])
{
	const char *end = strchr(text, ']');
	char copy[RECEIVED_ADDRESS] = "";
	unsigned char octets[16];
	int family = AF_INET;

	if (strncmp(text, "IPv6:", 5) == 0) {
		text += 5;
		family = AF_INET6;
	}
	if (!end || end < text || (size_t)(end - text) >= sizeof(copy))
		return NULL;
	memcpy(copy, text, (size_t)(end - text));
	if (inet_pton(family, copy, octets) != 1 ||
	    !inet_ntop(family, octets, ret, RECEIVED_ADDRESS))
		return NULL;
	return end;
}

/* "host [ADDRESS]", perhaps with " (may be forged)" behind it. */
static bool
read_connected(const char *client, char ret[RECEIVED_ADDRESS])
{
	const char *open = client ? strrchr(client, '[') : NULL;

	return open && read_address(open + 1, ret);
}

static bool
read_port(const char *text, const char *end, uint16_t *ret)
{
	char *stop;
	const unsigned long port = strtoul(text, &stop, 10);

	if (*text < '1' || *text > '9' || port > UINT16_MAX ||
	    stop + 1 != end || *stop != ')')
		return false;
	*ret = (uint16_t)port;
	return true;
}

/* The topmost field named Received; its second line, or NULL. */
static const char *
second_line(const struct qf *qf, const char **ret_end)
{
	const char *p = qf->headers, *end = p + qf->headers_len;

	while (p < end) {
		const struct qf_record field = qf_next_record(&p, end);
		const char *last = field.text + field.len, *line, *stop;

		if (!qf_is_named(field.text, field.len, "Received"))
			continue;
		line = memchr(field.text, '\n', field.len);
		if (!line++)
			return NULL;
		stop = memchr(line, '\n', (size_t)(last - line));
		*ret_end = stop ? stop : last;
		return line;
	}
	return NULL;
}

bool
received_client(
    const struct qf *qf, char ret_address[RECEIVED_ADDRESS], uint16_t *ret_port)
{
	const char *end = NULL, *line = second_line(qf, &end), *at;
	char address[RECEIVED_ADDRESS], connected[RECEIVED_ADDRESS];
	uint16_t port;

	/* All of this stops at the end of the line at the latest, which
	 * neither "]" nor a digit is. */
	if (!line || strncmp(line, BEFORE, strlen(BEFORE)) != 0)
		return false;
	at = read_address(line + strlen(BEFORE), address);
	if (!at || strncmp(at, MIDDLE, strlen(MIDDLE)) != 0 ||
	    !read_port(at + strlen(MIDDLE), end, &port))
		return false;
	if (!read_connected(qf->client, connected) ||
	    strcmp(address, connected) != 0)
		return false;
	(void)strcpy(ret_address, address);
	*ret_port = port;
	return true;
}
