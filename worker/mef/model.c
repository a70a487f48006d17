#include "worker/mef/model_priv.h"

#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define LOG_CELLS_LEAST 10u
#define LOG_CELLS_MOST  26u

/* Default sizes: with the moments 104 MB; of the set of 2001 64 MiB. */
static const unsigned int default_sizes[MEF_SETS][MEF_FAMILIES] = {
    [MEF_SET_FULL] = {22, 21, 21, 18, 17, 20, 0},
    [MEF_SET_2001] = {0, 0, 0, 0, 0, 0, 23},
};

static uint64_t
round_up(uint64_t bytes)
{
	return (bytes + MEF_PAGE - 1) / MEF_PAGE * MEF_PAGE;
}

void
mef_head_init(struct mef_head *head, enum mef_set set, unsigned int log_cells)
{
	uint64_t at = MEF_PAGE;

	*head = (struct mef_head){
	    .format = MEF_FORMAT, .set = set, .point = {.slope = 1000000}};
	memcpy(head->magic, MEF_MAGIC, sizeof(head->magic));
	for (int f = 0; f < MEF_FAMILIES; f++) {
		struct mef_table *table = &head->tables[f];

		if (default_sizes[set][f] == 0)
			continue;
		table->log_cells =
		    log_cells ? log_cells : default_sizes[set][f];
		table->offset = at;
		at += round_up(sizeof(struct mef_cell) << table->log_cells);
	}
	if (set == MEF_SET_FULL) {
		head->moments_dims = MOMENT_DIMS;
		head->moments_offset = at;
		at += round_up(MEF_CLASSES * MOMENT_SUMS * sizeof(int64_t));
	}
	head->known_offset = head->file_bytes = at;
}

struct digest
mef_head_digest(const struct mef_head *head)
{
	struct mef_head copy = *head;

	memset(&copy.head, 0, sizeof(copy.head));
	return digest_memory(&copy, sizeof(copy));
}

/* Only layouts that we would make ourselves: nothing else need be checked. */
bool
mef_head_is_sane(const struct mef_head *head, uint64_t file_bytes)
{
	struct mef_head ours;
	unsigned int log_cells = 0;

	if (memcmp(head->magic, MEF_MAGIC, sizeof(head->magic)) != 0 ||
	    head->format != MEF_FORMAT || head->set >= MEF_SETS ||
	    (head->flags & ~MEF_PRUNED) != 0 || head->point.slope <= 0)
		return false;
	for (int f = 0; f < MEF_FAMILIES; f++)
		if (default_sizes[head->set][f] != 0)
			log_cells = head->tables[f].log_cells;
	if (log_cells < LOG_CELLS_LEAST || log_cells > LOG_CELLS_MOST)
		return false;
	mef_head_init(&ours, (enum mef_set)head->set, log_cells);
	if (memcmp(&ours.known_offset, &head->known_offset, 8) != 0)
		mef_head_init(&ours, (enum mef_set)head->set, 0);
	for (int f = 0; f < MEF_FAMILIES; f++)
		if (ours.tables[f].offset != head->tables[f].offset ||
		    ours.tables[f].log_cells != head->tables[f].log_cells)
			return false;
	return ours.known_offset == head->known_offset &&
	       ours.moments_offset == head->moments_offset &&
	       ours.moments_dims == head->moments_dims &&
	       head->n_documents[0] <= MEF_DOCUMENTS_MAX &&
	       head->n_documents[1] <= MEF_DOCUMENTS_MAX &&
	       head->file_bytes == file_bytes &&
	       head->n_known <= MEF_FILE_MAX / sizeof(struct mef_known) &&
	       head->known_offset + head->n_known * sizeof(struct mef_known) ==
		   file_bytes;
}

