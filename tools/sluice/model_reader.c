/*
 * tools/sluice/model_reader.c - a small process is forked before there is a
 * model; it forks one reader a document, which opens it, gives up all
 * else, and leaves its bag in a file without a name that all three share.
 */
#include "tools/sluice/model_reader.h"

#include "common/io.h"
#include "common/proc.h"
#include "common/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* A bag of every feature of each family, the document, and room to sort. */
#define READER_BYTES   (MEF_DOCUMENT_MAX + (UINT64_C(1) << 30))
#define READER_CPU_SEC 60u

struct model_reader {
	int socket, file;
	pid_t pid;
};

/* Ahead of the packed bag; written first by the reader. */
struct outcome {
	int32_t error; /* -errno of opening; 0 */
	uint32_t reserved;
	struct digest digest;
	uint64_t bytes;
};

static int
map_document(const char *path, struct outcome *o, const void **ret_at)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	const void *at;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > MEF_DOCUMENT_MAX)
		return -EFBIG;
	o->bytes = (uint64_t)st.st_size;
	*ret_at = "";
	if (st.st_size == 0)
		return 0;
	at = mmap(NULL, (size_t)st.st_size, PROT_READ,
	    MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	*ret_at = at;
	return 0;
}

static _Noreturn void
read_one(int file, const char *path, enum mef_set set, bool is_list)
{
	struct outcome o = {.bytes = 0};
	struct mef_bag *bag;
	const void *at = NULL;
	void *packed;
	size_t n;

	o.error = map_document(path, &o, &at);
	if (o.error == 0)
		o.digest = digest_memory(at, o.bytes);
	if (write_all(file, &o, sizeof(o)) < 0 || o.error != 0)
		_exit(0);
	if (sandbox_reader(READER_BYTES, READER_CPU_SEC) < 0)
		_exit(111);
	bag = mef_bag_new();
	if (is_list)
		mef_extract_list(bag, set, at, o.bytes);
	else
		mef_extract(bag, set, at, o.bytes);
	packed = mef_bag_pack(bag, &n);
	_exit(write_all(file, packed, n) < 0 ? 111 : 0);
}

static _Noreturn void
serve(struct model_reader *reader, enum mef_set set, bool is_list)
{
	char path[PATH_MAX];
	ssize_t n;

	/* Once here, not in each reader: SHA-256 is looked up. */
	(void)digest_memory("", 0);
	while ((n = recv(reader->socket, path, sizeof(path) - 1, 0)) > 0) {
		int status = -1;
		pid_t pid;

		path[n] = '\0';
		if (ftruncate(reader->file, 0) < 0 ||
		    lseek(reader->file, 0, SEEK_SET) < 0)
			_exit(111);
		pid = fork();
		if (pid == 0)
			read_one(reader->file, path, set, is_list);
		if (pid > 0)
			while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
				;
		if (send(reader->socket, &status, sizeof(status), 0) < 0)
			break;
	}
	_exit(0);
}

struct model_reader *
model_reader_new(enum mef_set set, bool is_list)
{
	struct model_reader *reader = xcalloc(1, sizeof(*reader));
	const pid_t parent = getpid();
	int pair[2];

	reader->file = memfd_new("sluice-bag");
	if (reader->file < 0 || fflush(NULL) != 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	reader->pid = fork();
	if (reader->pid < 0)
		abort();
	if (reader->pid == 0) {
		proc_bind_to_parent(parent);
		(void)close(pair[0]);
		reader->socket = pair[1];
		serve(reader, set, is_list);
	}
	(void)close(pair[1]);
	reader->socket = pair[0];
	return reader;
}

struct model_reader *
model_reader_free(struct model_reader *reader)
{
	if (!reader)
		return NULL;
	(void)close(reader->socket);
	(void)close(reader->file);
	(void)waitpid(reader->pid, NULL, 0);
	free(reader);
	return NULL;
}

static int
take_bag(int file, struct mef_bag **ret_bag, struct outcome *ret_outcome)
{
	struct stat st;
	void *at;
	int r;

	if (fstat(file, &st) < 0)
		return -errno;
	if ((size_t)st.st_size < sizeof(*ret_outcome))
		return -EPROTO;
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, file, 0);
	if (at == MAP_FAILED)
		return -errno;
	memcpy(ret_outcome, at, sizeof(*ret_outcome));
	r = ret_outcome->error;
	if (r == 0)
		r = mef_bag_unpack((const char *)at + sizeof(*ret_outcome),
		    (size_t)st.st_size - sizeof(*ret_outcome), ret_bag);
	(void)munmap(at, (size_t)st.st_size);
	return r == -EBADMSG ? -EPROTO : r;
}

int
model_reader_read(struct model_reader *reader, const char *path,
    struct mef_bag **ret_bag, struct digest *ret_digest, uint64_t *ret_bytes,
    char *err, size_t err_size)
{
	struct outcome outcome;
	int status, r;

	if (strlen(path) >= PATH_MAX - 1)
		return -ENAMETOOLONG;
	if (send(reader->socket, path, strlen(path), MSG_NOSIGNAL) < 0 ||
	    recv(reader->socket, &status, sizeof(status), 0) !=
		(ssize_t)sizeof(status))
		r = -EPROTO;
	else
		r = status == 0 ? take_bag(reader->file, ret_bag, &outcome)
				: -EPROTO;
	if (r == -EPROTO)
		(void)snprintf(err, err_size,
		    "%s: its reader died; please report this file's digest",
		    path);
	else if (r < 0)
		(void)snprintf(err, err_size, "%s: %s", path, strerror(-r));
	if (r < 0)
		return r;
	*ret_digest = outcome.digest;
	*ret_bytes = outcome.bytes;
	return 0;
}
