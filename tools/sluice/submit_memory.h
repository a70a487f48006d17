/*
 * tools/sluice/submit_memory.h - which files were sent to the repository.
 *
 * A text beside the archive, ARCHIVE.submitted: a line a file, its SHA-256 and
 * when it was packed, in seconds since 1970.
 */
#ifndef SLUICE_TOOLS_SUBMIT_MEMORY_H
#define SLUICE_TOOLS_SUBMIT_MEMORY_H

#include "common/cleanup.h"
#include "common/digest.h"

#include <stdbool.h>
#include <stdint.h>

/* What was packed longer ago is forgotten, and sent again should it come. */
#define SUBMIT_MEMORY_SEC (UINT64_C(366) * 86400)

struct submit_memory;

/*
 * Read it, and lock it against others that submit.
 * Returns 0; -EBUSY: another one submits; -EBADMSG: a line of it is none of
 * ours; -EFBIG; or -errno as open(2), read(2).  Blocks.
 */
int submit_memory_open(
    const char *archive, uint64_t now_sec, struct submit_memory **ret_memory);
struct submit_memory *submit_memory_free(struct submit_memory *memory);
DEFINE_CLEANUP(struct submit_memory *, submit_memory_free);

/* For messages; lives as long as the memory. */
const char *submit_memory_path(const struct submit_memory *memory);

bool submit_memory_has(
    const struct submit_memory *memory, const struct digest *digest);
/* In memory alone, until it is kept. */
void submit_memory_add(
    struct submit_memory *memory, const struct digest *digest);

/* Replace the file.  Returns 0 or -errno as put_file().  Blocks. */
int submit_memory_keep(const struct submit_memory *memory);

#endif
