/*
 * tools/sluice/submit_spread.h - how files of the archive have spread here, in
 * numbers that name nobody.
 */
#ifndef SLUICE_TOOLS_SUBMIT_SPREAD_H
#define SLUICE_TOOLS_SUBMIT_SPREAD_H

#include "tools/sluice/submit_files.h"

struct conf;

/*
 * What the ledger says of each of the files, as it is: it is not brought up to
 * now.  Figures are an extra, so what goes wrong is said and that is all.
 *
 * Returns a new object: the "spread" of sample_meta() by SHA-256.  Blocks.
 */
json_t *submit_spread(const struct conf *conf, const char *command,
    const struct submit_files *files);

#endif
