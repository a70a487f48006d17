/*
 * tests/fuzz/fuzz_mef_parcel.c - any octets as a parcel.
 *
 * The first octet says what the others are: 0 a parcel as it is; 1 one that a
 * known sender has signed, over digests that are put right; 2 what is in one,
 * with the digests of its files put right, down to their metadata.
 */
#include "tests/support/parcel_make.h"
#include "tools/sluice/sample_meta.h"

#include <errno.h>
#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The known sender, made once; its directory goes at the end. */
static char *dir;
static struct signature_key keys[2];

static void
drop(void)
{
	for (int i = 0; i < 2; i++) {
		CLEANUP(free_ptr) char *a = xasprintf("%s/private%d", dir, i);
		CLEANUP(free_ptr) char *b = xasprintf("%s/public%d", dir, i);

		(void)unlink(a);
		(void)unlink(b);
	}
	(void)rmdir(dir);
	free(dir);
}

static void
make_sender(void)
{
	if (dir)
		return;
	dir = mkdtemp(xstrdup("/tmp/fuzz-parcel.XXXXXX"));
	assert(dir);
	mef_updates_keys(dir, keys);
	(void)atexit(drop);
}

static void
as_payload(const unsigned char *data, size_t n)
{
	struct mef_unpacking u = {.at = data, .n = n};
	struct mef_packed file;
	char err[300] = "";
	int r;

	while ((r = mef_parcel_next(&u, &file, err, sizeof(err))) == 0) {
		json_t *meta =
		    sample_meta(file.meta, file.n_meta, true, err, sizeof(err));

		assert(meta || *err);
		assert(json_object_size(meta) < 32);
		json_decref(meta);
		*err = '\0';
	}
	assert(r == -ENOENT ? *err == '\0' : r == -EBADMSG && *err);
}

static void
as_parcel(const void *data, size_t n)
{
	const struct mef_addressee us = {parcel_private, keys, 2};
	CLEANUP(close_fd) int fd = mef_octets_fd(data, n);
	CLEANUP(close_fd) int plain = memfd_new("plain");
	CLEANUP(free_ptr) char *text = NULL;
	struct mef_parcel_head head;
	char err[300] = "";
	size_t sender, length;
	int r =
	    mef_parcel_open(fd, &us, plain, &sender, &head, err, sizeof(err));

	assert(r == 0 || *err);
	if (r < 0)
		return;
	assert(sender < 2 && read_fd(plain, 1 << 24, &text, &length) == 0);
	as_payload((const unsigned char *)text, length);
}

/* As one could who has a sender's key, or is one. */
static void
as_signed(const uint8_t *data, size_t size)
{
	CLEANUP(free_ptr) char *identity = xasprintf("%s/private0", dir);
	CLEANUP(free_ptr) unsigned char *all = xcalloc(1, size + 1);
	struct mef_parcel_head head;
	char err[300];
	int r;

	if (size < sizeof(head))
		return;
	memcpy(all, data, size);
	memcpy(&head, all, sizeof(head));
	memcpy(head.magic, MEF_PARCEL_MAGIC, sizeof(head.magic));
	head.format = MEF_PARCEL_FORMAT;
	head.reserved = 0;
	sealed_public(&parcel_private, &head.to);
	head.from = keys[0];
	head.payload_bytes = size - sizeof(head);
	head.payload = digest_memory(all + sizeof(head), size - sizeof(head));
	r = signature_make(identity, &head,
	    offsetof(struct mef_parcel_head, signature), &head.from,
	    &head.signature, err, sizeof(err));
	assert(r == 0);
	memcpy(all, &head, sizeof(head));
	as_parcel(all, size);
}

/* The digests of files, which no fuzzer guesses. */
static void
with_digests(const uint8_t *data, size_t size)
{
	CLEANUP(free_ptr) unsigned char *all = xcalloc(1, size + 1);
	struct mef_parcel_record record;
	size_t at = 0;

	memcpy(all, data, size);
	while (size - at >= sizeof(record)) {
		size_t left = size - at - sizeof(record);
		unsigned char *meta = all + at + sizeof(record);

		memcpy(&record, all + at, sizeof(record));
		if (record.meta_bytes > left ||
		    record.bytes > left - record.meta_bytes)
			break;
		record.digest = digest_memory(
		    meta + record.meta_bytes, (size_t)record.bytes);
		memcpy(all + at, &record, sizeof(record));
		at += sizeof(record) + record.meta_bytes + (size_t)record.bytes;
	}
	as_payload(all, size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	make_sender();
	if (data[0] == 2)
		with_digests(data + 1, size - 1);
	else if (data[0] == 1)
		as_signed(data + 1, size - 1);
	else
		as_parcel(data + 1, size - 1);
	return 0;
}
