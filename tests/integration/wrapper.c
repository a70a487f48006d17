/*
 * wrapper SPOOL FEEDS TEXT - stands in for feed and worker: takes every message
 * of in/ to feed1, encloses it in the warning of file TEXT, and moves it to
 * out/, with a journal of its own.  Prints how many.
 */
#include "common/cleanup.h"
#include "common/io.h"
#include "queues/event.h"
#include "queues/journal.h"
#include "queues/move.h"
#include "queues/wrap.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static void
must(int r, const char *what, const char *id)
{
	if (r == 0)
		return;
	(void)fprintf(stderr, "wrapper: %s %s: %s\n", what, id, strerror(-r));
	exit(1);
}

static void
take(const struct spool *spool, enum spool_dir dir, const char *id,
    struct claim *ret)
{
	const char *reason = NULL;

	must(claim_take(spool, dir, id, ret, &reason), "claim", id);
}

static void
move(const struct spool *spool, struct journal *journal, struct claim *claim,
    enum spool_dir to, const char *verdict)
{
	CLEANUP(free_ptr) char *line = NULL;
	struct event event = {.kind = EVENT_MOVE,
	    .t = wall_now(),
	    .from = claim->dir,
	    .to = to,
	    .bytes = claim->qf_bytes + claim->df_bytes,
	    .verdict = verdict,
	    .reason = verdict ? "asked for by hand" : NULL};
	struct move m = {.claim = claim, .to = to};

	memcpy(event.id, claim->id, sizeof(event.id));
	m.line = line = event_format(&event);
	must(move_batch(spool, journal, &m, 1), "move", claim->id);
	claim_drop(claim);
}

static void
pass(const struct spool *spool, struct journal *journal, const char *id,
    const char *text)
{
	const char *reason = NULL;
	struct claim claim;

	take(spool, SPOOL_IN, id, &claim);
	move(spool, journal, &claim, SPOOL_FEED1, NULL);
	take(spool, SPOOL_FEED1, id, &claim);
	must(wrap_message(spool, &claim, text, &reason), "wrap", id);
	move(spool, journal, &claim, SPOOL_OUT, "warn");
}

int
main(int argc, char **argv)
{
	CLEANUP(spool_freep) struct spool *spool = NULL;
	CLEANUP(journal_closep) struct journal *journal = NULL;
	CLEANUP(free_ptr) char *text = NULL;
	char err[512] = "";
	const struct dirent *e;
	size_t len;
	int n = 0;
	DIR *d;

	if (argc != 4)
		return 100;
	if (spool_open(argv[1], strtoul(argv[2], NULL, 10), &spool, err,
		sizeof(err)) < 0) {
		(void)fprintf(stderr, "wrapper: %s\n", err);
		return 1;
	}
	must(journal_open(spool, "wrapper", &journal), "journal", "");
	must(read_file(AT_FDCWD, argv[3], WRAP_TEXT_MAX, &text, &len), "text",
	    argv[3]);
	d = fdopendir(openat(
	    spool->fds[SPOOL_IN], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	while (d && (e = readdir(d))) {
		const char *id = spool_id_of(e->d_name, "qf");

		if (!id)
			continue;
		pass(spool, journal, id, text);
		n++;
	}
	(void)printf("%d\n", n);
	return d ? closedir(d) : 1;
}
