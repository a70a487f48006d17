/*
 * tools/sluice/vm.h - the sub-commands of `sluice vm`, one file each.
 */
#ifndef SLUICE_TOOLS_VM_H
#define SLUICE_TOOLS_VM_H

#include "tools/sluice/command.h"

#include <jansson.h>
#include <stdio.h>

struct conf;
struct spool;

command_main vm_bench;
command_main vm_list;
command_main vm_report;
command_main vm_run;
command_main vm_reference;

/*
 * The newest run of a file that is kept in the spool's journals, or else the
 * newest answer from the scanned table, as `vm report --json` prints it.
 *
 * hash  SHA-256 in lower case, or the beginning of one
 * ret   the caller's reference; untouched on failure
 *
 * Returns 0; -ENODATA: none; or -errno of a journal that can't be read.
 * Blocks while all journals are read.
 */
int vm_report_find(const struct spool *spool, const char *hash, json_t **ret);

/*
 * What the hypervisor's ledger says of the domains of vm.directory, an array
 * of objects; empty where the back end keeps none, or nobody may read it.
 * Blocks for some answers of xenstored.
 */
json_t *vm_owned(const struct conf *conf);
/* As a table; nothing, if it is empty. */
void vm_owned_print(const json_t *list, FILE *out);

#endif
