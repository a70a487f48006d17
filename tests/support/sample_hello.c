/*
 * tests/support/sample_hello.c - a program for a guest: writes a file and ends
 * with 7.
 */
#include <fcntl.h>
#include <unistd.h>

int
main(void)
{
	int fd = open("hello.txt", O_WRONLY | O_CREAT, 0644);

	return fd >= 0 && write(fd, "hello\n", 6) == 6 ? 7 : 1;
}
