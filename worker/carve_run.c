/*
 * worker/carve_run.c - one run of encoded text, in every way it may be read.
 */
#include "worker/carve.h"

#include "worker/archive_zip.h"
#include "worker/mime_codec.h"
#include "worker/types.h"

#include <string.h>

/* Room for a decoding, or NULL: over a budget (noted). */
static char *
room_for(struct cell *c, enum codec codec, size_t len)
{
	char *out;

	if (!cell_may_work(c, len))
		return NULL;
	out = writer_reserve(c->w, codec_room(codec, len));
	if (!out)
		cell_status(c, READING_TOO_LARGE, "more than budget.output");
	return out;
}

bool
carve_is_file(const char *at, size_t len)
{
	bool is_exact;

	return types_magic(at, len) ||
	       archive_zip_is_at_end((struct span){at, len}, &is_exact);
}

/* Keep what is a file. */
static unsigned
keep_file(struct cell *c, const char *out, size_t n, const struct source *src)
{
	if (n == 0 || !carve_is_file(out, n))
		return 0;
	writer_advance(c->w, n);
	(void)cell_part(c, src);
	return 1;
}

unsigned
carve_base64(struct cell *c, struct span run, const struct source *src)
{
	unsigned found = 0;

	for (unsigned style = 0; style < BASE64_STYLES; style++) {
		char *out = room_for(c, CODEC_BASE64, run.len);
		uint32_t odd = 0;
		size_t n;

		if (!out)
			break;
		n = codec_base64(
		    run.at, run.len, (enum base64_style)style, out, &odd);
		found += keep_file(c, out, n, src);
		if (style == 0 && (odd & ~ODD_QUANTUM) == 0)
			break; /* all styles agree */
	}
	return found;
}

unsigned
carve_qp(struct cell *c, struct span run, const struct source *src)
{
	unsigned found = 0;

	for (unsigned style = 0; style < QP_STYLES; style++) {
		char *out = room_for(c, CODEC_QP, run.len);
		uint32_t odd = 0;
		size_t n;

		if (!out)
			break;
		n = codec_qp(run.at, run.len, (enum qp_style)style, out, &odd);
		found += keep_file(c, out, n, src);
		if (style == 0 && odd == 0)
			break;
	}
	return found;
}

static size_t
decode_old(enum codec codec, struct span run, char *out, uint32_t *ret_odd,
    struct codec_name *ret_name)
{
	if (codec == CODEC_YENC)
		return codec_yenc(run.at, run.len, out, ret_odd, ret_name);
	if (codec == CODEC_BINHEX)
		return codec_binhex(run.at, run.len, out, ret_odd, ret_name);
	if (codec == CODEC_UU64)
		return codec_uu64(run.at, run.len, out, ret_odd, ret_name);
	return codec_uu(run.at, run.len, out, ret_odd, ret_name);
}

unsigned
carve_old(
    struct cell *c, struct span run, unsigned codec, const struct source *src)
{
	struct names names = {.n = 0};
	struct source found = *src;
	struct codec_name name;
	char *out = room_for(c, (enum codec)codec, run.len);
	uint32_t odd = 0;
	size_t n;

	if (!out)
		return 0;
	n = decode_old((enum codec)codec, run, out, &odd, &name);
	if (n == 0)
		return 0;
	names_add(&names, name.at, name.len);
	found.names = &names;
	/* Well-formed, it is an old way to attach that readers still know; but
	 * not all of them where it has no name. */
	if ((odd & ~ODD_REST) == 0 && (codec != CODEC_UU || name.len > 0))
		found.ambiguity = 0;
	writer_advance(c->w, n);
	(void)cell_part(c, &found);
	names_done(&names);
	return 1;
}
