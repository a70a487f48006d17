#include "vmm/xen_priv.h"

#include "common/cleanup.h"

#include <string.h>

#define CHUNK_BYTES (XEN_CHUNK * XEN_PAGE)

int
xen_box_open(
    struct xen_box *box, struct xen_host *host, uint32_t domain, uint64_t at)
{
	int r;

	*box = (struct xen_box){
	    .words.fd = -1, .host = host, .domain = domain, .at = at};
	r = xen_map(host, domain, at, 1, &box->maps[0]);
	if (r < 0)
		return r;
	box->words.page = box->maps[0].at;
	hostbox_begin(box->words.page);
	return 0;
}

void
xen_box_close(struct xen_box *box)
{
	box->words.page = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(box->maps); i++)
		xen_unmap(box->host, &box->maps[i]);
}

/* Octets of the mailbox that lie in one chunk; 0: they can't be mapped. */
static size_t
copy_out(struct xen_box *box, uint64_t at, void *buf, size_t n)
{
	const uint64_t chunk = at / CHUNK_BYTES, skip = at % CHUNK_BYTES;
	struct xen_map *map = &box->maps[chunk];

	if (n > CHUNK_BYTES - skip)
		n = (size_t)(CHUNK_BYTES - skip);
	if (skip + n > map->pages * XEN_PAGE) {
		/* As far as the chunk is told of: not each page by itself. */
		struct xen_map more;

		if (xen_map(box->host, box->domain,
			box->at + chunk * CHUNK_BYTES,
			(size_t)((skip + n + XEN_PAGE - 1) / XEN_PAGE),
			&more) < 0)
			return 0;
		xen_unmap(box->host, map);
		*map = more;
		if (chunk == 0)
			box->words.page = map->at;
	}
	memcpy(buf, (const char *)map->at + skip, n);
	return n;
}

size_t
xen_box_collect(struct xen_box *box, uint64_t from, void *buf, size_t n)
{
	size_t got = 0, some;

	if (!box->words.page)
		return 0;
	n = hostbox_told(&box->words, from, n);
	while (got < n) {
		some = copy_out(box, MAILBOX_REPORT_AT + from + got,
		    (char *)buf + got, n - got);
		if (some == 0)
			break;
		got += some;
	}
	return got;
}