struct mef_model *
mef_model_new(enum mef_set set, unsigned int log_cells)
{
	struct mef_model *model = xcalloc(1, sizeof(*model));

	assert(log_cells == 0 ||
	       (log_cells >= LOG_CELLS_LEAST && log_cells <= LOG_CELLS_MOST));
	mef_head_init(&model->head, set, log_cells);
	model->map_bytes = (size_t)model->head.known_offset;
	model->map = mmap(NULL, model->map_bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (model->map == MAP_FAILED)
		abort();
	model->is_writable = true;
	return model;
}

struct mef_model *
mef_model_free(struct mef_model *model)
{
	if (!model)
		return NULL;
	if (model->map)
		(void)munmap(model->map, model->map_bytes);
	free(model->known);
	for (int c = 0; c < MEF_CLASSES; c++)
		free(model->late[c]);
	free(model->weights);
	free(model);
	return NULL;
}

static int
refuse(char *err, size_t err_size, const char *why)
{
	(void)snprintf(err, err_size, "%s", why);
	return -EBADMSG;
}

/* Known documents that are out of order could not be found. */
static bool
known_are_sorted(const struct mef_model *model)
{
	const struct mef_known *known = mef_model_known(model);

	for (uint64_t i = 0; i < model->head.n_known; i++)
		if (i > 0 && memcmp(&known[i - 1].digest, &known[i].digest,
				 sizeof(known[i].digest)) >= 0)
			return false;
	return true;
}

static int
check_model(const struct mef_model *model, char *err, size_t err_size)
{
	const struct digest head = mef_head_digest(&model->head);
	const struct digest counts =
	    digest_memory(model->map + MEF_PAGE, model->map_bytes - MEF_PAGE);

	if (!mef_head_is_sane(&model->head, model->map_bytes))
		return refuse(err, err_size,
		    "no model of this version (its head is of another "
		    "format): train or fetch it again");
	if (memcmp(&head, &model->head.head, sizeof(head)) != 0 ||
	    memcmp(&counts, &model->head.counts, sizeof(counts)) != 0)
		return refuse(err, err_size,
		    "damaged: its checksum is wrong; fetch it again");
	if (!known_are_sorted(model))
		return refuse(err, err_size,
		    "known documents are not in order: fetch it again");
	return 0;
}

static int
map_file(int fd, struct mef_model *model, char *err, size_t err_size)
{
	struct stat st;
	int r = fstat(fd, &st) < 0 ? -errno : 0;

	if (r == 0 && !S_ISREG(st.st_mode))
		return refuse(err, err_size, "no regular file: name a model");
	if (r == 0 && (uint64_t)st.st_size > MEF_FILE_MAX)
		r = -EFBIG;
	if (r == 0 && (size_t)st.st_size < MEF_PAGE + sizeof(uint64_t))
		return refuse(err, err_size, "too short for a model");
	if (r == 0) {
		void *map = mmap(
		    NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

		if (map == MAP_FAILED)
			r = -errno;
		else
			model->map = map;
	}
	if (r < 0) {
		(void)snprintf(err, err_size, "%s", strerror(-r));
		return r;
	}
	model->map_bytes = (size_t)st.st_size;
	model->is_mapped_file = true;
	memcpy(&model->head, model->map, sizeof(model->head));
	return check_model(model, err, err_size);
}

int
mef_model_open_fd(
    int fd, struct mef_model **ret_model, char *err, size_t err_size)
{
	CLEANUP(mef_model_freep)
	struct mef_model *model = xcalloc(1, sizeof(*model));
	int r = map_file(fd, model, err, err_size);

	if (r < 0)
		return r;
	*ret_model = TAKE_PTR(model);
	return 0;
}

int
mef_model_open(
    const char *path, struct mef_model **ret_model, char *err, size_t err_size)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char why[200];
	int r;

	if (fd < 0) {
		r = -errno;
		(void)snprintf(err, err_size, "%s: %s", path, strerror(-r));
		return r;
	}
	r = mef_model_open_fd(fd, ret_model, why, sizeof(why));
	if (r < 0)
		(void)snprintf(err, err_size, "%s: %s", path, why);
	return r;
}

int
mef_model_write(struct mef_model *model)
{
	if (model->head.flags & MEF_PRUNED)
		return -EROFS;
	free(model->weights);
	model->weights = NULL;
	if (model->is_writable)
		return 0;
	if (mprotect(model->map, model->map_bytes, PROT_READ | PROT_WRITE) < 0)
		return -errno;
	model->known_room = model->head.n_known + 1;
	model->known = xcalloc(model->known_room, sizeof(*model->known));
	memcpy(model->known, model->map + model->head.known_offset,
	    model->head.n_known * sizeof(*model->known));
	model->is_writable = true;
	return 0;
}

const struct mef_head *
mef_model_head(const struct mef_model *model)
{
	return &model->head;
}

struct mef_cell *
mef_cells(struct mef_model *model, enum mef_family family)
{
	const struct mef_table *table = &model->head.tables[family];

	return table->log_cells == 0
		   ? NULL
		   : (struct mef_cell *)(void *)(model->map + table->offset);
}

const struct mef_cell *
mef_model_cells(const struct mef_model *model, enum mef_family family)
{
	const struct mef_table *table = &model->head.tables[family];

	return table->log_cells == 0
		   ? NULL
		   : (const struct mef_cell *)(const void *)(model->map +
							     table->offset);
}

static struct moments
moments_of(const struct mef_model *model, enum mef_class class)
{
	int64_t *sums =
	    (int64_t *)(void *)(model->map + model->head.moments_offset);

	return (struct moments){sums + class * MOMENT_SUMS};
}

struct moments
mef_moments(const struct mef_model *model, enum mef_class class)
{
	const struct moments moments = moments_of(model, class);

	if (model->late[class] && model->late[class]->n > 0)
		moments_count_lot(moments, model->late[class]);
	return moments;
}

void
mef_moments_count(
    struct mef_model *model, const int32_t *x, enum mef_class class, int sign)
{
	struct moments_lot *lot = model->late[class];

	if (!lot)
		lot = model->late[class] = xcalloc(1, sizeof(*lot));
	if (lot->n == MOMENT_LOT || lot->sign != sign)
		(void)mef_moments(model, class);
	if (!moments_put(lot, x, sign))
		moments_count(moments_of(model, class), x, sign);
}

const struct mef_known *
mef_model_known(const struct mef_model *model)
{
	return model->known ? model->known
			    : (const struct mef_known *)(const void
				      *)(model->map + model->head.known_offset);
}

void
mef_model_set_point(struct mef_model *model, struct mef_point point)
{
	assert(point.slope > 0);
	model->head.point = point;
}

void
mef_model_set_release(
    struct mef_model *model, uint64_t release, const struct digest *base)
{
	model->head.release = release;
	model->head.base = *base;
}
