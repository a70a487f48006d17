/* tools/load/bodyhash.c - SHA-256 by libcrypto's EVP. */
#include "bodyhash.h"

#include "base.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

struct bodyhash {
	EVP_MD_CTX *ctx;
};

struct bodyhash *
bodyhash_new(void)
{
	struct bodyhash *h = xcalloc(1, sizeof(*h));

	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx)
		die(EXIT_SYSTEM, "out of memory");
	bodyhash_reset(h);
	return h;
}

struct bodyhash *
bodyhash_free(struct bodyhash *h)
{
	if (h)
		EVP_MD_CTX_free(h->ctx);
	free(h);
	return NULL;
}

void
bodyhash_reset(struct bodyhash *h)
{
	if (EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1)
		die(EXIT_SYSTEM, "no SHA-256 in libcrypto");
}

void
bodyhash_add(struct bodyhash *h, const void *data, size_t len)
{
	if (EVP_DigestUpdate(h->ctx, data, len) != 1)
		die(EXIT_SYSTEM, "libcrypto failed");
}

void
bodyhash_hex(struct bodyhash *h, char ret_hex[BODYHASH_HEX_BYTES])
{
	unsigned char md[EVP_MAX_MD_SIZE];

	if (EVP_DigestFinal_ex(h->ctx, md, NULL) != 1)
		die(EXIT_SYSTEM, "libcrypto failed");
	for (int i = 0; i < 32; i++)
		(void)snprintf(ret_hex + 2 * i, 3, "%02x", md[i]);
}
