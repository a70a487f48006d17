/*
 * worker/job_priv.h - one message in judgement, shared by judge.c (the
 * steps), parts.c (the blobs of its reading and the scanned table), programs.c
 * (those that are programs) and evidence.c (what is written down of them).
 */
#ifndef SLUICE_WORKER_JOB_PRIV_H
#define SLUICE_WORKER_JOB_PRIV_H

#include "common/clock.h"
#include "common/digest.h"
#include "worker/answer.h"
#include "worker/judge.h"
#include "worker/policy.h"
#include "worker/wire.h"

#include <stdbool.h>
#include <sys/queue.h>
#include <uthash.h>

struct behind;
struct caller;
struct callers;
struct cells;
struct clamd;
struct clamd_scan;
struct event;
struct fetcher;
struct job;
struct metrics;
struct opinion;
struct programs;
struct reading;
struct runs;
struct spam;
struct spam_check;
struct table;

/* One blob of the reading; several records of it may have the same content,
 * which is then judged once, by the first of them. */
struct job_part {
	struct job *job;
	struct digest digest;
	struct job_part *same; /* the first with this digest; NULL: this one */
	int fd;                /* its content for clamd; -1: none needed */
	bool is_claimed;       /* the scanned table waits for our answer */
	bool is_known;         /* answered by the scanned table */
	bool is_scanning;      /* clamd has it, or is to get it */
	bool is_done;
	struct engine_answer answer;
	struct engine_answer vm; /* the clones' answer, if is_run */
	bool is_run;
	bool is_run_known;     /* from the scanned table */
	char *behaviours;      /* evidence_did() of it; NULL: none */
	bool is_unrun;         /* let through without, by detonate.*_then */
	bool is_program;       /* the engine mef is asked */
	bool is_weighed;       /* and has answered: mef */
	bool is_to_run;        /* clones decide what its mef counts for */
	bool is_opinion_known; /* from the scanned table */
	struct engine_answer mef;
	struct opinion *opinion; /* NULL: none */
	enum policy_action action;
	const char *why;   /* the policy's words */
	UT_hash_handle hh; /* by digest */
};

enum job_engine {
	JOB_READING,
	JOB_POLICY,
	JOB_CLAMD,
	JOB_SPAM,
	JOB_MEF,
	JOB_FLOW,
	JOB_VM,    /* asked when all others have answered */
	JOB_LINKS, /* and these then */
	JOB_ENGINES
};

struct job {
	LIST_ENTRY(job) link;
	STAILQ_ENTRY(job) turn; /* in its room */
	struct judge *judge;
	struct wire_job info;
	int fd;
	struct mono begun;
	unsigned int pending; /* questions that have no answer yet */
	struct reading *reading;
	struct job_part *parts; /* one for each part of the reading */
	struct job_part *by_digest;
	struct job_part **asked; /* the different ones, in order */
	size_t n_asked;
	struct job_part **wanted;  /* those that clamd is to judge, in order */
	size_t n_wanted, n_sent;   /* of these, taken from the front */
	unsigned int n_scanning;   /* clamd has them */
	bool is_raw_scanning;      /* clamd has the whole message */
	uint64_t scan_usec;        /* that its answers took, added up */
	struct engine_answer lost; /* the last unknown(system); engine "" */
	struct engine_answer stop; /* of parts that are no more sent; "" */
	uint64_t inquiry;          /* first number of its table_lookup()s */
	size_t inquiries;
	struct event *patience;     /* for what others judge */
	char context[96];           /* clamd_context() then; "": no table */
	struct job_part **programs; /* the different ones, in order */
	size_t n_programs, n_begun, n_asking;
	bool is_choosing;     /* which of them is begun next */
	bool is_running;      /* its files had their turn with the clones */
	bool is_long;         /* it waits for what takes long: its reading's
				 octets are in long_bytes, not in open_bytes */
	struct behind *links; /* of the mail that are fetched */
	size_t n_links;
	struct caller *caller; /* its connection; NULL: not asked for */
	struct behind *behind; /* the link whose file this is; NULL: a mail */
	bool is_asked[JOB_ENGINES];
	struct engine_answer answers[JOB_ENGINES];
};

/* Readings stay in memory until their job ends; what they hold together is
 * bounded: the next ones are read when others have gone. */
struct job_room {
	STAILQ_HEAD(, job) unread;
	uint64_t open_bytes;
};

struct judge {
	struct event_base *base;
	const struct conf *conf;
	struct cells *cells;
	struct clamd *clamd; /* NULL: not among worker.engines */
	struct spam *spam;
	struct callers *callers;
	struct policy *policy;
	struct programs *programs; /* likewise */
	struct table *table;
	struct runs *runs;
	struct metrics *metrics; /* NULL: count nothing */
	uint64_t last_inquiry;
	LIST_HEAD(, job) jobs;
	/* Mail, and files behind links: these never wait for mail, which
	 * waits for them. */
	struct job_room rooms[2];
	struct fetcher *fetcher; /* NULL: links are left alone */
	size_t n_long;           /* jobs that wait for clones or links */
	uint64_t long_bytes;     /* of their readings */
	judge_done *done;
	judge_lost *lost;
	judge_long *is_long; /* NULL: nobody wants to know */
	void *arg;
	/* A judgement as it goes out: the struct, then the evidence. */
	union {
		struct wire_judgement judgement;
		char room[sizeof(struct wire_judgement) + WIRE_EVIDENCE_MAX];
	} out;
};

/* Engine e has said one more thing of this message: the worst counts. */
void job_merge(
    struct job *job, enum job_engine e, const struct engine_answer *answer);

/* One question fewer (job->pending); with the last one the judgement is
 * handed over and the job is gone. */
void job_answered(struct job *job);

/* Have those read that waited for memory, as far as it goes.  Calls nobody
 * back before it returns. */
void judge_read_next(struct judge *judge);

/* From now on the job waits for what costs this process nothing: it has no
 * place among those that are judged, and others may have what it held.
 * False: too many do already (detonate.waiting, or what they hold together). */
bool judge_become_long(struct job *job);

/* Judge the file behind a link, as the mail in fd, which is now the judge's;
 * ends with behind_judged(). */
void judge_behind(struct behind *behind, int fd, uint64_t bytes);

/* The reading is there: policy for every part, clamd or the scanned table
 * for every different content. */
void parts_judge(struct job *job);
/* clamd has answered for the whole message: its large parts' turn. */
void parts_raw_scanned(struct job *job);
void parts_free(struct job *job);

/* The client of the book at conf's runtime directory. */
struct table *parts_table(struct judge *judge);

/* The engine flow: ask for the job's connection; when all have answered, have
 * its points count; when the judgement is made, have it learned from. */
void called_ask(struct job *job);
void called_add_points(struct job *job);
void called_teach(const struct job *job, const struct wire_judgement *out);

/*
 * The evidence of a finished job as JSON in one line, at most most octets
 * (WIRE_EVIDENCE_MAX or less): parts with a bad answer first
 * when there is not room for all ("parts_omitted" counts the rest).  Fresh
 * memory.
 */
char *evidence_format(const struct job *job, size_t most, size_t *ret_len);

/*
 * What a clone's run tells (len octets of JSON, of a process that has read
 * what hostile code wrote) as it goes into the evidence: ASCII in one line, at
 * most WIRE_VM_EVIDENCE_MAX octets.  Fresh memory; NULL: it is no JSON, or
 * more than that.
 */
char *evidence_did(const char *json, size_t len);

#endif
