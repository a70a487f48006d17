/*
 * Boot a reference by Xen whose kernel, initrd and mem_mib are there already:
 * xen_reference DIRECTORY NAME.  `sluice vm reference build` makes those
 * files, too, which takes Debian's packages.
 */
#include "vmm/xen.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "vmm/vmm.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE_USEC (120 * USEC_PER_SEC)

static void
say(const char *what)
{
	(void)printf("%s\n", what);
	(void)fflush(stdout);
}

int
main(int argc, char **argv)
{
	CLEANUP(free_ptr) char *mib = NULL;
	CLEANUP(free_ptr) char *path = NULL;
	CLEANUP(close_fd) int dirfd = -1;
	struct vmm_park park = {.recipe = "test", .step = say};
	struct mono begun = mono_now();
	char err[512];
	size_t n;
	int r;

	if (argc != 3)
		return 100;
	path = xasprintf("%s/%s", argv[1], argv[2]);
	dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = read_file(dirfd, "mem_mib", 16, &mib, &n);
	if (r < 0) {
		(void)fprintf(stderr, "%s: %s\n", path, strerror(-r));
		return 111;
	}
	(void)vmm_xen.probe(&park.of, err, sizeof(err));
	say(err);
	park.of.state = argv[1];
	park.of.reference = argv[2];
	park.dirfd = dirfd;
	park.mem_mib = (uint32_t)strtoul(mib, NULL, 10);
	park.patience_usec = PATIENCE_USEC;
	r = vmm_xen.park(&park, err, sizeof(err));
	if (r < 0) {
		(void)fprintf(stderr, "%s: %s\n", path, err);
		return 111;
	}
	(void)printf("parked after %.1f s\n",
	    (double)mono_span(begun, mono_now()) / (double)USEC_PER_SEC);
	return 0;
}
