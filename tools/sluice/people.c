#include "tools/sluice/people.h"

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/io.h"
#include "tools/sluice/command.h"
#include "tools/sluice/util.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

/* RFC 5321 4.5.3.1: 64 of local part, 255 of domain, an at sign.  Longer ones
 * are the same when they begin alike. */
#define ADDRESS_MAX 320

#define SALT_BYTES 16

/* RFC 2104 3: shorter than the digest weakens it.  A file of more is not a
 * key but a mistake. */
#define KEY_MIN DIGEST_BYTES
#define KEY_MAX 4096

struct people {
	char *key; /* NULL: none */
	size_t key_len;
	unsigned char salt[SALT_BYTES];
};

static int
read_key(const char *path, struct people *p)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;

	if (r == 0 && (st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
		return util_fail(STATUS_USAGE, "model spread",
		    "spread.key: %s: others may read or write it, so its "
		    "pseudonyms hide nothing; chmod 640 and make a new one",
		    path);
	if (r == 0)
		r = read_fd(fd, KEY_MAX, &p->key, &p->key_len);
	if (r < 0)
		return util_fail(STATUS_USAGE, "model spread",
		    "spread.key: %s: %s; make one with head -c 32 "
		    "/dev/urandom >%s (umask 077), or set it to none",
		    path, strerror(-r), path);
	if (p->key_len < KEY_MIN)
		return util_fail(STATUS_USAGE, "model spread",
		    "spread.key: %s: %zu octets; make one of at least %d", path,
		    p->key_len, KEY_MIN);
	return STATUS_FINE;
}

int
people_new(const char *key_path, struct people **ret_people)
{
	CLEANUP(people_freep) struct people *p = xcalloc(1, sizeof(*p));
	int status = STATUS_FINE;

	if (getrandom(p->salt, sizeof(p->salt), 0) != sizeof(p->salt))
		return util_fail(STATUS_SYSTEM, "model spread",
		    "random numbers: %s", strerror(errno));
	if (strcmp(key_path, "none") != 0)
		status = read_key(key_path, p);
	if (status == STATUS_FINE)
		*ret_people = TAKE_PTR(p);
	return status;
}

void
people_freep(struct people **people)
{
	struct people *p = *people;

	if (!p)
		return;
	if (p->key)
		explicit_bzero(p->key, p->key_len);
	free(p->key);
	free(p);
	*people = NULL;
}

bool
people_is_keyed(const struct people *people)
{
	return people->key != NULL;
}

/* In small letters, ASCII's alone: what else an address has is compared octet
 * by octet.  Returns the length. */
static size_t
normalise(const char *address, size_t len, unsigned char *buf)
{
	len = len < ADDRESS_MAX ? len : ADDRESS_MAX;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)address[i];

		buf[i] = c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
	}
	return len;
}

static uint64_t
number_of(const struct digest *d)
{
	uint64_t n = 0;

	for (size_t i = 0; i < sizeof(n); i++)
		n = n << 8 | d->bytes[i];
	return n;
}

uint64_t
people_number(const struct people *people, const char *address, size_t len)
{
	unsigned char buf[SALT_BYTES + ADDRESS_MAX];
	struct digest d;
	uint64_t n;

	if (len == 0)
		return 0;
	memcpy(buf, people->salt, SALT_BYTES);
	len = normalise(address, len, buf + SALT_BYTES);
	d = digest_memory(buf, SALT_BYTES + len);
	n = number_of(&d);
	return n != 0 ? n : 1;
}

char *
people_tell(const struct people *people, const char *address, size_t len)
{
	unsigned char buf[ADDRESS_MAX];
	struct digest d;

	if (!people->key || len == 0)
		return xasprintf("%.*s", (int)len, address);
	len = normalise(address, len, buf);
	d = digest_keyed(people->key, people->key_len, buf, len);
	return xasprintf("%016" PRIx64, number_of(&d));
}

const char *
people_next(const char *list, size_t *ret_len)
{
	list += strspn(list, " ");
	*ret_len = strcspn(list, " ");
	return list;
}
