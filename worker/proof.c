#include "worker/proof.h"

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/io.h"
#include "worker/wire.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* A number that deliver, who counts from 1, does not reach. */
#define PROOF_JOB UINT64_MAX

/* The EICAR test file, in two halves so that no scanner takes this one for
 * it. */
#define EICAR_FRONT "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD"
#define EICAR_BACK  "-ANTIVIRUS-TEST-FILE!$H+H*"

static const char front[] =
    "Received: from localhost\n"
    "From: sluice@localhost\n"
    "Subject: self-test\n"
    "MIME-Version: 1.0\n"
    "Content-Type: multipart/mixed; boundary=\"self-test\"\n"
    "\n"
    "--self-test\n"
    "Content-Type: application/octet-stream\n"
    "Content-Disposition: attachment; filename=\"self-test.bin\"\n"
    "\n";
static const char back[] = "\n--self-test--\n";

int
proof_message(struct wire_job *ret_job)
{
	CLEANUP(free_ptr)
	char *text =
	    xasprintf("%s%s%s%s", front, EICAR_FRONT, EICAR_BACK, back);
	CLEANUP(close_fd) int fd = memfd_new("self-test");
	int r;

	if (fd < 0)
		return fd;
	*ret_job = (struct wire_job){
	    .job = PROOF_JOB, .bytes = strlen(text), .afresh = 1};
	(void)strcpy(ret_job->id, "self-test");
	r = write_all(fd, text, strlen(text));
	if (r == 0)
		r = memfd_seal(fd);
	return r < 0 ? r : TAKE_FD(fd);
}

bool
proof_is_mine(const struct wire_judgement *judgement)
{
	return judgement->job == PROOF_JOB;
}

static const struct engine_answer *
answer_of(const struct wire_judgement *judgement, const char *engine)
{
	for (uint32_t i = 0; i < judgement->n_answers; i++)
		if (strcmp(judgement->answers[i].engine, engine) == 0)
			return &judgement->answers[i];
	return NULL;
}

/* Its hash is ours and its place is the cell's: only what the cell showed
 * stands in the evidence. */
static bool
is_shown(const struct wire_judgement *judgement, const char *evidence)
{
	const size_t len = strlen(EICAR_FRONT) + strlen(EICAR_BACK);
	CLEANUP(free_ptr)
	char *eicar = xasprintf("%s%s", EICAR_FRONT, EICAR_BACK);
	const struct digest digest = digest_memory(eicar, len);
	char hex[DIGEST_HEX];

	return memmem(evidence, judgement->evidence_bytes,
		   digest_hex(&digest, hex), DIGEST_HEX - 1) != NULL;
}

enum proof
proof_of(const struct wire_judgement *judgement, const char *evidence,
    char *err, size_t err_size)
{
	const struct engine_answer *reading = answer_of(judgement, "reading");
	const struct engine_answer *clamd = answer_of(judgement, "clamd");

	if (!reading || !is_shown(judgement, evidence)) {
		(void)snprintf(err, err_size,
		    "self-test: a cell does not show EICAR: %s; its sandbox "
		    "or a budget keeps it from reading",
		    reading && *reading->reason ? reading->reason
						: "no such part");
		return PROOF_CELL_IS_BLIND;
	}
	if (clamd && clamd->answer == ANSWER_CLEAN) {
		(void)snprintf(err, err_size,
		    "self-test: clamd calls EICAR clean: see that its "
		    "signatures are whole (freshclam)");
		return PROOF_CLAMD_IS_BLIND;
	}
	return PROOF_HOLDS;
}
