/*
 * tools/sluice/judges.h - the judging roles of a worker, started for a
 * command: message in, judgement out.
 */
#ifndef SLUICE_TOOLS_JUDGES_H
#define SLUICE_TOOLS_JUDGES_H

#include "worker/wire.h"

#include <stdbool.h>
#include <stdint.h>

struct judges;

/*
 * conf_path: for the roles, borrowed; links: its links.enabled.
 * Returns 0 or -errno.
 */
int judges_start(const char *conf_path, bool links, struct judges **ret_judges);
/* Ends the roles.  NULL is allowed.  Blocks for 2 s at most. */
struct judges *judges_end(struct judges *judges);

/*
 * Give one message: a sealed memfd, which stays the caller's.
 * Returns 0; -EAGAIN: busy, receive first; -EPIPE: the roles died; -errno.
 */
int judges_send(struct judges *judges, uint64_t job, const char *name, int fd,
    uint64_t bytes);

/*
 * Wait for a judgement, which is valid until the next call, with
 * (*ret)->evidence_bytes octets of JSON.
 * Returns 0; -EAGAIN: not yet, call again; -ETIMEDOUT; -EPIPE: the roles died;
 * -EBADMSG; or -errno.
 */
int judges_receive(struct judges *judges, uint64_t timeout_usec,
    const struct wire_judgement **ret, const char **ret_evidence);

#endif
