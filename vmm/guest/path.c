#include "vmm/guest/path.h"

#include <stdlib.h>
#include <string.h>

/* Append the components of path to the n octets at ret; returns their number.
 */
static size_t
append(const char *path, char *ret, size_t n)
{
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.') {
			while (n > 0 && ret[--n] != '/')
				;
		} else if (len > 0 && !(len == 1 && path[0] == '.')) {
			if (n + 1 + len >= PATH_MAX)
				return n;
			ret[n++] = '/';
			memcpy(ret + n, path, len);
			n += len;
		}
		path += len + strspn(path + len, "/");
	}
	return n;
}

void
path_absolute(const char *base, const char *path, char ret[PATH_MAX])
{
	size_t n = 0;

	if (path[0] != '/')
		n = append(base, ret, n);
	n = append(path, ret, n);
	if (n == 0)
		ret[n++] = '/';
	ret[n] = '\0';
}

void
path_file_name(char *name)
{
	char *slash = strrchr(name, '/');

	if (slash)
		memmove(name, slash + 1, strlen(slash));
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		(void)strcpy(name, "attachment");
}

bool
path_is_in(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (path[n] == '/' || !path[n]);
}

int
path_proc_pid(const char *path, int self)
{
	if (strncmp(path, "/proc/", 6) != 0)
		return 0;
	if (strncmp(path + 6, "self/", 5) == 0 ||
	    strncmp(path + 6, "thread-self/", 12) == 0)
		return self;
	return atoi(path + 6);
}
