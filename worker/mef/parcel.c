#include "worker/mef/parcel.h"

#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "parcels are written as they lie in memory"
#endif

#define BOUND  offsetof(struct mef_parcel_head, sealed)
#define SIGNED offsetof(struct mef_parcel_head, signature)

static_assert(sizeof(struct mef_parcel_head) == 288 &&
		  sizeof(struct mef_parcel_record) == 48,
    "no padding: they are written as they are");

struct mef_packer {
	struct mef_parcel_head head;
	struct sealer *sealer;
	const char *identity;
	int fd;
	uint64_t n; /* octets before they are sealed */
	uint32_t files;
	struct digest last;
};

/* Says it and gives r back. */
__attribute__((format(printf, 4, 5))) static int
refuse(int r, char *err, size_t err_size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(err, err_size, fmt, ap);
	va_end(ap);
	return r;
}

int
mef_packer_new(int fd, const struct sealed_key *to, const char *identity,
    struct mef_packer **ret_packer, char *err, size_t err_size)
{
	CLEANUP(mef_packer_freep)
	struct mef_packer *p = xcalloc(1, sizeof(*p));
	int r;

	memcpy(p->head.magic, MEF_PARCEL_MAGIC, sizeof(p->head.magic));
	p->head.format = MEF_PARCEL_FORMAT;
	p->head.to = *to;
	p->identity = identity;
	p->fd = fd;
	r = signature_key_of(identity, &p->head.from, err, err_size);
	if (r < 0)
		return r;
	/* Its place; what stands there is known at the end. */
	r = write_all(fd, &p->head, sizeof(p->head));
	if (r < 0)
		return refuse(r, err, err_size, "%s", strerror(-r));
	r = sealer_new(to, fd, &p->head, BOUND, &p->head.sealed, &p->sealer);
	if (r < 0)
		return refuse(
		    r, err, err_size, "the repository's key is no key");
	*ret_packer = TAKE_PTR(p);
	return 0;
}

struct mef_packer *
mef_packer_free(struct mef_packer *p)
{
	if (!p)
		return NULL;
	(void)sealer_free(p->sealer);
	free(p);
	return NULL;
}

bool
mef_packer_is_full(
    const struct mef_packer *p, size_t n_meta, size_t n, uint64_t max_bytes)
{
	return p->files == MEF_PARCEL_FILES ||
	       sizeof(p->head) +
		       sealed_length(p->n + n_meta + n +
				     sizeof(struct mef_parcel_record)) >
		   max_bytes;
}

int
mef_packer_add(struct mef_packer *p, const struct digest *digest,
    const char *meta, size_t n_meta, const void *octets, size_t n)
{
	const struct mef_parcel_record record = {
	    .digest = *digest, .bytes = n, .meta_bytes = (uint32_t)n_meta};
	int r;

	assert(n <= MEF_PARCEL_FILE_MAX && n_meta <= MEF_PARCEL_META_MAX);
	assert(!mef_packer_is_full(p, n_meta, n, MEF_PARCEL_MAX));
	assert(p->files == 0 || memcmp(&p->last, digest, sizeof(*digest)) < 0);
	p->last = *digest;
	p->files++;
	p->n += sizeof(record) + n_meta + n;
	r = sealer_write(p->sealer, &record, sizeof(record));
	if (r == 0)
		r = sealer_write(p->sealer, meta, n_meta);
	return r < 0 ? r : sealer_write(p->sealer, octets, n);
}

