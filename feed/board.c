#include "feed/board.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define BOARD_MAGIC UINT64_C(0x326472616f626673) /* "sfboard2" */
#define WORDS       (sizeof(struct board) / sizeof(uint64_t))

static_assert(sizeof(struct board) == WORDS * sizeof(uint64_t), "no padding");
static_assert(ATOMIC_LONG_LOCK_FREE == 2, "words are shared without a lock");

struct board_map {
	_Atomic uint64_t magic; /* stored last: the file is whole */
	_Atomic uint64_t words[WORDS];
};

/* Map a file that is at least as long as the map. */
static int
map_fd(int fd, int prot, struct board_map **ret_map)
{
	void *map = mmap(NULL, sizeof(**ret_map), prot, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	*ret_map = map;
	return 0;
}

int
board_create(const char *runtime, struct board_map **ret_map)
{
	CLEANUP(free_ptr) char *tmp = xasprintf("%s/feed/board.new", runtime);
	CLEANUP(free_ptr) char *path = xasprintf("%s/feed/board", runtime);
	CLEANUP(close_fd) int fd = -1;
	struct board_map *map;
	int r;

	fd = open(
	    tmp, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, sizeof(*map)) < 0)
		return -errno;
	r = map_fd(fd, PROT_READ | PROT_WRITE, &map);
	if (r < 0)
		return r;
	atomic_store_explicit(&map->magic, BOARD_MAGIC, memory_order_release);
	if (rename(tmp, path) < 0) {
		r = -errno;
		(void)board_close(map);
		return r;
	}
	*ret_map = map;
	return 0;
}

struct board_map *
board_close(struct board_map *map)
{
	if (map)
		(void)munmap(map, sizeof(*map));
	return NULL;
}

void
board_write(struct board_map *map, const struct board *board)
{
	const uint64_t *from = (const uint64_t *)board;

	for (size_t i = 0; i < WORDS; i++)
		atomic_store_explicit(
		    &map->words[i], from[i], memory_order_relaxed);
}

static int
map_read(const struct board_map *map, struct board *ret_board)
{
	uint64_t *to = (uint64_t *)ret_board;

	if (atomic_load_explicit(&map->magic, memory_order_acquire) !=
	    BOARD_MAGIC)
		return -EBADMSG;
	for (size_t i = 0; i < WORDS; i++)
		to[i] =
		    atomic_load_explicit(&map->words[i], memory_order_relaxed);
	return ret_board->lanes <= BOARD_MAX_LANES ? 0 : -EBADMSG;
}

int
board_read(const char *runtime, struct board *ret_board)
{
	CLEANUP(free_ptr) char *path = xasprintf("%s/feed/board", runtime);
	CLEANUP(close_fd)
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct board_map *map;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size != sizeof(*map))
		return -EBADMSG;
	r = map_fd(fd, PROT_READ, &map);
	if (r < 0)
		return r;
	r = map_read(map, ret_board);
	(void)board_close(map);
	return r;
}
