/*
 * worker/proof.h - does a known virus still come through the sandbox to the
 * engines?  A reader that a filter or a limit has silenced would find nothing
 * in any mail and call it clean; so the engines role judges one message with
 * EICAR before the first real one.
 */
#ifndef SLUICE_WORKER_PROOF_H
#define SLUICE_WORKER_PROOF_H

#include <stdbool.h>
#include <stddef.h>

struct wire_job;
struct wire_judgement;

/*
 * The message, as a sealed memfd that the caller owns, and what to say of it
 * in *ret_job.  Returns the descriptor or -errno.
 */
int proof_message(struct wire_job *ret_job);

/* Is this the judgement of that message? */
bool proof_is_mine(const struct wire_judgement *judgement);

enum proof {
	PROOF_HOLDS,
	PROOF_CLAMD_IS_BLIND, /* its signatures lack EICAR: say so, loudly */
	PROOF_CELL_IS_BLIND,  /* a cell doesn't show it: judge no mail */
};

/*
 * Was it found?  The cell must have shown the attachment, octet for octet,
 * and clamd, if it was asked and answered, must have found the virus.  clamd
 * being away proves nothing and is no failure: no mail passes without it.
 * Unless it holds, err says what is wrong and what to do.
 */
enum proof proof_of(const struct wire_judgement *judgement,
    const char *evidence, char *err, size_t err_size);

#endif
