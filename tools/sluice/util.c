#include "tools/sluice/util.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/io.h"
#include "queues/spool.h"
#include "tools/sluice/command.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

error_t
util_common_option(int key, char *arg, struct common_options *options)
{
	switch (key) {
	case 'c':
		options->conf_path = arg;
		return 0;
	case 'j':
		options->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void
util_parse(const struct argp *argp, int argc, char **argv, void *options)
{
	error_t r = argp_parse(argp, argc, argv, 0, NULL, options);

	if (r != 0)
		exit(util_fail(STATUS_USAGE, argv[0], "%s", strerror(r)));
}

int
util_fail(int status, const char *command, const char *fmt, ...)
{
	va_list ap;

	(void)fflush(stdout);
	(void)fprintf(stderr, "sluice%s%s: ", command[0] ? " " : "",
	    strncmp(command, "sluice ", 7) == 0 ? command + 7 : command);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	return status;
}

uint64_t
util_parse_span(struct argp_state *state, const char *text)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 10);
	uint64_t unit = USEC_PER_SEC;

	if (strcmp(end, "m") == 0)
		unit *= 60;
	else if (strcmp(end, "h") == 0)
		unit *= 3600;
	else if (strcmp(end, "d") == 0)
		unit *= 86400;
	else if (*end && strcmp(end, "s") != 0)
		n = 0;
	/* A million days, and the product fits. */
	if (n == 0 || n > UINT32_MAX || n * unit > 86400000000 * USEC_PER_SEC)
		argp_error(
		    state, "%s: write a span such as 90s, 5m, 4h or 7d", text);
	return n * unit;
}

struct conf *
util_conf(const struct common_options *options, int *ret_status)
{
	const char *path =
	    options->conf_path ? options->conf_path : UTIL_CONF_DEFAULT;
	struct conf *conf = NULL;
	char err[512];
	int r = conf_load(path, &conf, err, sizeof(err));

	if (r == 0)
		return conf;
	/* A file that isn't there is the caller's mistake, not the system's. */
	*ret_status = r == -EINVAL || r == -ENOENT || r == -EISDIR
			  ? STATUS_USAGE
			  : STATUS_SYSTEM;
	(void)fprintf(stderr, "sluice: %s\n", err);
	return NULL;
}

char *
util_bytes(uint64_t bytes, char *buf, size_t size)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double n = (double)bytes;
	size_t u = 0;

	while (n >= 1024 && u + 1 < ARRAY_SIZE(units)) {
		n /= 1024;
		u++;
	}
	(void)snprintf(buf, size, u ? "%.1f %s" : "%.0f %s", n, units[u]);
	return buf;
}

char *
util_span(uint64_t usec, char *buf, size_t size)
{
	uint64_t sec = usec / USEC_PER_SEC;

	if (usec < USEC_PER_SEC)
		(void)snprintf(buf, size, "%.1f ms", (double)usec / 1e3);
	else if (sec < 120)
		(void)snprintf(buf, size, "%.1f s", (double)usec / 1e6);
	else if (sec < 7200)
		(void)snprintf(buf, size, "%" PRIu64 " m %02" PRIu64 " s",
		    sec / 60, sec % 60);
	else if (sec < 172800)
		(void)snprintf(buf, size, "%" PRIu64 " h %02" PRIu64 " m",
		    sec / 3600, sec / 60 % 60);
	else
		(void)snprintf(buf, size, "%" PRIu64 " d %02" PRIu64 " h",
		    sec / 86400, sec / 3600 % 24);
	return buf;
}

char *
util_time(uint64_t wall_usec, char *buf, size_t size)
{
	time_t t = (time_t)(wall_usec / USEC_PER_SEC);
	struct tm tm;
	char text[32];

	if (!localtime_r(&t, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)snprintf(text, sizeof(text), "?");
	(void)snprintf(buf, size, "%s.%03u", text,
	    (unsigned int)(wall_usec / USEC_PER_MSEC % 1000));
	return buf;
}

int
util_count_messages(int dirfd, uint64_t *ret_count, uint64_t *ret_bytes,
    uint64_t *ret_oldest_usec)
{
	uint64_t now = wall_now().usec, oldest = 0, count = 0, bytes = 0;
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!dir) {
		int r = -errno;

		close_fd(&fd);
		return r;
	}
	while ((e = readdir(dir))) {
		bool qf = spool_id_of(e->d_name, "qf") != NULL;
		struct stat st;
		uint64_t t;

		count += qf;
		if (!ret_oldest_usec ||
		    (!qf && !spool_id_of(e->d_name, "df")) ||
		    fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue; /* gone meanwhile: not waiting any more */
		bytes += (uint64_t)st.st_size;
		t = (uint64_t)st.st_mtim.tv_sec * USEC_PER_SEC;
		if (qf && t < now && now - t > oldest)
			oldest = now - t;
	}
	(void)closedir(dir);
	*ret_count = count;
	if (ret_bytes)
		*ret_bytes = bytes;
	if (ret_oldest_usec)
		*ret_oldest_usec = oldest;
	return 0;
}

int
util_count_older(int dirfd, uint64_t age_usec, uint64_t *ret_count)
{
	const uint64_t now = wall_now().usec;
	CLEANUP(close_fd)
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	uint64_t count = 0;
	struct dirent *e;

	if (!dir)
		return -errno;
	(void)TAKE_FD(fd); /* dir's */
	while ((e = readdir(dir))) {
		struct stat st;

		if (spool_id_of(e->d_name, "qf") &&
		    fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    (uint64_t)st.st_mtim.tv_sec * USEC_PER_SEC + age_usec < now)
			count++;
	}
	(void)closedir(dir);
	*ret_count = count;
	return 0;
}
