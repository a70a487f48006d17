/*
 * tools/sluice/vm_host.h - what `sluice vm run` and `bench` share: the
 * configuration with what the command line says instead, and a sluice-vmm in
 * this very process where none runs.
 */
#ifndef SLUICE_TOOLS_VM_HOST_H
#define SLUICE_TOOLS_VM_HOST_H

#include "tools/sluice/util.h"

struct asker;
struct conf;
struct event_base;
struct vm_host;
struct vmm_ops;

struct vm_options {
	struct common_options common;
	const char *backend, *directory, *reference; /* NULL: not given */
};

/* For a command's table of options; handled by vm_option(). */
#define VM_KEY_BACKEND   300
#define VM_KEY_DIRECTORY 301
#define VM_KEY_REFERENCE 302
#define VM_KEY_OWN       303 /* from here on a command's own */
#define VM_OPTIONS \
	{"backend", VM_KEY_BACKEND, "B", 0, \
	    "clones by this back end (default: the one that works)", 0}, \
	    {"directory", VM_KEY_DIRECTORY, "DIR", 0, \
		"where the references lie (default: vm.directory)", 0}, \
	{ \
		"reference", VM_KEY_REFERENCE, "NAME", 0, \
		    "linux or wine (default: as the file is)", 0 \
	}
error_t vm_option(int key, char *arg, struct vm_options *options);

/*
 * The configuration; that of the defaults where none was named and there is
 * none.  NULL as util_conf().
 */
struct conf *vm_conf(const struct vm_options *options, int *ret_status);

/*
 * Hold clones in this process.  conf is borrowed.  Returns NULL with err.
 */
struct vm_host *vm_host_start(struct event_base *base, const struct conf *conf,
    const struct vmm_ops *ops, char *err, size_t err_size);
/* Path of its socket; borrowed. */
const char *vm_host_socket(const struct vm_host *host);
/* Ends all clones; turns the loop until they have gone. */
struct vm_host *vm_host_stop(struct vm_host *host);

#endif
