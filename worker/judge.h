/*
 * worker/judge.h - one message before all engines: the core of the engines
 * role (docs/ARCHITECTURE.md).
 *
 * A job asks a cell for its reading, clamd and the spam engine for the raw
 * message, sluice-flow for its connection, then the policy, clamd for every
 * part that the scanned table doesn't know, and the model for every program;
 * last, and if none of them has decided it, the clones.  When all have
 * answered, so always in the end, since each has a deadline, the judgement is
 * handed over.
 */
#ifndef SLUICE_WORKER_JUDGE_H
#define SLUICE_WORKER_JUDGE_H

#include <stddef.h>
#include <stdint.h>

/*
 * All of a message's parts together may take clamd so many times clamd.timeout;
 * more is a budget exceeded.  With the raw message, and the parts under way at
 * that moment, a message takes no more than JUDGE_CLAMD_MOST of them.
 */
#define JUDGE_CLAMD_TIMES 4
#define JUDGE_CLAMD_MOST  7

struct conf;
struct event_base;
struct judge;
struct wire_job;
struct wire_judgement;

/* evidence: judgement->evidence_bytes octets of JSON, one line. */
typedef void judge_done(
    void *arg, const struct wire_judgement *judgement, const char *evidence);
typedef void judge_lost(void *arg);
/* Of this job only its files' runs in clones, or what is behind its links, are
 * left, which may take long; it costs no more of this process's time until its
 * judgement. */
typedef void judge_long(void *arg, uint64_t job);

/*
 * scan_fd   socket of the scan role; borrowed
 * done      called once for each job, never before judge_submit() returns
 * lost      the scan role, or that of judge_run() or judge_fetch(), has
 *           gone: this process
 *           should end
 *
 * Returns 0; -EINVAL: the policy file or an address is wrong (err names it);
 * or -errno.  conf is borrowed for the judge's life.
 */
int judge_new(struct event_base *base, const struct conf *conf, int scan_fd,
    judge_done *done, judge_lost *lost, void *arg, struct judge **ret_judge,
    char *err, size_t err_size);
struct judge *judge_free(struct judge *judge);

/*
 * Have files run by the vmm role at vmm_fd (borrowed), where worker.engines
 * has the word vm; before the first job.
 */
void judge_run(struct judge *judge, int vmm_fd, judge_long *is_long);

/* Have copies of files that are to be labelled archived, by the archive role
 * at fd (borrowed); before the first job. */
void judge_keep(struct judge *judge, int fd);

struct metrics;
/* Count what the scanned table answers there; borrowed. */
void judge_count(struct judge *judge, struct metrics *metrics);

/*
 * Fetch what is behind links, by the fetch role at fd (borrowed), where conf
 * wants it so; before the first job.
 */
void judge_fetch(struct judge *judge, int fd, judge_long *is_long);

/* Take a job; fd now belongs to the judge.  Does not block. */
void judge_submit(struct judge *judge, const struct wire_job *info, int fd);

#endif
