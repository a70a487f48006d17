/*
 * tools/sluice/model_reader.h - features of documents, each read by a process
 * that is used once and holds nothing else.
 */
#ifndef SLUICE_TOOLS_MODEL_READER_H
#define SLUICE_TOOLS_MODEL_READER_H

#include "worker/mef/model.h"

struct model_reader;

/*
 * To be made before the model, since every reading forks its maker's copy.
 * is_list: documents are texts of one feature a line.
 * Dies if there is no memory or process.
 */
struct model_reader *model_reader_new(enum mef_set set, bool is_list);
struct model_reader *model_reader_free(struct model_reader *reader);
DEFINE_CLEANUP(struct model_reader *, model_reader_free);

/*
 * Read one document.
 *
 * ret_bag     the caller's
 * ret_digest  SHA-256 of its octets
 * ret_bytes   its length
 * err         what is wrong, with the path
 *
 * Returns 0; -EPROTO: its reader died, which is a fault of ours to be
 * reported; -EFBIG: larger than MEF_DOCUMENT_MAX; -ENAMETOOLONG; or -errno as
 * open(2), mmap(2).  Blocks.
 */
int model_reader_read(struct model_reader *reader, const char *path,
    struct mef_bag **ret_bag, struct digest *ret_digest, uint64_t *ret_bytes,
    char *err, size_t err_size);

#endif
