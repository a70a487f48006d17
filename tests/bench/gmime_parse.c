/*
 * gmime_parse LIST - what no scanner can do without: parse each file that LIST
 * names with GMime, decode each part, take its SHA-256.  Prints the processor
 * time of a message in milliseconds.
 */
#include "common/clock.h"
#include "common/digest.h"

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
hash_part(GMimeObject *parent, GMimeObject *part, void *arg)
{
	struct tally *tally = arg;
	GMimeDataWrapper *content;
	GMimeStream *mem;
	GByteArray *bytes;
	struct digest digest;

	(void)parent;
	if (!GMIME_IS_PART(part) ||
	    !(content = g_mime_part_get_content(GMIME_PART(part))))
		return;
	mem = g_mime_stream_mem_new();
	(void)g_mime_data_wrapper_write_to_stream(content, mem);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(mem));
	digest = digest_memory(bytes->data, bytes->len);
	tally->mix += digest.bytes[0];
	tally->parts++;
	g_object_unref(mem);
}

static int
parse_file(const char *path, struct tally *tally)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	GMimeStream *stream;
	GMimeParser *parser;
	GMimeMessage *message;

	if (fd < 0) {
		perror(path);
		return -1;
	}
	stream = g_mime_stream_fs_new(fd); /* owns the descriptor */
	parser = g_mime_parser_new_with_stream(stream);
	message = g_mime_parser_construct_message(parser, NULL);
	if (message) {
		g_mime_message_foreach(message, hash_part, tally);
		g_object_unref(message);
	}
	g_object_unref(parser);
	g_object_unref(stream);
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
