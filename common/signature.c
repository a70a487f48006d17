#include "common/signature.h"

#include "common/cleanup.h"
#include "common/pem.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);

int
signature_key_read(
    const char *path, struct signature_key *ret_key, char *err, size_t err_size)
{
	struct signature_key key;
	const int r = pem_public(path, PEM_ED25519, key.bytes, err, err_size);

	if (r == 0)
		*ret_key = key;
	return r;
}

/* The pair of keys in the file of the private one. */
static int
pair_read(const char *path, EVP_PKEY **ret_pair, struct signature_key *ret_key,
    char *err, size_t err_size)
{
	unsigned char raw[PEM_KEY_BYTES];
	size_t n = sizeof(ret_key->bytes);
	int ok, r = pem_private(path, PEM_ED25519, raw, err, err_size);

	if (r < 0)
		return r;
	*ret_pair = EVP_PKEY_new_raw_private_key(
	    EVP_PKEY_ED25519, NULL, raw, sizeof(raw));
	explicit_bzero(raw, sizeof(raw));
	ok = *ret_pair &&
	     EVP_PKEY_get_raw_public_key(*ret_pair, ret_key->bytes, &n) == 1;
	assert(ok && n == sizeof(ret_key->bytes));
	return 0;
}

int
signature_make(const char *path, const void *msg, size_t len,
    struct signature_key *ret_key, struct signature *ret_signature, char *err,
    size_t err_size)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = NULL;
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = sizeof(ret_signature->bytes);
	int ok, r = pair_read(path, &key, ret_key, err, err_size);

	if (r < 0)
		return r;
	ok = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	     EVP_DigestSign(ctx, ret_signature->bytes, &n, msg, len) == 1;
	assert(ok && n == sizeof(ret_signature->bytes));
	return 0;
}

int
signature_key_of(
    const char *path, struct signature_key *ret_key, char *err, size_t err_size)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = NULL;

	return pair_read(path, &key, ret_key, err, err_size);
}

bool
signature_is_good(const struct signature_key *key, const void *msg, size_t len,
    const struct signature *signature)
{
	CLEANUP(EVP_PKEY_freep)
	EVP_PKEY *public = EVP_PKEY_new_raw_public_key(
	    EVP_PKEY_ED25519, NULL, key->bytes, sizeof(key->bytes));
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	/* OpenSSL refuses what is no signature: that is a bad one. */
	return public && ctx &&
	       EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public) == 1 &&
	       EVP_DigestVerify(ctx, signature->bytes, sizeof(signature->bytes),
		   msg, len) == 1;
}
