/*
 * tools/sluice/sample_meta.h - what may be known of a file beside its octets,
 * on its way from a site's archive to the repository.
 *
 * Both sides make it anew from the same list of members, so that nothing else
 * leaves a site, and nothing else comes into a repository:
 *
 *   "bytes", "t_usec", "release"  numbers from 0 on
 *   "p_malicious"                 0 to 1
 *   "names"                       texts; those with an @ are left out
 *   "type", "kind", "label"       texts of printable ASCII
 *   "model"                       SHA-256 of the model's counts
 *   "families"                    log-odds by the families' names
 *   "spread"                      numbers: "copies", "blocked", "messages",
 *                                 "senders", "clients", "first_usec",
 *                                 "last_usec", "births_per_minute", "spread"
 */
#ifndef SLUICE_TOOLS_SAMPLE_META_H
#define SLUICE_TOOLS_SAMPLE_META_H

#include "common/digest.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Texts, in octets, and names; the longer and the further are left out. */
#define SAMPLE_TEXT_MAX 256
#define SAMPLE_NAMES    16

/*
 * Those members of a JSON text that are on the list.  The text may come from
 * anybody; members that are missing or not on the list are no mistake.
 *
 * with_names  false: without "names"
 * err         which member is wrong, untouched on success
 *
 * Returns a new object, or NULL: no JSON object, or a member of the list has
 * another type or is beyond its bounds.  Pure.
 */
json_t *sample_meta(
    const char *text, size_t n, bool with_names, char *err, size_t err_size);

/* Beside a file SHA256 lies SHA256.json.  Is it such a name, and of which? */
#define SAMPLE_JSON ".json"
bool sample_json_name(const char *name, struct digest *ret_digest);

#endif
