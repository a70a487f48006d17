#include "tests/bench/gmime_parts.h"

#include <gmime/gmime.h>

struct walk {
	gmime_part_fn *fn;
	void *arg;
};

static void
on_part(GMimeObject *parent, GMimeObject *part, void *arg)
{
	const struct walk *walk = arg;
	GMimeDataWrapper *content;
	GMimeStream *mem;
	GByteArray *bytes;

	(void)parent;
	if (!GMIME_IS_PART(part) ||
	    !(content = g_mime_part_get_content(GMIME_PART(part))))
		return;
	mem = g_mime_stream_mem_new();
	(void)g_mime_data_wrapper_write_to_stream(content, mem);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(mem));
	walk->fn(walk->arg, bytes->data, bytes->len);
	g_object_unref(mem);
}

void
gmime_parts(int fd, gmime_part_fn *fn, void *arg)
{
	GMimeStream *stream = g_mime_stream_fs_new(fd); /* owns it */
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	struct walk walk = {fn, arg};

	if (message) {
		g_mime_message_foreach(message, on_part, &walk);
		g_object_unref(message);
	}
	g_object_unref(parser);
	g_object_unref(stream);
}
