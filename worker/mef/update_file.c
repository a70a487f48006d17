/*
 * worker/mef/update_file.c - a model as an update sees it: words, then known
 * documents.
 */
#include "worker/mef/update_priv.h"

#include "common/io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define WORD sizeof(uint32_t)

bool
mef_side_is_sound(const struct mef_update_side *side)
{
	const uint64_t known = sizeof(struct mef_known);

	if (side->file_bytes == 0) /* none: then nothing is said of it */
		return side->known_offset == 0 && side->n_known == 0 &&
		       side->release == 0;
	return side->file_bytes <= MEF_FILE_MAX &&
	       side->known_offset <= side->file_bytes &&
	       side->known_offset % WORD == 0 &&
	       side->known_offset >= sizeof(struct mef_head) &&
	       (side->file_bytes - side->known_offset) % known == 0 &&
	       side->n_known == (side->file_bytes - side->known_offset) / known;
}

uint64_t
mef_side_words(const struct mef_update_side *side)
{
	return side->known_offset / WORD;
}

uint64_t
mef_update_chunks(
    const struct mef_update_side *a, const struct mef_update_side *b)
{
	const uint64_t x = mef_side_words(a), y = mef_side_words(b);

	return ((x > y ? x : y) + MEF_CHUNK - 1) / MEF_CHUNK;
}

int
mef_file_map(
    int fd, const struct mef_update_side *side, struct mef_file *ret_file)
{
	struct mef_file file = {.side = *side};
	void *at;

	if (side->file_bytes > 0) {
		at =
		    mmap(NULL, side->file_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
		if (at == MAP_FAILED)
			return -errno;
		(void)madvise(at, side->file_bytes, MADV_SEQUENTIAL);
		file.octets = at;
	}
	*ret_file = file;
	return 0;
}

void
mef_file_close(struct mef_file *file)
{
	if (file->octets)
		(void)munmap(
		    (void *)(uintptr_t)file->octets, file->side.file_bytes);
	file->octets = NULL;
}

void
mef_file_chunk(const struct mef_file *file, uint64_t chunk, uint32_t *ret_words)
{
	const uint64_t end = mef_side_words(&file->side);
	const uint64_t begin = chunk * MEF_CHUNK;
	uint64_t n = begin < end ? end - begin : 0;

	if (n > MEF_CHUNK)
		n = MEF_CHUNK;
	if (n > 0)
		memcpy(ret_words, file->octets + begin * WORD, n * WORD);
	if (n < MEF_CHUNK)
		memset(ret_words + n, 0, (MEF_CHUNK - n) * WORD);
}

struct mef_known
mef_file_known(const struct mef_file *file, uint64_t i)
{
	struct mef_known known;

	memcpy(&known,
	    file->octets + file->side.known_offset + i * sizeof(known),
	    sizeof(known));
	return known;
}

/* Strictly ascending, and none that says nothing. */
static bool
is_in_order(const struct mef_file *file)
{
	struct mef_known last = {.n = {0}};

	for (uint64_t i = 0; i < file->side.n_known; i++) {
		const struct mef_known k = mef_file_known(file, i);

		if (k.n[MEF_BENIGN] == 0 && k.n[MEF_MALICIOUS] == 0)
			return false;
		if (i > 0 &&
		    memcmp(&k.digest, &last.digest, sizeof(k.digest)) <= 0)
			return false;
		last = k;
	}
	return true;
}

static int
read_side(int fd, struct mef_update_side *ret, char *err, size_t err_size)
{
	struct mef_head head;
	struct stat st;
	int r = fstat(fd, &st) < 0 ? -errno : 0;

	if (r == 0 && !S_ISREG(st.st_mode))
		r = -EINVAL;
	if (r == 0)
		r = pread_all(fd, &head, sizeof(head), 0);
	if (r < 0 && r != -ENODATA) {
		(void)snprintf(err, err_size, "%s", strerror(-r));
		return r;
	}
	if (r < 0 || memcmp(head.magic, MEF_MAGIC, sizeof(head.magic)) != 0 ||
	    head.format != MEF_FORMAT) {
		(void)snprintf(err, err_size,
		    "no model of format %u; make one by `sluice model train`",
		    MEF_FORMAT);
		return -EBADMSG;
	}
	*ret = (struct mef_update_side){
	    .release = head.release,
	    .n_documents = {head.n_documents[0], head.n_documents[1]},
	    .file_bytes = (uint64_t)st.st_size,
	    .known_offset = head.known_offset,
	    .n_known = head.n_known,
	};
	return 0;
}

int
mef_file_open(int fd, struct mef_file *ret_file, char *err, size_t err_size)
{
	struct mef_update_side side;
	struct mef_file file;
	int r = read_side(fd, &side, err, err_size);

	if (r < 0)
		return r;
	r = mef_side_is_sound(&side) ? mef_file_map(fd, &side, &file)
				     : -EBADMSG;
	if (r == 0 && !is_in_order(&file)) {
		mef_file_close(&file);
		r = -EBADMSG;
	}
	if (r == -EBADMSG)
		(void)snprintf(err, err_size,
		    "a damaged model: its known documents are not where its "
		    "head says, or not in order; take another copy");
	else if (r < 0)
		(void)snprintf(err, err_size, "%s", strerror(-r));
	else
		*ret_file = file;
	return r;
}
