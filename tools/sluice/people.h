/*
 * tools/sluice/people.h - addresses as numbers, and as what may be told.
 */
#ifndef SLUICE_TOOLS_PEOPLE_H
#define SLUICE_TOOLS_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct people;

/*
 * key_path: as spread.key; "none" tells addresses as they are.
 * Returns a status after saying on standard error what is wrong with the key.
 */
int people_new(const char *key_path, struct people **ret_people);
void people_freep(struct people **people);

/*
 * A number that all spellings of one address have: letter case doesn't count.
 * 0 for "".  Good for one process: its salt is drawn anew, so nobody can
 * choose addresses that get the same.
 */
uint64_t people_number(
    const struct people *people, const char *address, size_t len);

/* What is told of an address: itself, or 16 digits that are the same as long
 * as the key is.  Fresh memory; "" stays "". */
char *people_tell(const struct people *people, const char *address, size_t len);

/* Does it tell pseudonyms? */
bool people_is_keyed(const struct people *people);

/* The next of blank-separated addresses: where it begins, and its length in
 * *ret_len, 0 at the end.  Go on behind it. */
const char *people_next(const char *list, size_t *ret_len);

#endif
