/*
 * tests/support/hostile_agent.c - process 1 of a guest that does its worst: a
 * sample that has taken over its guest's kernel.  Parks as the agent does;
 * then the name of the sample says what it does.
 */
#include "vmm/guest/box.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#define EATEN_BYTES (1u << 20)

/* The report grows by an octet at a time, and each rings. */
static _Noreturn void
flood(struct mailbox *box)
{
	uint32_t n = 0;

	for (;;) {
		mailbox_store(box->report_bytes, n++);
		box_ring();
	}
}

/* Not even an answer. */
static _Noreturn void
silence(void)
{
	for (;;)
		__builtin_ia32_pause();
}

/* The bell alone. */
static _Noreturn void
ring(void)
{
	for (;;)
		box_ring();
}

static uint32_t
draw(void)
{
	static uint32_t x = 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

/* Any word of the first page, and lengths beyond all bounds. */
static _Noreturn void
scribble(struct mailbox *box)
{
	uint32_t *words = (uint32_t *)box;

	for (uint32_t i = 0;; i++) {
		mailbox_store(words[draw() % (MAILBOX_REPORT_AT / 4)], draw());
		if (i % 64 == 0) {
			mailbox_store(box->report_bytes, UINT32_MAX);
			box_ring();
		}
	}
}

/* All memory that there is: at last the kernel panics. */
static _Noreturn void
eat(void)
{
	for (;;) {
		volatile char *more = malloc(EATEN_BYTES);

		for (size_t i = 0; more && i < EATEN_BYTES; i += 4096)
			more[i] = 1;
	}
}

static void
act(struct mailbox *box)
{
	if (strcmp(box->name, "flood") == 0)
		flood(box);
	if (strcmp(box->name, "ring") == 0)
		ring();
	if (strcmp(box->name, "scribble") == 0)
		scribble(box);
	if (strcmp(box->name, "reboot") == 0)
		(void)reboot(RB_AUTOBOOT);
	if (strcmp(box->name, "panic") == 0)
		_exit(1); /* of process 1 */
	if (strcmp(box->name, "eat") == 0)
		eat();
	mailbox_store(box->state, MAILBOX_ENDED);
	box_ring();
}

int
main(void)
{
	struct mailbox *box;
	uint32_t order;

	(void)mkdir("/dev", 0755);
	(void)mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	if (box_open(getenv("mailbox"), &box) < 0)
		return 1; /* a panic, and the end of QEMU */
	mailbox_store(box->state, MAILBOX_PARKED);
	box_ring();
	for (;;) {
		bool is_run;

		order = box_wait(box);
		is_run = box->command == MAILBOX_RUN; /* before the answer */
		if (is_run && strcmp(box->name, "silence") == 0)
			silence();
		mailbox_store(box->answer, order);
		box_ring();
		if (is_run)
			act(box);
	}
}
