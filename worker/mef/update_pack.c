/*
 * worker/mef/update_pack.c - numbers and octets through zstd.
 */
#include "worker/mef/update_priv.h"

#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <zstd.h>

/*
 * Level 19 makes updates an eighth smaller, and takes seven times as long for
 * a whole model (docs/decisions/0014-mef-updates.md).
 */
#define LEVEL 12

/*
 * The largest window that is packed with and unpacked, as an exponent: 8 MiB.
 * What asks for more memory is refused.
 */
#define WINDOW_LOG 23

#define RAW_BYTES 65536u

struct pack {
	ZSTD_CCtx *ctx;
	unsigned char raw[RAW_BYTES];
	size_t n_raw;
	unsigned char *out;
	size_t n, room;
};

struct unpack {
	ZSTD_DCtx *ctx;
	ZSTD_inBuffer in;
	unsigned char raw[RAW_BYTES];
	size_t n_raw, next;
	bool is_ended; /* of the frame */
};

static void
set(ZSTD_CCtx *ctx, ZSTD_cParameter parameter, int value)
{
	const size_t r = ZSTD_CCtx_setParameter(ctx, parameter, value);

	assert(!ZSTD_isError(r));
}

struct pack *
pack_new(void)
{
	struct pack *pack = xcalloc(1, sizeof(*pack));

	pack->ctx = ZSTD_createCCtx();
	assert(pack->ctx);
	set(pack->ctx, ZSTD_c_compressionLevel, LEVEL);
	set(pack->ctx, ZSTD_c_windowLog, WINDOW_LOG);
	return pack;
}

struct pack *
pack_free(struct pack *pack)
{
	if (!pack)
		return NULL;
	(void)ZSTD_freeCCtx(pack->ctx);
	free(pack->out);
	free(pack);
	return NULL;
}

static int
make_room(struct pack *pack)
{
	const size_t step = ZSTD_CStreamOutSize();
	unsigned char *out;

	if (pack->room - pack->n >= step)
		return 0;
	if (pack->n > MEF_UPDATE_MAX)
		return -EFBIG;
	out = realloc(pack->out, pack->room + pack->room / 2 + step);
	if (!out)
		return -ENOMEM;
	pack->out = out;
	pack->room += pack->room / 2 + step;
	return 0;
}

/* Give zstd what is waiting. */
static int
drain(struct pack *pack, ZSTD_EndDirective how)
{
	ZSTD_inBuffer in = {pack->raw, pack->n_raw, 0};
	size_t left;

	do {
		ZSTD_outBuffer out;
		int r = make_room(pack);

		if (r < 0)
			return r;
		out = (ZSTD_outBuffer){
		    pack->out + pack->n, pack->room - pack->n, 0};
		left = ZSTD_compressStream2(pack->ctx, &out, &in, how);
		if (ZSTD_isError(left))
			return -ENOMEM; /* nothing else can fail here */
		pack->n += out.pos;
	} while (how == ZSTD_e_end ? left > 0 : in.pos < in.size);
	pack->n_raw = 0;
	return 0;
}

int
pack_octets(struct pack *pack, const void *octets, size_t n)
{
	int r = 0;

	assert(n <= RAW_BYTES);
	if (pack->n_raw + n > RAW_BYTES)
		r = drain(pack, ZSTD_e_continue);
	if (r == 0) {
		memcpy(pack->raw + pack->n_raw, octets, n);
		pack->n_raw += n;
	}
	return r;
}

int
pack_number(struct pack *pack, uint32_t number)
{
	unsigned char octets[5];
	size_t n = 0;

	for (; number > 127; number >>= 7)
		octets[n++] = (unsigned char)(number | 128);
	octets[n++] = (unsigned char)number;
	return pack_octets(pack, octets, n);
}

int
pack_end(struct pack *pack, unsigned char **ret, size_t *ret_n)
{
	int r = drain(pack, ZSTD_e_end);

	if (r < 0)
		return r;
	if (pack->n > MEF_UPDATE_MAX - sizeof(struct mef_update_head))
		return -EFBIG;
	*ret = TAKE_PTR(pack->out);
	*ret_n = pack->n;
	return 0;
}

struct unpack *
unpack_new(const unsigned char *packed, size_t n)
{
	struct unpack *unpack = xcalloc(1, sizeof(*unpack));
	size_t r;

	unpack->ctx = ZSTD_createDCtx();
	assert(unpack->ctx);
	r = ZSTD_DCtx_setParameter(
	    unpack->ctx, ZSTD_d_windowLogMax, WINDOW_LOG);
	assert(!ZSTD_isError(r));
	unpack->in = (ZSTD_inBuffer){packed, n, 0};
	return unpack;
}

struct unpack *
unpack_free(struct unpack *unpack)
{
	if (!unpack)
		return NULL;
	(void)ZSTD_freeDCtx(unpack->ctx);
	free(unpack);
	return NULL;
}

/* Octets into raw, which is empty; one frame, and nothing behind it. */
static int
fill(struct unpack *unpack)
{
	ZSTD_outBuffer out = {unpack->raw, sizeof(unpack->raw), 0};

	while (out.pos == 0 && !unpack->is_ended) {
		const size_t before = unpack->in.pos;
		const size_t left =
		    ZSTD_decompressStream(unpack->ctx, &out, &unpack->in);

		if (ZSTD_isError(left))
			return -EBADMSG;
		unpack->is_ended = left == 0;
		/* All is given to it, and it wants more. */
		if (left > 0 && out.pos == 0 && unpack->in.pos == before)
			return -EBADMSG;
	}
	unpack->n_raw = out.pos;
	unpack->next = 0;
	return out.pos > 0 ? 0 : -EBADMSG;
}

int
unpack_octets(struct unpack *unpack, void *ret, size_t n)
{
	unsigned char *to = ret;

	while (n > 0) {
		size_t m = unpack->n_raw - unpack->next;
		int r = m > 0 ? 0 : fill(unpack);

		if (r < 0)
			return r;
		m = unpack->n_raw - unpack->next;
		if (m > n)
			m = n;
		memcpy(to, unpack->raw + unpack->next, m);
		unpack->next += m;
		to += m;
		n -= m;
	}
	return 0;
}

int
unpack_number(struct unpack *unpack, uint32_t *ret_number)
{
	uint64_t number = 0;

	for (unsigned int shift = 0; shift < 35; shift += 7) {
		unsigned char octet;
		int r = unpack_octets(unpack, &octet, 1);

		if (r < 0)
			return r;
		number |= (uint64_t)(octet & 127) << shift;
		if (octet < 128) {
			*ret_number = (uint32_t)number;
			return number <= UINT32_MAX ? 0 : -EBADMSG;
		}
	}
	return -EBADMSG;
}

bool
unpack_is_at_end(struct unpack *unpack)
{
	/* The frame's own end is still to be read where raw was just full. */
	if (unpack->next == unpack->n_raw && !unpack->is_ended)
		(void)fill(unpack);
	return unpack->next == unpack->n_raw && unpack->is_ended &&
	       unpack->in.pos == unpack->in.size;
}
