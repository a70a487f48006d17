/*
 * tests/fuzz/fuzz_mail_find.c - any octets as a mail that has an update in
 * base64, or not.  What is found is what it says: no more than is allowed, and
 * it begins with the magic, but for its last octet, which nobody looked at.
 */
#include "tools/sluice/mail_find.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST 4096u

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char magic[] = "SLUICUPD";
	CLEANUP(close_fd) int fd = memfd_new("found");
	CLEANUP(free_ptr) char *copy = xcalloc(1, size + 1);
	CLEANUP(free_ptr) char *found = NULL;
	size_t n = 0;
	FILE *in;
	int r;

	memcpy(copy, data, size);
	in = fmemopen(copy, size + 1, "r");
	assert(fd >= 0 && in);
	r = mail_find(in, magic, MOST, fd);
	(void)fclose(in);
	assert(r == 0 || r == -ENODATA || r == -EFBIG);
	r = r == 0 ? read_fd(fd, MOST, &found, &n) : 0;
	assert(r == 0);
	if (n > MAIL_MAGIC)
		assert(memcmp(found, magic, MAIL_MAGIC - 1) == 0);
	return 0;
}
