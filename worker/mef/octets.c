#include "worker/mef/extract_priv.h"

#include <assert.h>

struct octets
octets_part(struct octets all, uint64_t off, uint64_t n)
{
	if (off >= all.n)
		return (struct octets){all.at, 0};
	if (n > all.n - off)
		n = all.n - off;
	return (struct octets){all.at + off, (size_t)n};
}

uint64_t
octets_number(struct octets all, uint64_t off, unsigned int size)
{
	uint64_t value = 0;

	assert(size <= 8);
	if (off > all.n || all.n - off < size)
		return 0;
	for (unsigned int i = size; i-- > 0;)
		value = value << 8 | all.at[off + i];
	return value;
}

bool
octets_text(
    struct octets all, uint64_t off, size_t most, struct octets *ret_text)
{
	const struct octets part = octets_part(all, off, most);

	for (size_t i = 0; i < part.n; i++) {
		if (part.at[i] == '\0') {
			*ret_text = (struct octets){part.at, i};
			return i > 0;
		}
		if (part.at[i] < ' ' || part.at[i] > '~')
			return false;
	}
	return false;
}
