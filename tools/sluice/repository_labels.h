/*
 * tools/sluice/repository_labels.h - the file of labels: who said of which
 * file what it is, and when.
 *
 * A text that only grows, a line a decision; the last one of a file counts:
 *
 *   2026-11-29T15:55:30Z SHA256 malicious WHO NOTE...
 *
 * It may be edited by hand while nobody else works on the repository.
 */
#ifndef SLUICE_TOOLS_REPOSITORY_LABELS_H
#define SLUICE_TOOLS_REPOSITORY_LABELS_H

#include "tools/sluice/repository.h"

/* Octets of a line; longer notes are refused. */
#define LABEL_LINE_MAX 1024

struct label_line {
	const char *time;
	struct digest digest;
	enum sample_label label;
	const char *by, *note; /* without blanks; a text, perhaps "" */
};

/*
 * Take one line apart, in place.  Returns 0, or -EBADMSG: it is none.  Pure.
 */
int label_parse(char *text, struct label_line *ret_line);

/*
 * Call fn for each line, in their order.  What a crash has left at the end,
 * a line without its end, is nothing.  Returns a status after saying why:
 * a line that is none must be mended first.
 */
typedef void label_fn(void *arg, const struct label_line *line);
int labels_read(const struct repository *repository, label_fn *fn, void *arg);

/*
 * Append lines, each with its end, and sync.  The repository must be locked.
 * 0 or -errno as write(2), fsync(2).  Blocks.
 */
int labels_append(
    const struct repository *repository, const char *lines, size_t n);

#endif
