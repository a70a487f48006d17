/*
 * What the acting programs share.  They play what rules are about, with
 * nothing in it that could harm, and only inside a guest: there the agent
 * lies under the names of its decoys, which no other machine has.
 */
#ifndef SLUICE_TESTS_VM_ACTOR_H
#define SLUICE_TESTS_VM_ACTOR_H

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACTOR_REFUSES 77
#define ACTOR_PATH    512
#define ACTOR_FILES   32

/* Leave at once if this is no guest. */
static inline void
actor_only_in_guest(void)
{
	struct stat agent, decoy;

	if (stat("/init", &agent) < 0 || stat("/usr/sbin/auditd", &decoy) < 0 ||
	    agent.st_ino != decoy.st_ino || agent.st_dev != decoy.st_dev ||
	    agent.st_nlink < 2 || getuid() != 0)
		_exit(ACTOR_REFUSES);
}

__attribute__((unused)) static void
actor_write(const char *path, const void *octets, size_t n, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	if (fd < 0)
		return;
	(void)!write(fd, octets, n);
	(void)close(fd);
}

__attribute__((unused)) static size_t
actor_read(const char *path, char *octets, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, octets, size - 1);

	if (fd >= 0)
		(void)close(fd);
	octets[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

__attribute__((unused)) static void
actor_copy(const char *from, const char *to, mode_t mode)
{
	static char octets[4u << 20];
	int fd = open(from, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, octets, sizeof(octets));

	if (fd >= 0)
		(void)close(fd);
	if (n > 0)
		actor_write(to, octets, (size_t)n, mode);
}

/* Run a program to its end. */
__attribute__((unused)) static void
actor_run(const char *path, const char *arg)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)execl(path, path, arg, (char *)NULL);
		_exit(1);
	}
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
}

/* The plain files of a directory, not more than there is room for. */
__attribute__((unused)) static size_t
actor_files(const char *dir, char paths[ACTOR_FILES][ACTOR_PATH])
{
	DIR *open_dir = opendir(dir);
	struct dirent *entry;
	size_t n = 0;

	while (open_dir && n < ACTOR_FILES && (entry = readdir(open_dir)))
		if (entry->d_type == DT_REG)
			(void)snprintf(paths[n++], ACTOR_PATH, "%s/%s", dir,
			    entry->d_name);
	if (open_dir)
		(void)closedir(open_dir);
	return n;
}

/* A path with another end. */
__attribute__((unused)) static const char *
actor_with(const char *path, const char *end)
{
	static char to[2 * ACTOR_PATH];

	(void)stpcpy(stpcpy(to, path), end);
	return to;
}

/* Connect, or -1. */
__attribute__((unused)) static int
actor_connect(const char *addr, uint16_t port)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)inet_pton(AF_INET, addr, &to.sin_addr);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* Connect, say something, hear the answer. */
__attribute__((unused)) static void
actor_send(const char *addr, uint16_t port, const char *text, size_t n)
{
	char answer[512];
	int fd = actor_connect(addr, port);

	if (fd < 0)
		return;
	(void)!write(fd, text, n);
	(void)shutdown(fd, SHUT_WR);
	(void)!read(fd, answer, sizeof(answer));
	(void)close(fd);
}

/* A name that means "this program". */
#define ACTOR_SELF "/proc/self/exe"

/* A command to a mail server; its answer is waited for. */
__attribute__((unused)) static void
actor_say(int fd, const char *line)
{
	char answer[512];

	(void)!write(fd, line, strlen(line));
	(void)!read(fd, answer, sizeof(answer));
}

__attribute__((unused)) static void
actor_mail(const char *to)
{
	char line[ACTOR_PATH];
	int fd = actor_connect("198.51.100.25", 25);

	if (fd < 0)
		return;
	(void)!read(fd, line, sizeof(line));
	actor_say(fd, "EHLO guest\r\n");
	actor_say(fd, "MAIL FROM:<user@example.net>\r\n");
	(void)snprintf(line, sizeof(line), "RCPT TO:<%s>\r\n", to);
	actor_say(fd, line);
	actor_say(fd, "DATA\r\n");
	actor_say(fd, "Subject: for you\r\n\r\nhello\r\n.\r\n");
	actor_say(fd, "QUIT\r\n");
	(void)close(fd);
}

#endif
