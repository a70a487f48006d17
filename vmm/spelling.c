#include "vmm/spelling.h"

#include "common/cleanup.h"

#include <stdbool.h>
#include <string.h>

static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c == '\\' ? '/' : c;
}

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Put `by` in the place of the first n octets; it must not be longer. */
static void
replace(char *text, size_t n, const char *by)
{
	const size_t m = strlen(by);

	memcpy(text, by, m);
	memmove(text + m, text + n, strlen(text + n) + 1);
}

/* Wine: /root/.wine/drive_c/users and .../dosdevices/c:/users are
 * c:/users, and z:/tmp is /tmp. */
static void
drives(char *path)
{
	char *at;

	if (begins(path, "z:/"))
		replace(path, 3, "/");
	if ((at = strstr(path, "/dosdevices/")) && at[12] && at[13] == ':') {
		memmove(path, at + 12, strlen(at + 12) + 1);
	} else if ((at = strstr(path, "/drive_")) && at[7] &&
		   (at[8] == '/' || !at[8])) {
		path[0] = at[7];
		path[1] = ':';
		memmove(path + 2, at + 8, strlen(at + 8) + 1);
	}
}

/* Where a path begins to have components: behind / or c:/. */
static char *
root_end(char *path)
{
	if (path[0] == '/')
		return path + 1;
	return path[0] && path[1] == ':' && path[2] == '/' ? path + 3 : path;
}

/* Without empty components, "." and "..". */
static void
straighten(char *path)
{
	char *const root = root_end(path);
	char *from = root, *to = root;

	while (*from) {
		const size_t n = strcspn(from, "/");

		if (n == 2 && begins(from, "..")) {
			for (to -= to > root; to > root && to[-1] != '/';)
				to--;
		} else if (n > 1 || (n == 1 && from[0] != '.')) {
			memmove(to, from, n);
			to += n;
			if (from[n] == '/')
				*to++ = '/';
		}
		from += n + (from[n] == '/');
	}
	*to = '\0';
}

static void
spell_path(char *path)
{
	static const char *const prefixes[] = {"/?"
					       "?/unix/",
	    "/?"
	    "?/",
	    "//?/unix/", "//?/", "//./"};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (begins(path, prefixes[i])) {
			replace(path, strlen(prefixes[i]),
			    strstr(prefixes[i], "unix") ? "/" : "");
			break;
		}
	drives(path);
	straighten(path);
}

static void
spell_key(char *key)
{
	static const char *const roots[][2] = {
	    {"registry/machine/", "hklm/"},
	    {"hkey_local_machine/", "hklm/"},
	    {"machine/", "hklm/"},
	    {"hkey_current_user/", "hkcu/"},
	    {"hkey_classes_root/", "hkcr/"},
	    {"registry/user/", "hku/"},
	    {"hkey_users/", "hku/"},
	};
	char *at = key;

	straighten(key);
	replace(key, strspn(key, "/"), "");
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
		if (begins(key, roots[i][0])) {
			replace(key, strlen(roots[i][0]), roots[i][1]);
			break;
		}
	/* A user by his number: there is one in a guest. */
	if (begins(key, "hku/s-1-5-") && (at = strchr(key + 4, '/')))
		replace(key, (size_t)(at - key), "hkcu");
	while ((at = strstr(key, "/wow6432node")))
		replace(at, strlen("/wow6432node"), "");
}

static void
spell_command(char *line)
{
	const char *from = line;
	char *to = line;

	for (; *from; from++) {
		const bool is_blank =
		    *from == ' ' || *from == '\t' || *from == '\n';

		if (*from == '^' || (is_blank && to > line && to[-1] == ' '))
			continue;
		*to++ = is_blank ? ' ' : *from;
	}
	*to = '\0';
}

size_t
spell(enum spelling spelling, const char *text, size_t length, char *ret)
{
	for (size_t i = 0; i < length; i++)
		ret[i] = fold(text[i]);
	ret[length] = '\0';
	switch (spelling) {
	case SPELL_TEXT:
		return length;
	case SPELL_PATH:
		spell_path(ret);
		break;
	case SPELL_KEY:
		spell_key(ret);
		break;
	case SPELL_COMMAND:
		spell_command(ret);
		break;
	}
	return strlen(ret);
}
