/*
 * vmm/holder_priv.h - what the files holder*.c share.
 */
#ifndef SLUICE_VMM_HOLDER_PRIV_H
#define SLUICE_VMM_HOLDER_PRIV_H

#include "common/ipc.h"
#include "common/ipc_outbox.h"
#include "vmm/ask.h"
#include "vmm/holder.h"
#include "vmm/pool_loop.h"

#include <stdbool.h>
#include <sys/queue.h>

struct conn_run;
struct event;
struct ucred;

struct conn {
	TAILQ_ENTRY(conn) link;
	struct holder *holder;
	int fd;
	pid_t pid;
	bool is_root; /* may know the names of files */
	bool is_dead; /* to be freed by the reaper */
	struct event *readable, *writable;
	struct outbox outbox;
	struct conn_run *runs; /* by the asker's number */
};

/* Which file it was: one that is replaced differs. */
struct holder_file {
	uint64_t inode, mtime_nsec, bytes;
};

struct holder_ref {
	char name[ASK_REFERENCE_MAX];
	char digest[ASK_DIGEST_MAX];
	struct holder_file file; /* of the last try to open it */
	bool is_open;
	char why[192]; /* not */
};

struct holder {
	struct event_base *base;
	struct holder_parts parts;
	struct pool_loop *loop;
	struct pool *pool;
	struct event *acceptor, *reaper, *ticker, *ender;
	TAILQ_HEAD(, conn) conns;
	size_t n_conns;
	struct holder_ref refs[ASK_REFERENCES_MAX];
	size_t n_refs;
	struct mono refs_at, end_at;
	bool is_ending;
	struct ipc_msg msg;
	struct {
		struct ask_clones head;
		struct ask_clone rows[ASK_CLONES_MAX];
	} list;
	struct {
		struct ask_chunk head;
		unsigned char octets[ASK_CHUNK_MAX];
	} chunk;
};

/* holder_refs.c: name those of the configuration; look at them.  Returns
 * whether one has come or gone. */
void holder_name_refs(struct holder *holder);
bool holder_look(struct holder *holder, struct mono now);
/* Fill in references and back end of an answer. */
void holder_tell_refs(const struct holder *holder, struct ask_clones *ret);

/* holder_conn.c */
void conn_new(struct holder *holder, int fd, const struct ucred *peer);
void conn_free(struct conn *conn);
/* Send the answer to ASK_LIST; rows: with its clones. */
void conn_list(struct conn *conn, bool rows);

#endif
