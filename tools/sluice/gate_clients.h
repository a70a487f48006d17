/*
 * tools/sluice/gate_clients.h - the sessions of sendmail that ask the gate.
 *
 * One connection a session of SMTP, open until that ends.  Each question is
 * answered at once; nothing waits for a client: one that doesn't read its
 * answers, or sends what is no question, is closed.
 */
#ifndef SLUICE_TOOLS_GATE_CLIENTS_H
#define SLUICE_TOOLS_GATE_CLIENTS_H

#include "tools/sluice/gate_rule.h"

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct gate_clients;

enum gate_closing { GATE_BAD_QUESTION, GATE_TOO_MANY };

struct gate_host {
	void *arg;
	enum gate_answer (*ask)(void *arg, uint64_t bytes);
	void (*closed)(void *arg, enum gate_closing why); /* not for an end */
};

/*
 * A listening socket for user alone (NULL: for who we are), in place of what
 * has that name.  Returns the descriptor or -errno.
 */
int gate_listen(const char *path, const char *user);

/*
 * Serve listen_fd (borrowed), at most max at a time: one more is closed at
 * once.  host is copied.
 */
struct gate_clients *gate_clients_new(struct event_base *base, int listen_fd,
    size_t max, const struct gate_host *host);
struct gate_clients *gate_clients_free(struct gate_clients *clients);

size_t gate_clients_count(const struct gate_clients *clients);

#endif
