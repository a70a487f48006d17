/*
 * Does a process keep its registers while other domains run?  registers N:
 * some processes hold a value in an SSE register for a while, N times each, and
 * count how often another one comes back.
 *
 * QEMU's XSAVE and XRSTOR don't trap while CR0.TS is set, as a processor's do
 * (7.2: target/i386/tcg/translate.c), so that a Xen which gives the registers
 * to a domain lazily gives it those of another moment: memory that was to be
 * cleared keeps what it had, and a dom0 hangs for want of a free lock.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 4
#define TURNS     200000

/* Nothing of C's is between the two moves but a loop that takes as long as a
 * sleep of some tenths of a millisecond. */
static uint64_t
hold(uint64_t value)
{
	uint64_t found, turns = TURNS;

	__asm__ volatile("movq %[value], %%xmm7\n"
			 "1:\tdec %[turns]\n\t"
			 "jnz 1b\n\t"
			 "movq %%xmm7, %[found]"
			 : [found] "=r"(found), [turns] "+r"(turns)
			 : [value] "r"(value)
			 : "xmm7", "cc");
	return found;
}

static unsigned long
watch(uint64_t value, unsigned long times)
{
	unsigned long bad = 0;

	for (unsigned long i = 0; i < times; i++)
		bad += hold(value) != value;
	return bad;
}

int
main(int argc, char **argv)
{
	unsigned long times = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	int wrong = 0, status;

	if (times == 0)
		return 100;
	for (uint64_t i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			unsigned long bad =
			    watch(0x0101010101010101u * (i + 1), times);

			if (bad)
				(void)printf("registers: process %d found "
					     "others %lu times\n",
				    (int)i, bad);
			(void)fflush(stdout);
			_exit(bad != 0);
		}
	while (wait(&status) > 0)
		wrong += status != 0;
	(void)printf(
	    "registers: %d of %d processes lost theirs\n", wrong, PROCESSES);
	return wrong != 0;
}
