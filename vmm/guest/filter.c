#include "vmm/guest/filter.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

#define INSTRUCTIONS_MAX 1024
#define LEAF_ROWS        3
#define X32_BIT          0x40000000u

/* What the filter can tell by itself. */
enum test {
	TEST_NONE,
	TEST_ANY, /* of the bits */
	TEST_ZERO,
	TEST_EQUAL,
};

struct when {
	enum test test;
	int arg;
	uint32_t value;
};

#define ALWAYS \
	{ \
		TEST_NONE, 0, 0 \
	}
#define WRITES(n) \
	{ \
		TEST_ANY, n, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC \
	}
#define SET(n) \
	{ \
		TEST_ANY, n, UINT32_MAX \
	}
#define UNSET(n) \
	{ \
		TEST_ZERO, n, 0 \
	}
#define SPACES \
	{ \
		TEST_ANY, 0, \
		    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | \
			CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWUTS | \
			CLONE_NEWIPC \
	}
#define PACKETS \
	{ \
		TEST_EQUAL, 0, AF_PACKET \
	}

static const struct {
	int numbers[2]; /* 64 bits, 32 bits */
	struct when when;
	bool is_network;
} calls[] = {
#define CALL(name, n64, n32, handler, when, dir, path) \
	{{n64, n32}, when, false},
#define NETWORK_CALL(name, n64, n32, handler, when, dir, path) \
	{{n64, n32}, when, true},
#include "vmm/guest/calls.def"
#undef NETWORK_CALL
#undef CALL
};

struct program {
	struct sock_filter at[INSTRUCTIONS_MAX];
	unsigned short n;
};

static void
put(struct program *program, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	assert(program->n < INSTRUCTIONS_MAX);
	program->at[program->n++] = (struct sock_filter){code, yes, no, k};
}

static void
put_return(struct program *program, uint32_t what)
{
	put(program, BPF_RET | BPF_K, what, 0, 0);
}

static void
put_load(struct program *program, size_t offset)
{
	put(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* Five instructions follow a call's number at most: the argument, the test,
 * two answers. */
static void
put_call(struct program *program, uint32_t number, const struct when *when)
{
	const size_t arg = offsetof(struct seccomp_data, args) +
			   (size_t)when->arg * sizeof(uint64_t);
	uint16_t test = BPF_JMP | BPF_K;

	if (when->test == TEST_NONE) {
		put(program, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
		put_return(program, SECCOMP_RET_USER_NOTIF);
		return;
	}
	test |= when->test == TEST_ANY ? BPF_JSET : BPF_JEQ;
	put(program, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4);
	put_load(program, arg); /* its low half: all of these are ints */
	put(program, test, when->value, 0, 1);
	put_return(program, SECCOMP_RET_USER_NOTIF);
	put_return(program, SECCOMP_RET_ALLOW);
}

/* The rows from first on, n of them, in the order of their numbers.  A tree,
 * since the kernel tries the filter on each number there is when it is put on,
 * and that is time between hand-over and start. */
static void
put_tree(struct program *program, int kind, const size_t *rows, size_t n)
{
	const size_t half = n / 2;
	size_t at;

	if (n <= LEAF_ROWS) {
		for (size_t i = 0; i < n; i++)
			put_call(program,
			    (uint32_t)calls[rows[i]].numbers[kind],
			    &calls[rows[i]].when);
		put_return(program, SECCOMP_RET_ALLOW);
		return;
	}
	put(program, BPF_JMP | BPF_JGE | BPF_K,
	    (uint32_t)calls[rows[half]].numbers[kind], 0, 1);
	at = program->n;
	put(program, BPF_JMP | BPF_JA, 0, 0, 0);
	put_tree(program, kind, rows, half);
	program->at[at].k = (uint32_t)(program->n - at - 1);
	put_tree(program, kind, rows + half, n - half);
}

static void
put_calls(struct program *program, int kind, bool is_network)
{
	size_t rows[ARRAY_SIZE(calls)] = {0}, n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		size_t at = n;

		if (calls[i].numbers[kind] < 0 ||
		    (is_network && !calls[i].is_network))
			continue;
		for (; at > 0 && calls[rows[at - 1]].numbers[kind] >
				     calls[i].numbers[kind];
		     at--)
			rows[at] = rows[at - 1];
		rows[at] = i;
		n++;
	}
	put_load(program, offsetof(struct seccomp_data, nr));
	if (kind == 0) { /* a third numbering that no program needs */
		put(program, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
		put_return(program, SECCOMP_RET_ERRNO | ENOSYS);
	}
	put_tree(program, kind, rows, n);
}

static int
install(bool is_network)
{
	static struct program program;
	struct sock_fprog filter;
	size_t at;
	int fd;

	program.n = 0;
	put_load(&program, offsetof(struct seccomp_data, arch));
	put(&program, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	at = program.n;
	put(&program, BPF_JMP | BPF_JA, 0, 0, 0); /* to the other numbering */
	put_calls(&program, 0, is_network);
	program.at[at].k = (uint32_t)(program.n - at - 1);
	put_calls(&program, 1, is_network);

	filter.len = program.n;
	filter.filter = program.at;
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
	return fd < 0 ? -errno : fd;
}

int
filter_install(void)
{
	return install(false);
}

int
filter_install_network(void)
{
	return install(true);
}

int
filter_keep(void)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	const struct sock_fprog filter = {1, &all};
	CLEANUP(close_fd)
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
			  sizeof(filter)) < 0)
		return -errno;
	return TAKE_FD(fd);
}
