/*
 * tools/load/message.h - one message on its way: identity, content as a
 * stream, and what was sent of it.
 */
#ifndef LOAD_MESSAGE_H
#define LOAD_MESSAGE_H

#include "plan.h"
#include "wire.h"

struct evbuffer;

/* What all messages of a run share. */
struct message_options {
	uint64_t seed;
	struct sizes sizes;
	const char *domain;
	const char *recipient; /* NULL: one of a hundred in domain */
};

struct message {
	char id[48];
	char *sender;
	char *recipient;
	char *header; /* "X-Traffic-Id: …\r\n" */
	struct wire_out wire;
	struct buf composed;
	size_t composed_sent;
	int fd;        /* of a corpus file, or -1 */
	bool is_whole; /* the last attempt encoded all of it */
};

/*
 * Begin to send a job: compose its content or open its file.  The same job
 * gives the same body each time.  Returns 0 and the message, or -errno (the
 * file can't be opened).
 */
int message_open(const struct message_options *o, const struct job *job,
    struct message **ret_message);

/*
 * Encode some more of it (some 64 KiB) to the end of out.  Sets *ret_end when
 * it was the last.  0 or -errno (the file can't be read).  Blocks on the disk.
 */
int message_pull(struct message *m, struct evbuffer *out, bool *ret_end);

struct message *message_free(struct message *m); /* returns NULL */

#endif
