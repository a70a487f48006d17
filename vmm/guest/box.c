#include "vmm/guest/box.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <time.h>

#include "common/cleanup.h"
#include "vmm/guest/clock.h"

/* Whoever takes a clone does so at once or stops it: after that long the
 * reference is merely standing about, and should cost little. */
#define SPIN_USEC     50000
#define LOOKS_A_CLOCK 256 /* a look costs nothing, reading the clock does */

static bool has_bell;

int
box_open(const char *address, struct mailbox **ret)
{
	CLEANUP(close_fd) int fd = -1;
	unsigned long at;
	char *end;
	void *box;

	at = address ? strtoul(address, &end, 0) : 0;
	if (at == 0 || *end)
		return -EINVAL;
	fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	box = mmap(NULL, MAILBOX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    (off_t)at);
	if (box == MAP_FAILED)
		return -errno;
	has_bell = getenv(MAILBOX_NO_BELL) == NULL;
	if (has_bell && ioperm(MAILBOX_BELL_PORT, 1, 1) < 0)
		return -errno;
	if (((struct mailbox *)box)->magic != MAILBOX_MAGIC ||
	    ((struct mailbox *)box)->version != MAILBOX_VERSION)
		return -EINVAL;
	*ret = box;
	return 0;
}

void
box_ring(void)
{
	if (has_bell)
		outb('!', MAILBOX_BELL_PORT);
}

char *
box_report(struct mailbox *box)
{
	return (char *)box + MAILBOX_REPORT_AT;
}

const unsigned char *
box_sample(const struct mailbox *box)
{
	return (const unsigned char *)box + MAILBOX_SAMPLE_AT;
}

uint32_t
box_wait(struct mailbox *box)
{
	const struct timespec tick = {.tv_nsec = 1000000};
	uint64_t begun;
	uint32_t order, looks = 0;

	/* Where nothing rings, the host looks when it has a processor: it may
	 * wait for the one that we would spin on. */
	if (!has_bell)
		(void)nanosleep(&tick, NULL);
	begun = clock_usec();
	while (
	    (order = mailbox_load(box->order)) == mailbox_load(box->answer)) {
		if (++looks % LOOKS_A_CLOCK)
			__builtin_ia32_pause();
		else if (clock_usec() - begun > SPIN_USEC)
			(void)nanosleep(&tick, NULL);
	}
	return order;
}
