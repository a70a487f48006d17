#include "vmm/guest/smtp.h"

#include <string.h>
#include <strings.h>

#include "common/cleanup.h"

static const char bye[] = "221 bye\r\n";

static const struct {
	const char *verb, *reply;
} verbs[] = {
    {"EHLO", "250-mail\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n"},
    {"HELO", "250 mail\r\n"},
    {"AUTH", "235 ok\r\n"},
    {"DATA", "354 go on\r\n"},
    {"QUIT", bye},
    {"STARTTLS", "454 not now\r\n"},
};

bool
smtp_is_over(const char *reply)
{
	return reply == bye;
}

/* The address of RCPT TO:<a@b>, with or without brackets. */
static void
recipient(const char *line, char ret_to[SMTP_ADDRESS_MAX])
{
	const char *at = strchr(line, ':');
	size_t n;

	if (!at)
		return;
	at += 1 + strspn(at + 1, " <");
	n = strcspn(at, "> ");
	if (n >= SMTP_ADDRESS_MAX)
		n = SMTP_ADDRESS_MAX - 1;
	memcpy(ret_to, at, n);
	ret_to[n] = '\0';
}

static const char *
command(struct smtp *smtp, char ret_to[SMTP_ADDRESS_MAX])
{
	const char *line = smtp->line;

	if (smtp->is_data) {
		if (strcmp(line, ".") != 0)
			return NULL;
		smtp->is_data = false;
		return "250 taken\r\n";
	}
	if (strncasecmp(line, "RCPT", 4) == 0)
		recipient(line, ret_to);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strncasecmp(line, verbs[i].verb, strlen(verbs[i].verb)))
			continue;
		smtp->is_data = strcmp(verbs[i].verb, "DATA") == 0;
		return verbs[i].reply;
	}
	return "250 ok\r\n";
}

const char *
smtp_octet(struct smtp *smtp, char octet, char ret_to[SMTP_ADDRESS_MAX])
{
	ret_to[0] = '\0';
	if (octet != '\n') {
		if (octet != '\r' && octet && smtp->n + 1 < SMTP_LINE_MAX)
			smtp->line[smtp->n++] = octet;
		return NULL;
	}
	smtp->line[smtp->n] = '\0';
	smtp->n = 0;
	return command(smtp, ret_to);
}
