/*
 * gmime_parse LIST - what no scanner can do without: parse each file that LIST
 * names with GMime, decode each part, take its SHA-256.  Prints the processor
 * time of a message in milliseconds.
 */
#include "common/clock.h"
#include "common/digest.h"
#include "tests/bench/gmime_parts.h"

#include <fcntl.h>
#include <gmime/gmime.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct tally {
	size_t messages, parts;
	unsigned int mix; /* so that no digest is left out as unused */
};

static void
hash_part(void *arg, const void *octets, size_t len)
{
	struct tally *tally = arg;
	struct digest digest = digest_memory(octets, len);

	tally->mix += digest.bytes[0];
	tally->parts++;
}

static int
parse_file(const char *path, struct tally *tally)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		perror(path);
		return -1;
	}
	gmime_parts(fd, hash_part, tally);
	tally->messages++;
	return 0;
}

static uint64_t
cpu_usec(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) *
		   USEC_PER_SEC +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

int
main(int argc, char **argv)
{
	FILE *list = argc == 2 ? fopen(argv[1], "re") : NULL;
	struct tally tally = {0};
	char path[4096];
	uint64_t begun;

	if (!list) {
		(void)fprintf(stderr, "usage: gmime_parse LIST\n");
		return 100;
	}
	g_mime_init();
	begun = cpu_usec();
	while (fgets(path, sizeof(path), list)) {
		path[strcspn(path, "\n")] = '\0';
		if (parse_file(path, &tally) < 0)
			return 111;
	}
	(void)fclose(list);
	if (tally.messages == 0 || tally.parts == 0)
		return 111;
	(void)printf("%.4f ms, %zu messages, %zu parts, mix %02x\n",
	    (double)(cpu_usec() - begun) / 1e3 / (double)tally.messages,
	    tally.messages, tally.parts, tally.mix & 0xff);
	return 0;
}
