/*
 * worker/mef/model.h - counts of features in malicious and benign documents,
 * one file, and what they say of a document.
 *
 * A model is a linear sketch: adding a document adds 1 to fixed cells, so
 * documents and whole models can be added and removed in any order and any
 * grouping and the octets of the counts are the same
 * (docs/decisions/0011-mef-model.md).  Knows no parser.  Not thread-safe but
 * for models that nobody changes, which any number may read.
 */
#ifndef SLUICE_WORKER_MEF_MODEL_H
#define SLUICE_WORKER_MEF_MODEL_H

#include "common/digest.h"
#include "worker/mef/bag.h"
#include "worker/mef/extract.h"

#include <stdbool.h>

enum mef_class { MEF_BENIGN, MEF_MALICIOUS, MEF_CLASSES };

#define MEF_MAGIC  "SLUICMEF"
#define MEF_FORMAT 1u

/* A feature counts in this many cells and is the least of them. */
#define MEF_ROWS 2u

/* Documents of a class: their number fits every cell, so none overflows. */
#define MEF_DOCUMENTS_MAX UINT32_MAX

/* Largest model that is read or made, in octets, and the default's bound. */
#define MEF_FILE_MAX (UINT64_C(4) << 30)

/* Flags of a header. */
#define MEF_PRUNED 1u /* a published view: rare features are gone */

/* Numbers of a file are little-endian; hosts of other order are refused. */
struct mef_cell {
	uint32_t n[MEF_CLASSES];
};

struct mef_table {
	uint64_t offset; /* from the beginning of the file, multiple of 4096 */
	uint64_t n[MEF_CLASSES]; /* documents that have a feature of it */
	uint32_t log_cells; /* 2^this cells; 0: the set lacks this family */
	uint32_t reserved;  /* 0 */
};

/* A document that was learned, and how often as what. */
struct mef_known {
	struct digest digest; /* SHA-256 of its octets */
	uint32_t n[MEF_CLASSES];
};

/*
 * Where malicious begins.  Not counted but chosen on held-out documents, and
 * so replaced as a whole, never added (decision 0011).  Millionths, since
 * floating point would not be the same octets everywhere.
 */
struct mef_point {
	int64_t threshold; /* score, log-odds, at which P(malicious) = 0.5 */
	int64_t slope;     /* of P's logit over the score, above 0 */
};

/* The file: this, the tables, the known documents.  Nothing in between. */
struct mef_head {
	char magic[8]; /* MEF_MAGIC without its NUL */
	uint32_t format;
	uint32_t set;     /* enum mef_set */
	uint32_t flags;   /* MEF_PRUNED */
	uint32_t floor;   /* of a pruned one: least n that was kept, else 0 */
	uint64_t release; /* 0: not published; grows by publication */
	uint64_t file_bytes;
	uint64_t n_documents[MEF_CLASSES];
	uint64_t known_offset, n_known;
	uint64_t moments_offset; /* int64_t sums of products, see moments.h */
	uint32_t moments_dims;   /* 0: the set has none */
	uint32_t reserved;       /* 0 */
	struct mef_point point;
	struct mef_table tables[MEF_FAMILIES];
	struct digest base;   /* counts of the release before; 0: none */
	struct digest counts; /* SHA-256 of all octets from 4096 on */
	struct digest head;   /* SHA-256 of this struct with zeroes here */
};

struct mef_model;

/*
 * An empty master.  log_cells 0: the default sizes, a file below 128 MB; else
 * every table has 2^log_cells cells (10 to 26; for tests and small machines).
 * Dies if there is no memory.
 */
struct mef_model *mef_model_new(enum mef_set set, unsigned int log_cells);
struct mef_model *mef_model_free(struct mef_model *model);
DEFINE_CLEANUP(struct mef_model *, mef_model_free);

