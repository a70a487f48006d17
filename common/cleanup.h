/*
 * common/cleanup.h - who frees what, said in the declaration.
 *
 * CLEANUP(f) runs f(&var) when var leaves its scope.  TAKE_FD and TAKE_PTR
 * make giving away visible: they return the value and disarm the variable.
 */
#ifndef SLUICE_COMMON_CLEANUP_H
#define SLUICE_COMMON_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(f) __attribute__((cleanup(f)))

#define DEFINE_CLEANUP(type, func) \
	static inline void func##p(type *p) \
	{ \
		if (*p) \
			func(*p); \
	} \
	struct sluice_swallow_semicolon

static inline void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void
free_ptr(void *p)
{
	free(*(void **)p);
}

#define TAKE_FD(fd) \
	({ \
		int taken_fd_ = (fd); \
		(fd) = -1; \
		taken_fd_; \
	})

#define TAKE_PTR(ptr) \
	({ \
		__auto_type taken_ptr_ = (ptr); \
		(ptr) = NULL; \
		taken_ptr_; \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
