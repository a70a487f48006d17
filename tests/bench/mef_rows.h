/*
 * tests/bench/mef_rows.h - lists of features as the yardsticks of models see
 * them: numbers of features that two documents or more have.
 */
#ifndef SLUICE_TESTS_MEF_ROWS_H
#define SLUICE_TESTS_MEF_ROWS_H

#include "worker/mef/model.h"

#include <stddef.h>
#include <stdint.h>

struct mef_row {
	enum mef_class class;
	unsigned int fold;
	uint32_t *features; /* ascending, from 0 */
	size_t n;           /* of them */
	size_t n_all;       /* with those that no other document has */
};

struct mef_rows {
	struct mef_row *at;
	size_t n;
	unsigned int folds;
	size_t n_features;
};

/*
 * Read lines PATH, class (malicious or benign) and fold, parted by tabulators,
 * from standard input, and the lists of features that they name.  Exits with
 * status 100 or 111 after saying why.
 */
void mef_rows_read(struct mef_rows *ret_rows);
void mef_rows_done(struct mef_rows *rows);

#endif
