/*
 * tools/load/send.h - the sender: keeps a plan's pace over its connections
 * and doesn't lose count when the server dies.
 */
#ifndef LOAD_SEND_H
#define LOAD_SEND_H

#include "message.h"
#include "plan.h"
#include "smtp_client.h"

struct send_options {
	struct plan_options plan;
	struct message_options message;
	struct smtp_client_options client;
	const char *corpus_dir; /* NULL: none */
	const char *list;
	const char *corpus_class;
	const char *log;
	unsigned connections;
	uint64_t give_up_usec;  /* without any connection */
	uint64_t retry_usec;    /* after a message's first try */
	uint64_t duration_usec; /* 0: until count */
	bool no_retry;
	bool resend_broken;
	bool allow_remote;
	bool skip_bare_cr;
	bool progress;
	bool json;
};

/* Run to the end.  Returns the program's exit code. */
int send_run(struct send_options *o);

/* Read the command line, which dies on errors and on --help, and run. */
int send_main(int argc, char **argv);

#endif
