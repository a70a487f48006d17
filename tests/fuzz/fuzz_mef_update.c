/*
 * tests/fuzz/fuzz_mef_update.c - any octets as an update, for a model that is
 * there.
 *
 * The first octet says what the others are: 0 an update as it is; 1 an update
 * whose digests and base are put right, as who has a key could; 2 its
 * unpacked payload.
 */
#include "tests/support/mef_updates.h"
#include "worker/mef/update_priv.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Smaller than a chunk, and larger than a block of the file. */
#define WORDS 3000u
#define KNOWN 3u

static const struct mef_listener nobody;

static int
model_fd(struct mef_update_side *ret_side)
{
	static struct mef_update_side side;
	static int fd = -1;

	if (fd < 0) {
		struct mef_octets o = mef_octets_new(WORDS, KNOWN, 1);
		struct mef_file file;
		char err[300];
		int r;

		for (uint32_t i = 0; i < KNOWN; i++) {
			mef_octets_known(&o)[i].digest.bytes[0] =
			    (unsigned char)(2 * i);
			mef_octets_known(&o)[i].n[MEF_BENIGN] = i + 1;
		}
		fd = mef_octets_fd(o.at, o.n);
		r = mef_file_open(fd, &file, err, sizeof(err));
		assert(r == 0);
		side = file.side;
		side.file = digest_memory(o.at, o.n);
		mef_file_close(&file);
		free(o.at);
	}
	*ret_side = side;
	return fd;
}

static void
put_right(struct mef_update_head *h, const unsigned char *payload, size_t n)
{
	memcpy(h->magic, MEF_UPDATE_MAGIC, sizeof(h->magic));
	h->format = MEF_UPDATE_FORMAT;
	h->reserved = 0;
	h->payload_bytes = n;
	h->payload = digest_memory(payload, n);
	h->check = digest_memory(h, offsetof(struct mef_update_head, check));
}

static void
try(const struct mef_update_head *h, const unsigned char *payload, size_t n)
{
	CLEANUP(close_fd) int fd = mef_octets_fd(h, sizeof(*h));
	CLEANUP(close_fd) int out = memfd_new("out");
	struct mef_update *update = NULL;
	struct mef_update_side side;
	char err[500] = "";
	int r = write_all(fd, payload, n);

	assert(r == 0);
	r = mef_update_read(fd, &update, err, sizeof(err));
	/* Models of gigabytes are possible, and would take the time. */
	if (r == 0 && h->to.file_bytes < 1 << 20 &&
	    h->from.file_bytes < 1 << 20) {
		r = mef_update_apply(
		    update, model_fd(&side), out, &nobody, err, sizeof(err));
		if (r < 0)
			(void)mef_update_revert(update, model_fd(&side), out,
			    &nobody, err, sizeof(err));
	}
	assert(r == 0 || *err != '\0');
	(void)mef_update_free(update);
}

static void
as_update(const uint8_t *data, size_t size, bool is_put_right)
{
	struct mef_update_head h;

	if (size < sizeof(h))
		return;
	memcpy(&h, data, sizeof(h));
	data += sizeof(h);
	size -= sizeof(h);
	if (is_put_right) {
		/* Its second word says which way it fits. */
		(void)model_fd(h.format & 1 ? &h.from : &h.to);
		put_right(&h, data, size);
	}
	try(&h, data, size);
}

static void
as_payload(const uint8_t *data, size_t size)
{
	struct mef_update_head h = {.reserved = 0};
	struct pack *pack = pack_new();
	unsigned char *packed = NULL;
	size_t n;
	int r = pack_octets(pack, data, size < 60000 ? size : 60000);

	assert(r == 0);
	r = pack_end(pack, &packed, &n);
	assert(r == 0);
	(void)pack_free(pack);
	(void)model_fd(&h.from);
	(void)model_fd(&h.to);
	put_right(&h, packed, n);
	try(&h, packed, n);
	free(packed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 2)
		as_payload(data + 1, size - 1);
	else
		as_update(data + 1, size - 1, data[0] == 1);
	return 0;
}
