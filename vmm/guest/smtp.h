/*
 * vmm/guest/smtp.h - a mail server (RFC 5321) that takes everything and
 * delivers nothing.  Pure.
 */
#ifndef SLUICE_VMM_GUEST_SMTP_H
#define SLUICE_VMM_GUEST_SMTP_H

#include <stdbool.h>
#include <stddef.h>

#define SMTP_LINE_MAX    512 /* RFC 5321 4.5.3.1.4; the rest is dropped */
#define SMTP_ADDRESS_MAX 257 /* RFC 5321 4.5.3.1.3, and the end */
#define SMTP_GREETING    "220 mail ESMTP\r\n"

struct smtp {
	char line[SMTP_LINE_MAX];
	size_t n;
	bool is_data;
};

/*
 * Take one octet.  Returns the reply if a line is complete that has one, else
 * NULL.  ret_to gets the address of a recipient, else "".
 */
const char *smtp_octet(
    struct smtp *smtp, char octet, char ret_to[SMTP_ADDRESS_MAX]);

/* Did the last reply end the session? */
bool smtp_is_over(const char *reply);

#endif
