#include "common/sandbox.h"

#include "common/cleanup.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

void
sandbox_filter_free(struct sandbox_filter *filter)
{
	free(filter->code);
	*filter = (struct sandbox_filter){.code = NULL};
}

static int
load(struct sock_filter *code, unsigned short n)
{
	struct sock_fprog prog = {.len = n, .filter = code};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0
		   ? -errno
		   : 0;
}

int
sandbox_filter_load(const struct sandbox_filter *filter)
{
	/* All clones have one uid with their holder, and kernels before 6.12
	 * have no other means to keep their signals apart. */
	struct sock_filter own[] = {
	    BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_tgkill, 0, 3),
	    BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 1, 0),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	int r = load(own, ARRAY_SIZE(own));

	return r < 0 ? r : load(filter->code, filter->n);
}
