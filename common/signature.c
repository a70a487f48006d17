#include "common/signature.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A key is three lines; text around it is allowed. */
#define KEY_FILE_MAX 65536

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);

/* OpenSSL would ask on the terminal for what a key is encrypted with. */
static int
no_password(char *buf, int size, int is_write, void *arg)
{
	(void)buf;
	(void)size;
	(void)is_write;
	(void)arg;
	return -1;
}

/* NULL: there is none of that kind. */
static EVP_PKEY *
parse(const char *pem, size_t n, bool is_private)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)n);
	EVP_PKEY *key;

	assert(bio);
	key = is_private ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)
			 : PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
	(void)BIO_free(bio);
	if (key && !EVP_PKEY_is_a(key, "ED25519")) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

static void
public_of(const EVP_PKEY *key, struct signature_key *ret)
{
	size_t n = sizeof(ret->bytes);
	int ok = EVP_PKEY_get_raw_public_key(key, ret->bytes, &n);

	assert(ok == 1 && n == sizeof(ret->bytes));
}

/* The file as it is, into fresh memory. */
static int
read_pem(int fd, const char *path, char **ret, size_t *ret_n, char *err,
    size_t err_size)
{
	int r = fd < 0 ? -errno : read_fd(fd, KEY_FILE_MAX, ret, ret_n);

	if (r < 0)
		(void)snprintf(err, err_size, "%s: %s", path, strerror(-r));
	return r;
}

int
signature_key_read(
    const char *path, struct signature_key *ret_key, char *err, size_t err_size)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP(free_ptr) char *pem = NULL;
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = NULL;
	size_t n = 0;
	int r = read_pem(fd, path, &pem, &n, err, err_size);

	if (r < 0)
		return r;
	key = parse(pem, n, false);
	if (!key) {
		(void)snprintf(err, err_size,
		    "%s: no public Ed25519 key in PEM; make it of the private "
		    "one by `openssl pkey -in PRIVATE -pubout -out %s`",
		    path, path);
		return -EINVAL;
	}
	public_of(key, ret_key);
	return 0;
}

static int
check_mode(int fd, const char *path, char *err, size_t err_size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_mode & 077) == 0)
		return 0;
	(void)snprintf(err, err_size,
	    "%s: mode %04o lets others use this private key; `chmod 600 %s`, "
	    "and make a new key if they could read it before",
	    path, (unsigned int)st.st_mode & 07777, path);
	return -EPERM;
}

static int
private_read(const char *path, EVP_PKEY **ret, char *err, size_t err_size)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *pem = NULL;
	size_t n = 0;
	int r = read_pem(fd, path, &pem, &n, err, err_size);

	if (r == 0)
		r = check_mode(fd, path, err, err_size);
	if (r == 0) {
		*ret = parse(pem, n, true);
		if (!*ret) {
			(void)snprintf(err, err_size,
			    "%s: no private Ed25519 key in PEM that is not "
			    "encrypted; make one by `openssl genpkey "
			    "-algorithm ed25519 -out FILE`",
			    path);
			r = -EINVAL;
		}
	}
	if (pem)
		explicit_bzero(pem, n);
	free(pem);
	return r;
}

int
signature_make(const char *path, const void *msg, size_t len,
    struct signature_key *ret_key, struct signature *ret_signature, char *err,
    size_t err_size)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = NULL;
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = sizeof(ret_signature->bytes);
	int ok, r = private_read(path, &key, err, err_size);

	if (r < 0)
		return r;
	ok = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	     EVP_DigestSign(ctx, ret_signature->bytes, &n, msg, len) == 1;
	assert(ok && n == sizeof(ret_signature->bytes));
	public_of(key, ret_key);
	return 0;
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
