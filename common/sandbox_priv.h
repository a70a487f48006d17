/*
 * common/sandbox_priv.h - the columns of the table in sandbox.c.
 */
#ifndef SLUICE_COMMON_SANDBOX_PRIV_H
#define SLUICE_COMMON_SANDBOX_PRIV_H

#include "common/sandbox.h"

/* Groups of system calls, sandbox_calls.c. */
enum sandbox_calls {
	CALLS_BASE = 1 << 0,     /* memory, time, open descriptors */
	CALLS_LOOP = 1 << 1,     /* wait for descriptors, messages on them */
	CALLS_READ = 1 << 2,     /* open, list and stat paths */
	CALLS_WRITE = 1 << 3,    /* make, rename, lock, sync and remove files */
	CALLS_INOTIFY = 1 << 4,  /* watch directories */
	CALLS_CELLS = 1 << 5,    /* fork, wait; what cells have, too, since
				    they inherit the filter */
	CALLS_UNIX = 1 << 6,     /* connect UNIX sockets */
	CALLS_INET = 1 << 7,     /* connect TCP sockets */
	CALLS_ACCEPT = 1 << 8,   /* accept on a socket that listens already */
	CALLS_WEB = 1 << 9,      /* connect to any port, ask for names */
	CALLS_FORK = 1 << 12,    /* fork, wait for it, end it */
	CALLS_THREAD = 1 << 13,  /* a thread beside the loop */
	CALLS_CAPTURE = 1 << 11, /* ask whether an interface is up */
	CALLS_VM = 1 << 10, /* start hypervisors: what these need, too, since
			      they inherit the filter */
};

/* Rights on paths, sandbox_paths.c. */
enum sandbox_rights {
	RIGHTS_NONE,
	RIGHTS_READ,   /* read files, list directories */
	RIGHTS_WRITE,  /* that, and make, change, rename, remove files */
	RIGHTS_RUN,    /* read and execute */
	RIGHTS_DEVICE, /* read, write and ioctl */
};

/* Where a path comes from. */
enum sandbox_place {
	PLACE_NONE,
	PLACE_SPOOL,
	PLACE_STATE,
	PLACE_RUNTIME,
	PLACE_CONF,     /* the directory of the configuration file */
	PLACE_POLICY,   /* the directory of the policy's rules */
	PLACE_DATABASE, /* clamd's signatures */
	PLACE_REFERENCES,
	PLACE_PROGRAMS, /* of the system, with libraries and data */
	PLACE_LIBRARIES,
	PLACE_LIBRARIES_64,
	PLACE_LINKER_CACHE,
	PLACE_PROC,
	PLACE_KVM,
	PLACE_CERTS, /* whom the system trusts to name web servers */
	PLACE_NULL,  /* /dev/null */
	PLACE_MODEL, /* the directory of the model: a new one is renamed */
	PLACE_ARCHIVE,
	PLACE_LEARNED, /* of connections: the current directory */
};

struct sandbox_path {
	enum sandbox_place place;
	enum sandbox_rights rights;
};

#define SANDBOX_PATHS 8

struct sandbox_row {
	const char *name;
	size_t user;    /* offset of a char * in struct conf */
	bool groups;    /* keeps the user's supplementary groups */
	uint64_t files; /* RLIMIT_NOFILE */
	unsigned int calls;
	struct sandbox_path paths[SANDBOX_PATHS];
};

/*
 * Landlock: only the row's paths, TCP only to the spam engine's port (with
 * CALLS_WEB to any), and signals only within the role.
 * Returns 0; -ENOTSUP: not in this kernel; or -errno with err set.
 */
int sandbox_paths(const struct sandbox_row *row, const struct conf *conf,
    char *err, size_t err_size);

/* seccomp: only these groups.  Same errors. */
int sandbox_calls(unsigned int calls, char *err, size_t err_size);

#endif
