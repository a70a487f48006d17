#include "worker/mef/update.h"

#include "common/io.h"
#include "worker/mef/update_priv.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* The format: no compiler may pad it. */
_Static_assert(sizeof(struct mef_update_side) == 80, "no padding");
_Static_assert(sizeof(struct mef_update_head) == 344, "no padding");

/* What is signed: all of the head before the signature. */
#define SIGNED_BYTES offsetof(struct mef_update_head, signature)

struct mef_update *
mef_update_free(struct mef_update *update)
{
	if (!update)
		return NULL;
	free(update->payload);
	free(update);
	return NULL;
}

const struct mef_update_head *
mef_update_head(const struct mef_update *update)
{
	return &update->head;
}

bool
mef_update_is_whole(const struct mef_update *update)
{
	return update->head.from.file_bytes == 0;
}

static bool
is_zero(const void *octets, size_t n)
{
	const unsigned char *at = octets;

	for (size_t i = 0; i < n; i++)
		if (at[i] != 0)
			return false;
	return true;
}

static bool
is_signed(const struct mef_update_head *h)
{
	return !is_zero(&h->key, sizeof(h->key));
}

static bool
is_same(const struct digest *a, const struct digest *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* What is wrong with a head, for a person; NULL: nothing. */
static const char *
head_fault(const struct mef_update_head *h, uint64_t file_bytes)
{
	struct digest check;

	if (memcmp(h->magic, MEF_UPDATE_MAGIC, sizeof(h->magic)) != 0)
		return "this is no update of a model";
	if (h->format != MEF_UPDATE_FORMAT)
		return "an update of another format than 1; "
		       "it needs another version of Sluice";
	check = digest_memory(h, offsetof(struct mef_update_head, check));
	if (!is_same(&check, &h->check))
		return "its head is damaged; get it again";
	if (h->payload_bytes > file_bytes - sizeof(*h))
		return "it is cut off; get it again";
	if (h->payload_bytes < file_bytes - sizeof(*h))
		return "something follows its end; get it again";
	if (h->reserved != 0 || !mef_side_is_sound(&h->from) ||
	    !mef_side_is_sound(&h->to) || h->to.file_bytes == 0)
		return "its sizes are impossible; who made it must make it "
		       "again";
	if (!is_signed(h) && !is_zero(&h->signature, sizeof(h->signature)))
		return "its signature is damaged; get it again";
	return NULL;
}

static int
take(struct mef_update *update, int fd, uint64_t bytes, const char **ret_why)
{
	struct mef_update_head *h = &update->head;
	struct digest payload;
	int r;

	if (bytes > MEF_UPDATE_MAX)
		return -EFBIG;
	if (bytes < sizeof(*h)) {
		*ret_why = "no update of a model, or cut off; get it again";
		return -EBADMSG;
	}
	r = pread_all(fd, h, sizeof(*h), 0);
	if (r < 0)
		return r;
	*ret_why = head_fault(h, bytes);
	if (*ret_why)
		return -EBADMSG;
	update->payload = malloc(h->payload_bytes + 1); /* never of 0 */
	if (!update->payload)
		return -ENOMEM;
	r = pread_all(fd, update->payload, h->payload_bytes, sizeof(*h));
	if (r < 0)
		return r;
	payload = digest_memory(update->payload, h->payload_bytes);
	if (is_same(&payload, &h->payload))
		return 0;
	*ret_why = "it is damaged; get it again";
	return -EBADMSG;
}

int
mef_update_read(
    int fd, struct mef_update **ret_update, char *err, size_t err_size)
{
	CLEANUP(mef_update_freep)
	struct mef_update *update = xcalloc(1, sizeof(*update));
	const char *why = NULL;
	struct stat st;
	int r = fstat(fd, &st) < 0 ? -errno : 0;

	if (r == 0 && !S_ISREG(st.st_mode))
		r = -EINVAL;
	if (r == 0)
		r = take(update, fd, (uint64_t)st.st_size, &why);
	if (r < 0) {
		(void)snprintf(err, err_size, "%s", why ? why : strerror(-r));
		return r;
	}
	*ret_update = TAKE_PTR(update);
	return 0;
}

int
mef_update_write(const struct mef_update *update, int fd)
{
	int r = write_all(fd, &update->head, sizeof(update->head));

	if (r < 0)
		return r;
	return write_all(fd, update->payload, update->head.payload_bytes);
}

int
mef_update_sign(
    struct mef_update *update, const char *key_path, char *err, size_t err_size)
{
	struct mef_update_head h = update->head;
	struct signature unused;
	/* The key is signed too, and is known by signing. */
	int r = signature_make(
	    key_path, &h, SIGNED_BYTES, &h.key, &unused, err, err_size);

	if (r == 0)
		r = signature_make(key_path, &h, SIGNED_BYTES, &h.key,
		    &h.signature, err, err_size);
	if (r == 0)
		update->head = h;
	return r;
}

static void
key_text(const struct signature_key *key, char *buf)
{
	struct digest same;

	_Static_assert(sizeof(same) == sizeof(*key), "printed as a digest is");
	memcpy(&same, key, sizeof(same));
	(void)digest_hex(&same, buf);
}

int
mef_update_verify(const struct mef_update *update,
    const struct signature_key *keys, size_t n, char *err, size_t err_size)
{
	const struct mef_update_head *h = &update->head;
	char hex[DIGEST_HEX];

	if (!is_signed(h)) {
		(void)snprintf(err, err_size,
		    "it is not signed; get one that is, or sign your own by "
		    "`sluice model sign`");
		return -EKEYREJECTED;
	}
	key_text(&h->key, hex);
	for (size_t i = 0; i < n; i++) {
		if (memcmp(&keys[i], &h->key, sizeof(h->key)) != 0)
			continue;
		if (signature_is_good(&keys[i], h, SIGNED_BYTES, &h->signature))
			return 0;
		(void)snprintf(err, err_size,
		    "the signature by key %.16s... is bad: it was changed "
		    "after it was signed; get it again, from elsewhere",
		    hex);
		return -EKEYREJECTED;
	}
	(void)snprintf(err, err_size,
	    "it is signed by key %.16s..., which is none of the %zu pinned "
	    "ones; add its file to mef.keys only if you trust its owner",
	    hex, n);
	return -EKEYREJECTED;
}
