#include "common/digest.h"

#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unistd.h>

/* Octets read at a time: large enough that reading isn't what costs. */
#define CHUNK 65536

/*
 * Fetched once a process: looking SHA-256 up costs several times as much as
 * the hash of a small part.
 */
static const EVP_MD *
sha256(void)
{
	static EVP_MD *md;

	if (!md)
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
	assert(md);
	return md;
}

static EVP_MD_CTX *
context(void)
{
	static EVP_MD_CTX *ctx;

	if (!ctx)
		ctx = EVP_MD_CTX_new();
	assert(ctx);
	return ctx;
}

static void
begin(void)
{
	int ok = EVP_DigestInit_ex2(context(), sha256(), NULL);

	assert(ok == 1);
}

static void
feed(const void *buf, size_t len)
{
	int ok = EVP_DigestUpdate(context(), buf, len);

	assert(ok == 1);
}

static struct digest
end(void)
{
	struct digest d;
	int ok = EVP_DigestFinal_ex(context(), d.bytes, NULL);

	assert(ok == 1);
	return d;
}

struct digest
digest_memory(const void *buf, size_t len)
{
	assert(buf || len == 0);
	begin();
	if (len > 0)
		feed(buf, len);
	return end();
}

struct digest
digest_keyed(const void *key, size_t key_len, const void *buf, size_t len)
{
	struct digest d;
	const unsigned char *ok;

	assert(key_len > 0 && key_len <= INT_MAX);
	ok = HMAC(sha256(), key, (int)key_len, buf, len, d.bytes, NULL);
	assert(ok);
	return d;
}

int
digest_file(int fd, uint64_t off, uint64_t len, struct digest *ret_digest)
{
	unsigned char buf[CHUNK];

	begin();
	while (len > 0) {
		size_t n = len < CHUNK ? (size_t)len : CHUNK;
		int r = pread_all(fd, buf, n, off);

		if (r < 0)
			return r;
		feed(buf, n);
		off += n;
		len -= n;
	}
	*ret_digest = end();
	return 0;
}

char *
digest_hex(const struct digest *digest, char *buf)
{
	static const char digits[] = "0123456789abcdef";
	char *p = buf;

	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		*p++ = digits[digest->bytes[i] >> 4];
		*p++ = digits[digest->bytes[i] & 15];
	}
	*p = '\0';
	return buf;
}

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
digest_parse(const char *hex, struct digest *ret_digest)
{
	struct digest d;

	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		int hi = nibble(hex[2 * i]);
		int lo = hi < 0 ? -1 : nibble(hex[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -EINVAL;
		d.bytes[i] = (unsigned char)(hi << 4 | lo);
	}
	if (hex[2 * DIGEST_BYTES] != '\0')
		return -EINVAL;
	*ret_digest = d;
	return 0;
}