int
mef_packer_end(struct mef_packer *p, char *err, size_t err_size)
{
	struct signature_key key;
	int r = sealer_end(p->sealer);

	p->head.payload_bytes = sealed_length(p->n);
	if (r == 0)
		r = digest_file(p->fd, sizeof(p->head), p->head.payload_bytes,
		    &p->head.payload);
	if (r < 0)
		return refuse(r, err, err_size, "%s", strerror(-r));
	r = signature_make(p->identity, &p->head, SIGNED, &key,
	    &p->head.signature, err, err_size);
	if (r < 0)
		return r;
	if (lseek(p->fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0)
		r = write_all(p->fd, &p->head, sizeof(p->head));
	if (r == 0 && fsync(p->fd) < 0)
		r = -errno;
	return r < 0 ? refuse(r, err, err_size, "%s", strerror(-r)) : 0;
}

static int
read_head(int fd, struct mef_parcel_head *ret_head, char *err, size_t err_size)
{
	struct stat st;
	int r = fstat(fd, &st) < 0 ? -errno : 0;

	if (r == 0 && !S_ISREG(st.st_mode))
		r = -EINVAL;
	if (r == 0 && (uint64_t)st.st_size > MEF_PARCEL_MAX)
		return refuse(-EFBIG, err, err_size,
		    "%jd octets, above the %ju of a parcel; nothing of it was "
		    "read",
		    (intmax_t)st.st_size, (uintmax_t)MEF_PARCEL_MAX);
	if (r == 0)
		r = pread_all(fd, ret_head, sizeof(*ret_head), 0);
	if (r < 0 && r != -ENODATA)
		return refuse(r, err, err_size, "%s", strerror(-r));
	if (r == -ENODATA || memcmp(ret_head->magic, MEF_PARCEL_MAGIC,
				 sizeof(ret_head->magic)) != 0)
		return refuse(-EBADMSG, err, err_size,
		    "no parcel; `sluice model submit` makes them");
	if (ret_head->format != MEF_PARCEL_FORMAT || ret_head->reserved != 0)
		return refuse(-EBADMSG, err, err_size,
		    "a parcel of format %u, and %u is what is known here",
		    ret_head->format, MEF_PARCEL_FORMAT);
	if (ret_head->payload_bytes != (uint64_t)st.st_size - sizeof(*ret_head))
		return refuse(-EBADMSG, err, err_size,
		    "%ju octets follow its head and it says %ju; fetch it "
		    "again",
		    (uintmax_t)st.st_size - sizeof(*ret_head),
		    (uintmax_t)ret_head->payload_bytes);
	return 0;
}

static int
check_sender(const struct mef_parcel_head *head,
    const struct mef_addressee *addressee, size_t *ret_sender, char *err,
    size_t err_size)
{
	size_t i = 0;

	while (i < addressee->n_senders &&
	       memcmp(&addressee->senders[i], &head->from,
		   sizeof(head->from)) != 0)
		i++;
	if (i == addressee->n_senders)
		return refuse(-EKEYREJECTED, err, err_size,
		    "signed by a key that is none of the %zu known senders'",
		    addressee->n_senders);
	if (!signature_is_good(&head->from, head, SIGNED, &head->signature))
		return refuse(-EKEYREJECTED, err, err_size,
		    "its signature is bad: it was changed on the way");
	*ret_sender = i;
	return 0;
}

static int
check_payload(
    int fd, const struct mef_parcel_head *head, char *err, size_t err_size)
{
	struct digest digest;
	int r = digest_file(fd, sizeof(*head), head->payload_bytes, &digest);

	if (r < 0)
		return refuse(r, err, err_size, "%s", strerror(-r));
	if (memcmp(&digest, &head->payload, sizeof(digest)) != 0)
		return refuse(-EBADMSG, err, err_size,
		    "its digest is wrong: it was damaged on the way");
	return 0;
}

int
mef_parcel_open(int fd, const struct mef_addressee *addressee, int plain_fd,
    size_t *ret_sender, struct mef_parcel_head *ret_head, char *err,
    size_t err_size)
{
	struct mef_parcel_head head = {.format = 0};
	struct sealed_key public;
	size_t sender = 0;
	int r = read_head(fd, &head, err, err_size);

	if (r == 0)
		r = check_sender(&head, addressee, &sender, err, err_size);
	if (r == 0)
		r = check_payload(fd, &head, err, err_size);
	if (r < 0)
		return r;
	sealed_public(&addressee->private, &public);
	if (memcmp(&public, &head.to, sizeof(public)) != 0)
		return refuse(-EKEYREJECTED, err, err_size,
		    "encrypted to another repository's key; the site must pin "
		    "ours");
	r = sealed_open(&addressee->private, &head.sealed, &head, BOUND, fd,
	    sizeof(head), head.payload_bytes, plain_fd);
	if (r == -EBADMSG || r == -EKEYREJECTED)
		return refuse(r, err, err_size,
		    "it can't be decrypted: its sender made it wrong");
	if (r < 0)
		return refuse(r, err, err_size, "%s", strerror(-r));
	*ret_sender = sender;
	*ret_head = head;
	return 0;
}

int
mef_parcel_next(struct mef_unpacking *u, struct mef_packed *ret_file, char *err,
    size_t err_size)
{
	struct mef_parcel_record record;
	struct digest digest;
	const unsigned char *at = u->at + sizeof(record);
	size_t left;

	if (u->n == 0)
		return -ENOENT;
	if (u->n < sizeof(record) || u->files == MEF_PARCEL_FILES)
		return refuse(-EBADMSG, err, err_size,
		    "file %u: too many, or half of a record", u->files + 1);
	memcpy(&record, u->at, sizeof(record));
	left = u->n - sizeof(record);
	if (record.reserved != 0 || record.meta_bytes > MEF_PARCEL_META_MAX ||
	    record.bytes > MEF_PARCEL_FILE_MAX || record.meta_bytes > left ||
	    record.bytes > left - record.meta_bytes)
		return refuse(-EBADMSG, err, err_size,
		    "file %u: lengths above the limits or the parcel's end",
		    u->files + 1);
	digest = digest_memory(at + record.meta_bytes, (size_t)record.bytes);
	if (memcmp(&digest, &record.digest, sizeof(digest)) != 0)
		return refuse(-EBADMSG, err, err_size,
		    "file %u: its octets do not have its digest", u->files + 1);
	if (u->files > 0 && memcmp(&u->last, &digest, sizeof(digest)) >= 0)
		return refuse(-EBADMSG, err, err_size,
		    "file %u: out of order, or there twice", u->files + 1);
	*ret_file = (struct mef_packed){digest, (const char *)at,
	    record.meta_bytes, at + record.meta_bytes, (size_t)record.bytes};
	u->last = digest;
	u->files++;
	u->at = at + record.meta_bytes + record.bytes;
	u->n = left - record.meta_bytes - (size_t)record.bytes;
	return 0;
}
