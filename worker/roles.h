/*
 * worker/roles.h - the roles that a worker's parent re-executes, each the
 * whole life of a process: they return its exit status.
 */
#ifndef SLUICE_WORKER_ROLES_H
#define SLUICE_WORKER_ROLES_H

struct conf;

/* Descriptor 3: deliver (or `sluice scan`); 4: the scan role; 5: vmm; then
 * fetch and archive, where there are these (worker/family.h). */
int engines_role(const struct conf *conf, unsigned int k);

/* Descriptor 3: engines.  Answers what hypervisor there is. */
int vmm_role(const struct conf *conf);

/* Descriptor 3: engines.  Writes the archive of files. */
int archive_role(const struct conf *conf);

/* Descriptor 3: engines. */
int deliver_role(const struct conf *conf, unsigned int k);

#endif
