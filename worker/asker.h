/*
 * worker/asker.h - questions of one packet, answers of one packet, in their
 * order, over a local socket (SOCK_SEQPACKET) of a daemon that need not be
 * there.
 *
 * Nothing waits: it connects when there is something to ask, and what can't be
 * sent at once isn't.
 */
#ifndef SLUICE_WORKER_ASKER_H
#define SLUICE_WORKER_ASKER_H

#include <stddef.h>
#include <stdint.h>

#define ASKER_TEXT_MAX 2048 /* octets of a question, and of an answer */
/* Questions without an answer at a time; a daemon that hangs gets no more. */
#define ASKER_OPEN_MAX 1024

struct asker;
struct asker_question;
struct event_base;

struct asker *asker_new(struct event_base *base, const char *path);
/* Calls nobody back.  NULL is allowed.  Returns NULL. */
struct asker *asker_free(struct asker *asker);

/*
 * error   0; -ETIMEDOUT; -EAGAIN: it takes no more questions; -EPIPE: it went
 *         away; -EBADMSG: it said more than it may; -errno as connect(2)
 * answer  NUL-terminated, borrowed; with an error NULL
 */
typedef void asker_done(void *arg, int error, const char *answer);

/*
 * Ask.  done is called once, never before this returns; NULL: nobody wants to
 * know.  timeout_usec: until the answer has come.
 *
 * Returns what asker_forget() takes, until done has been called; NULL for
 * done NULL.
 */
struct asker_question *asker_ask(struct asker *asker, const char *text,
    uint64_t timeout_usec, asker_done *done, void *arg);

/* done won't be called any more. */
void asker_forget(struct asker_question *question);

#endif
