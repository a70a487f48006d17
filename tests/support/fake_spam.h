/*
 * tests/support/fake_spam.h - a spamd or rspamd that says what a test wants.
 *
 * Listens on a free port of 127.0.0.1, in the test's own event loop.  Waits
 * for a whole request (our side ended, or Content-Length octets), keeps it,
 * sends the reply and ends the connection.
 */
#ifndef SLUICE_TESTS_FAKE_SPAM_H
#define SLUICE_TESTS_FAKE_SPAM_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct fake_spam;

/* http: a request is whole by its Content-Length, else by its end. */
struct fake_spam *fake_spam_new(struct event_base *base, bool http);
struct fake_spam *fake_spam_free(struct fake_spam *fake);

/* "127.0.0.1:PORT" */
const char *fake_spam_address(const struct fake_spam *fake);
/* What to send (borrowed); NULL: nothing, and the connection stays open. */
void fake_spam_reply(struct fake_spam *fake, const char *reply);
/* The last request, NUL-terminated; requests and the most at one time. */
const char *fake_spam_request(const struct fake_spam *fake, size_t *ret_len);
int fake_spam_requests(const struct fake_spam *fake);
int fake_spam_at_once(const struct fake_spam *fake);

#endif