/*
 * Map a model file read-only; all processes share one copy of it.  The
 * checksums are verified, which reads all of the file.
 *
 * fd   a regular file, borrowed for the call; a writer replaces files and
 *      never changes them
 * err  what is wrong, for a person; untouched on success
 *
 * Returns 0; -EBADMSG: no model of this format or damaged; -EFBIG; or -errno
 * as fstat(2), mmap(2).  Blocks.
 */
int mef_model_open_fd(
    int fd, struct mef_model **ret_model, char *err, size_t err_size);
int mef_model_open(
    const char *path, struct mef_model **ret_model, char *err, size_t err_size);

/* What the file says of itself.  The digests are those of the last save. */
const struct mef_head *mef_model_head(const struct mef_model *model);

/* The cells of a family, 2^log_cells of them; NULL: the set lacks it. */
const struct mef_cell *mef_model_cells(
    const struct mef_model *model, enum mef_family family);
/* The known documents, ascending by digest, n_known of the head. */
const struct mef_known *mef_model_known(const struct mef_model *model);

/*
 * Learn or unlearn one document.  A model that was opened gets a private copy
 * of the pages that change.
 *
 * digest  SHA-256 of the document's octets
 *
 * Returns 0; -EROFS: the model is pruned; -EOVERFLOW: MEF_DOCUMENTS_MAX
 * documents of the class; remove also -ENOENT: that document was never
 * learned as that class, and -EINVAL: its features were not counted, so the
 * bag is of another extraction.  On failure nothing has changed.
 */
int mef_model_add(struct mef_model *model, const struct mef_bag *bag,
    const struct digest *digest, enum mef_class class);
int mef_model_remove(struct mef_model *model, const struct mef_bag *bag,
    const struct digest *digest, enum mef_class class);

/*
 * Add or take away all that other has learned.  The operating point, release
 * and base stay the model's own.
 * Returns as above; -EINVAL: sets or sizes of tables differ, or other is no
 * part of model.  On failure nothing has changed.
 */
int mef_model_merge(struct mef_model *model, const struct mef_model *other);
int mef_model_subtract(struct mef_model *model, const struct mef_model *other);

/*
 * Make a published view: cells of fewer than floor documents of both classes
 * together become 0, and known documents that are benign alone are dropped.
 * Nothing can be learned afterwards.  Returns 0, -EROFS: it is one; -ENOMEM.
 */
int mef_model_prune(struct mef_model *model, uint32_t floor);

void mef_model_set_point(struct mef_model *model, struct mef_point point);
/* Publication: its number, and the counts of the release that it follows. */
void mef_model_set_release(
    struct mef_model *model, uint64_t release, const struct digest *base);

/*
 * Write the whole file under a fresh name beside path, sync, rename: readers
 * see the old one or the new one.  Cells that are zero take no disk.
 * Returns 0 or -errno as open(2), write(2), fsync(2), rename(2).  Blocks.
 */
int mef_model_save(struct mef_model *model, const char *path);

enum mef_label { MEF_IS_BENIGN, MEF_IS_MALICIOUS, MEF_IS_BORDERLINE };
/* "benign", "malicious", "borderline". */
extern const char *const mef_label_names[];

struct mef_score {
	double family[MEF_FAMILIES]; /* log-odds, natural logarithm */
	double total;                /* their exact sum */
	double p_malicious;          /* p_benign is 1 - this */
	bool is_known;               /* by its digest: p is 0 or 1 */
};

/*
 * Solve the weights that scores need, after the last change.  Takes up to a
 * second, nothing when they are there.
 */
void mef_model_solve(struct mef_model *model);

/*
 * Judge a finished bag, by a model that is solved.  digest NULL: known
 * documents are not looked at. Pure: no clock, no input but the arguments.  A
 * bag without any feature has the score of the priors.
 */
void mef_model_score(const struct mef_model *model, const struct mef_bag *bag,
    const struct digest *digest, struct mef_score *ret_score);

/* |P(malicious) - P(benign)| of at most band (0 to 1) is borderline. */
enum mef_label mef_label_of(const struct mef_score *score, double band);

/* The paper's band: 51.25 to 48.75. */
#define MEF_BAND_DEFAULT 0.025

#endif
