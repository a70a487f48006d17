#include "worker/mef/sealed.h"

#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#define TAG_BYTES ((uint64_t)crypto_secretstream_xchacha20poly1305_ABYTES)
#define KEY_BYTES crypto_secretstream_xchacha20poly1305_KEYBYTES

static_assert(SEALED_KEY_BYTES == crypto_box_PUBLICKEYBYTES &&
		  SEALED_KEY_BYTES == crypto_box_SECRETKEYBYTES,
    "keys are raw X25519 keys");
static_assert(
    sizeof(((struct sealed_head *)0)->key) == KEY_BYTES + crypto_box_SEALBYTES,
    "room for a sealed key");
static_assert(sizeof(((struct sealed_head *)0)->stream) ==
		  crypto_secretstream_xchacha20poly1305_HEADERBYTES,
    "room for the stream's head");

struct sealer {
	crypto_secretstream_xchacha20poly1305_state state;
	const unsigned char *bound; /* with the first piece; then NULL */
	unsigned char *first;       /* own copy of bound */
	size_t n_bound;
	int out_fd;
	size_t n;
	unsigned char plain[SEALED_PIECE];
	unsigned char
	    sealed[SEALED_PIECE + crypto_secretstream_xchacha20poly1305_ABYTES];
};

static void
begin(void)
{
	const int r = sodium_init(); /* 1: done before */

	assert(r >= 0);
}

uint64_t
sealed_length(uint64_t n)
{
	/* The last piece is there even where it is empty. */
	const uint64_t pieces = n == 0 ? 1 : (n - 1) / SEALED_PIECE + 1;

	return n + pieces * TAG_BYTES;
}

void
sealed_public(const struct sealed_key *private, struct sealed_key *ret_public)
{
	int r;

	begin();
	r = crypto_scalarmult_base(ret_public->bytes, private->bytes);
	assert(r == 0);
}

int
sealer_new(const struct sealed_key *to, int out_fd, const void *bound,
    size_t n_bound, struct sealed_head *ret_head, struct sealer **ret_sealer)
{
	CLEANUP(sealer_freep) struct sealer *s = xcalloc(1, sizeof(*s));
	unsigned char key[KEY_BYTES];
	int r;

	begin();
	crypto_secretstream_xchacha20poly1305_keygen(key);
	r = crypto_box_seal(ret_head->key, key, sizeof(key), to->bytes);
	if (r == 0)
		r = crypto_secretstream_xchacha20poly1305_init_push(
		    &s->state, ret_head->stream, key);
	sodium_memzero(key, sizeof(key));
	if (r != 0)
		return -EINVAL;
	s->first = xcalloc(1, n_bound + 1);
	memcpy(s->first, bound, n_bound);
	s->bound = s->first;
	s->n_bound = n_bound;
	s->out_fd = out_fd;
	*ret_sealer = TAKE_PTR(s);
	return 0;
}

struct sealer *
sealer_free(struct sealer *s)
{
	if (!s)
		return NULL;
	free(s->first);
	sodium_memzero(s, sizeof(*s));
	free(s);
	return NULL;
}

static int
put_piece(struct sealer *s, unsigned char tag)
{
	unsigned long long n;
	int r = crypto_secretstream_xchacha20poly1305_push(&s->state, s->sealed,
	    &n, s->plain, s->n, s->bound, s->bound ? s->n_bound : 0, tag);

	assert(r == 0);
	s->bound = NULL;
	s->n = 0;
	return write_all(s->out_fd, s->sealed, (size_t)n);
}

int
sealer_write(struct sealer *s, const void *octets, size_t n)
{
	const unsigned char *at = octets;

	while (n > 0) {
		size_t part = SEALED_PIECE - s->n;
		int r;

		if (part == 0) { /* full, and not the last one */
			r = put_piece(s, 0);
			if (r < 0)
				return r;
			continue;
		}
		if (part > n)
			part = n;
		memcpy(s->plain + s->n, at, part);
		s->n += part;
		at += part;
		n -= part;
	}
	return 0;
}

int
sealer_end(struct sealer *s)
{
	return put_piece(s, crypto_secretstream_xchacha20poly1305_TAG_FINAL);
}

/* The stream's state, which needs the owner's key. */
static int
unseal(const struct sealed_key *private, const struct sealed_head *head,
    crypto_secretstream_xchacha20poly1305_state *state)
{
	unsigned char key[KEY_BYTES];
	struct sealed_key public;
	int r;

	sealed_public(private, &public);
	r = crypto_box_seal_open(
	    key, head->key, sizeof(head->key), public.bytes, private->bytes);
	if (r != 0)
		return -EKEYREJECTED;
	r = crypto_secretstream_xchacha20poly1305_init_pull(
	    state, head->stream, key);
	sodium_memzero(key, sizeof(key));
	return r == 0 ? 0 : -EBADMSG;
}

/* One piece of n sealed octets, which must be the last one or must not. */
static int
get_piece(struct sealer *s, int in_fd, uint64_t off, size_t n, bool is_last)
{
	unsigned long long n_plain;
	unsigned char tag;
	int r = pread_all(in_fd, s->sealed, n, off);

	if (r < 0)
		return r == -ENODATA ? -EBADMSG : r;
	if (crypto_secretstream_xchacha20poly1305_pull(&s->state, s->plain,
		&n_plain, &tag, s->sealed, n, s->bound,
		s->bound ? s->n_bound : 0) != 0)
		return -EBADMSG;
	if (is_last != (tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL))
		return -EBADMSG;
	s->bound = NULL;
	return write_all(s->out_fd, s->plain, (size_t)n_plain);
}

int
sealed_open(const struct sealed_key *private, const struct sealed_head *head,
    const void *bound, size_t n_bound, int in_fd, uint64_t off, uint64_t n,
    int out_fd)
{
	CLEANUP(sealer_freep) struct sealer *s = xcalloc(1, sizeof(*s));
	int r = unseal(private, head, &s->state);

	s->bound = bound;
	s->n_bound = n_bound;
	s->out_fd = out_fd;
	if (r == 0 && n < TAG_BYTES)
		r = -EBADMSG;
	while (r == 0 && n > 0) {
		const uint64_t most = SEALED_PIECE + TAG_BYTES;
		const size_t part = (size_t)(n < most ? n : most);

		if (part < TAG_BYTES)
			return -EBADMSG;
		r = get_piece(s, in_fd, off, part, part == n);
		off += part;
		n -= part;
	}
	return r;
}
