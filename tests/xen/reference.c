/*
 * Boot a reference by Xen whose kernel, initrd and mem_mib are there already:
 * xen_reference [-p PROOFS] [-w PROOFS] [-c CONTROL] DIRECTORY NAME.  `sluice
 * vm reference build` makes those files, too, which takes Debian's packages.
 *
 * -p  runs of a known program that have to go well (vmm/prove.h)
 * -w  the same of one of Windows
 * -c  so many more of the first, which are only counted; status 1 if one goes
 *     wrong
 */
#include "vmm/xen.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "vmm/prove.h"
#include "vmm/vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* Windows settles, and a dom0 that is emulated itself takes its time. */
#define PATIENCE_USEC (900 * USEC_PER_SEC)

static struct mono begun;

/* And when: what takes long is to be seen in a host that is emulated. */
static void
say(const char *what)
{
	(void)printf("%7.1f s  %s\n",
	    (double)mono_span(begun, mono_now()) / (double)USEC_PER_SEC, what);
	(void)fflush(stdout);
}

/* How many of so many runs go wrong; -errno: they can't be run. */
static int
count_bad(const struct vmm_options *options, uint32_t runs)
{
	struct vmm *vmm;
	uint32_t left = runs, good;
	char err[512];
	int r = vmm_xen.open(options, &vmm, err, sizeof(err)), bad = 0;

	if (r < 0) {
		say(err);
		return r;
	}
	while (left > 0) {
		r = prove(&vmm_xen, vmm, VMM_PROOF_SHELL, left, &good, err,
		    sizeof(err));
		left -= good;
		if (r == 0)
			break;
		say(err);
		if (r != -EREMOTEIO)
			break;
		r = 0;
		bad++;
		left--;
	}
	vmm_xen.close(vmm);
	return r < 0 ? r : bad;
}

static int
control(const struct vmm_options *options, uint32_t runs)
{
	int bad = count_bad(options, runs);

	if (bad < 0)
		return 111;
	(void)printf("control: %d of %u runs went wrong\n", bad, runs);
	return bad > 0;
}

static int
boot(struct vmm_park *park, const char *path)
{
	CLEANUP(free_ptr) char *mib = NULL;
	char err[1024];
	size_t n;
	int r = read_file(park->dirfd, "mem_mib", 16, &mib, &n);

	if (r < 0) {
		(void)fprintf(stderr, "%s: %s\n", path, strerror(-r));
		return r;
	}
	(void)vmm_xen.probe(&park->of, err, sizeof(err));
	say(err);
	park->mem_mib = (uint32_t)strtoul(mib, NULL, 10);
	park->patience_usec = PATIENCE_USEC;
	r = vmm_xen.park(park, err, sizeof(err));
	if (r < 0)
		(void)fprintf(stderr, "%s: %s\n", path, err);
	else
		say("parked");
	return r;
}

static uint32_t
number(const char *text)
{
	return (uint32_t)strtoul(text, NULL, 10);
}

int
main(int argc, char **argv)
{
	CLEANUP(free_ptr) char *path = NULL;
	CLEANUP(close_fd) int dirfd = -1;
	struct vmm_park park = {.recipe = "test", .step = say};
	uint32_t more = 0;
	int option;

	begun = mono_now();
	while ((option = getopt(argc, argv, "p:w:c:")) != -1)
		switch (option) {
		case 'p':
			park.proofs[VMM_PROOF_SHELL] = number(optarg);
			break;
		case 'w':
			park.proofs[VMM_PROOF_WINDOWS] = number(optarg);
			break;
		case 'c':
			more = number(optarg);
			break;
		default:
			return 100;
		}
	if (argc - optind != 2)
		return 100;
	park.of.state = argv[optind];
	park.of.reference = argv[optind + 1];
	path = xasprintf("%s/%s", park.of.state, park.of.reference);
	dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	park.dirfd = dirfd;
	if (boot(&park, path) < 0)
		return 111;
	return more > 0 ? control(&park.of, more) : 0;
}
