/* Whatever a cell leaves behind: refused, or sound in every number. */
#include "worker/reading.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
touch_text(const char *at)
{
	const size_t len = strlen(at);

	assert(len <= 1023);
	for (size_t i = 0; i < len; i++)
		assert((unsigned char)at[i] >= 0x20 && at[i] != 0x7f);
	return len + 1;
}

static void
touch_part(const struct reading *r, size_t index)
{
	const struct reading_part *p = &r->parts[index];
	const char *name = p->names;
	volatile char sum = 0;

	assert(p->parent >= -1 && p->parent < (int64_t)index);
	assert(p->off <= r->map_bytes && p->bytes <= r->map_bytes - p->off);
	if (p->bytes > 0)
		sum = (char)(r->map[p->off] + r->map[p->off + p->bytes - 1]);
	(void)sum;
	for (uint32_t i = 0; i < p->n_names; i++)
		name += touch_text(name);
	(void)touch_text(p->declared);
	(void)touch_text(p->type);
	assert(reading_view_name((enum reading_view)p->view));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int fd = memfd_create("arena", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct reading *r = NULL;
	const char *link;
	char text[100];
	int err;

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	assert(fcntl(fd, F_ADD_SEALS,
		   F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0);
	err = reading_open(fd, &r);
	(void)close(fd);
	if (err < 0) {
		assert(!r && (err == -EBADMSG || err == -ENODATA));
		return 0;
	}
	for (size_t i = 0; i < r->n_parts; i++)
		touch_part(r, i);
	(void)touch_text(r->text);
	link = r->links;
	assert(r->n_links <= 64);
	for (uint32_t i = 0; i < r->n_links; i++)
		link += touch_text(link);
	assert(reading_status_text(r->status));
	(void)reading_ambiguity_text(r->ambiguity, text, sizeof(text));
	reading_free(r);
	return 0;
}
