/*
 * Any octets as a configuration: an error in words, or values that a dump
 * gives back the same.
 */
#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
load(const void *data, size_t size, struct conf **ret_conf)
{
	CLEANUP(close_fd) int fd = memfd_new("fuzz_conf");
	char path[64], err[512] = "";
	int r;

	assert(fd >= 0 && write_all(fd, data, size) == 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = conf_load(path, ret_conf, err, sizeof(err));
	assert((r < 0) == (err[0] != '\0'));
	assert(strlen(err) < sizeof(err) && !strchr(err, '\n'));
	return r;
}

static char *
dump(const struct conf *conf, size_t *ret_len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_len);

	assert(f);
	conf_dump(conf, f);
	(void)fclose(f);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *a = NULL, *b = NULL;
	char *first, *second;
	size_t n, m;

	if (size > 65536 || load(data, size, &a) < 0)
		return 0;
	first = dump(a, &n);
	if (load(first, n, &b) < 0)
		abort(); /* what we write we must read */
	second = dump(b, &m);
	assert(n == m && memcmp(first, second, n) == 0);
	free(first);
	free(second);
	(void)conf_free(a);
	(void)conf_free(b);
	return 0;
}
