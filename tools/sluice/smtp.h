/*
 * tools/sluice/smtp.h - hand a message to an SMTP server, and learn the
 * queue id that it gave.
 */
#ifndef SLUICE_TOOLS_SMTP_H
#define SLUICE_TOOLS_SMTP_H

#include <stddef.h>

struct smtp;

/*
 * Connect to "HOST:PORT" (numeric) and greet.  reply: the server's last line
 * or why there is none, for people.
 * Returns 0; -EPROTO: the server refused; or -errno.  Blocks for 30 s at
 * most in each step.
 */
int smtp_open(
    const char *address, struct smtp **ret_smtp, char *reply, size_t size);
/* QUIT, without waiting for the answer.  NULL is allowed. */
struct smtp *smtp_close(struct smtp *smtp);

/*
 * One message; text has CR LF line ends and no line that begins with a dot.
 * Same errors; after -EPROTO the next message can be sent.
 *
 * ret_id  the queue id in sendmail's 250 reply, "" when it tells none
 */
int smtp_send(struct smtp *smtp, const char *sender, const char *rcpt,
    const char *text, char *ret_id, size_t id_size, char *reply, size_t size);

#endif
