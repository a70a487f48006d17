#include "common/pem.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A key is three lines; text around it is allowed. */
#define KEY_FILE_MAX 65536

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);

/* As OpenSSL calls them, as people do, and as openssl(1) is told. */
static const struct {
	const char *name, *known_as, *option;
} kinds[] = {
    [PEM_ED25519] = {"ED25519", "Ed25519", "ed25519"},
    [PEM_X25519] = {"X25519", "X25519", "x25519"},
};

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
parse(const char *pem, size_t n, enum pem_kind kind, bool is_private)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)n);
	EVP_PKEY *key;

	assert(bio);
	key = is_private ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)
			 : PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
	(void)BIO_free(bio);
	if (key && !EVP_PKEY_is_a(key, kinds[kind].name)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
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
pem_public(const char *path, enum pem_kind kind,
    unsigned char ret_key[PEM_KEY_BYTES], char *err, size_t err_size)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP(free_ptr) char *pem = NULL;
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = NULL;
	size_t n = 0, length = PEM_KEY_BYTES;
	int ok, r = read_pem(fd, path, &pem, &n, err, err_size);

	if (r < 0)
		return r;
	key = parse(pem, n, kind, false);
	if (!key) {
		(void)snprintf(err, err_size,
		    "%s: no public %s key in PEM; make it of the private "
		    "one by `openssl pkey -in PRIVATE -pubout -out %s`",
		    path, kinds[kind].known_as, path);
		return -EINVAL;
	}
	ok = EVP_PKEY_get_raw_public_key(key, ret_key, &length);
	assert(ok == 1 && length == PEM_KEY_BYTES);
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

int
pem_private(const char *path, enum pem_kind kind,
    unsigned char ret_key[PEM_KEY_BYTES], char *err, size_t err_size)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = NULL;
	char *pem = NULL;
	size_t n = 0, length = PEM_KEY_BYTES;
	int ok, r = read_pem(fd, path, &pem, &n, err, err_size);

	if (r == 0)
		r = check_mode(fd, path, err, err_size);
	if (r == 0) {
		key = parse(pem, n, kind, true);
		if (!key) {
			(void)snprintf(err, err_size,
			    "%s: no private %s key in PEM that is not "
			    "encrypted; make one by `openssl genpkey "
			    "-algorithm %s -out FILE`",
			    path, kinds[kind].known_as, kinds[kind].option);
			r = -EINVAL;
		}
	}
	if (pem)
		explicit_bzero(pem, n);
	free(pem);
	if (r < 0)
		return r;
	ok = EVP_PKEY_get_raw_private_key(key, ret_key, &length);
	assert(ok == 1 && length == PEM_KEY_BYTES);
	return 0;
}

static int
put(const char *path, mode_t mode, BIO *bio, char *err, size_t err_size)
{
	CLEANUP(close_fd)
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	char *text;
	const long n = BIO_get_mem_data(bio, &text);
	int r = fd < 0 ? -errno : write_all(fd, text, (size_t)n);

	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0)
		(void)snprintf(err, err_size, "%s: %s", path, strerror(-r));
	return r;
}

int
pem_make(const char *private_path, const char *public_path, enum pem_kind kind,
    char *err, size_t err_size)
{
	CLEANUP(EVP_PKEY_freep)
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, kinds[kind].name);
	BIO *private = BIO_new(BIO_s_secmem()), *public = BIO_new(BIO_s_mem());
	int ok, r;

	assert(key && private && public);
	ok = PEM_write_bio_PKCS8PrivateKey(
		 private, key, NULL, NULL, 0, NULL, NULL) == 1 &&
	     PEM_write_bio_PUBKEY(public, key) == 1;
	assert(ok);
	r = put(private_path, 0600, private, err, err_size);
	if (r == 0)
		r = put(public_path, 0644, public, err, err_size);
	(void)BIO_free(private);
	(void)BIO_free(public);
	return r;
}
