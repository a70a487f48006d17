#include "vmm/guest/opener.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"

#define EM_386_OCTET    3 /* e_machine at 18, little endian */
#define EM_X86_64_OCTET 62

static bool
is_elf(const struct opener_file *file)
{
	return file->head_bytes > 19 && memcmp(file->head, "\177ELF", 4) == 0 &&
	       (file->head[18] == EM_386_OCTET ||
		   file->head[18] == EM_X86_64_OCTET) &&
	       file->head[19] == 0;
}

/* Is the word at s one of a list of words parted by spaces?  Digits and dots
 * at its end don't matter: python3.11 is python. */
static bool
is_listed(const char *s, size_t n, const char *list)
{
	while (n > 0 && strchr("0123456789.", s[n - 1]))
		n--;
	while (n > 0 && *list) {
		size_t word = strcspn(list, " ");

		if (word == n && strncasecmp(list, s, n) == 0)
			return true;
		list += word + strspn(list + word, " ");
	}
	return false;
}

/* The name of the interpreter in a first line: of "#!/bin/sh -e" it is sh, of
 * "#! /usr/bin/env -S python3 -u" python3.  Returns its length, 0: none. */
static size_t
interpreter(const struct opener_file *file, const char **ret)
{
	const char *s = (const char *)file->head, *end, *word;

	if (file->head_bytes < 3 || s[0] != '#' || s[1] != '!')
		return 0;
	end = memchr(s, '\n', file->head_bytes);
	end = end ? end : s + file->head_bytes;
	s += 2;
	for (;;) {
		while (s < end && (*s == ' ' || *s == '\t'))
			s++;
		for (word = s; s < end && !strchr(" \t\r", *s); s++)
			if (*s == '/')
				word = s + 1;
		*ret = word;
		if (s == word || !((s - word == 3 && !memcmp(word, "env", 3)) ||
				     *word == '-'))
			return (size_t)(s - word);
	}
}

/* A row: what the file must be, and the program that then opens it. */
struct row {
	const char *how;
	bool (*is_it)(const struct opener_file *file); /* by its octets */
	const char *interpreters;          /* after #!, without their version */
	const char *types;                 /* MIME types */
	const char *suffixes;              /* of the name */
	const char *argv[OPENER_ARGS - 1]; /* the file follows; {NULL}: none */
};

#define SHELLS   "sh bash dash ash ksh zsh"
#define SH_TYPES "text/x-shellscript application/x-shellscript application/x-sh"
#define PY_TYPES "text/x-python text/x-script.python application/x-python"
#define PL_TYPES "text/x-perl application/x-perl"

/* The first row that fits and whose program is there. */
static const struct row rows[] = {
    {"elf", is_elf, NULL, NULL, NULL, {NULL}},
    {"shell", NULL, SHELLS, SH_TYPES, "sh bash", {"/bin/bash"}},
    {"shell", NULL, SHELLS, SH_TYPES, "sh bash", {"/bin/sh"}},
    {"python", NULL, "python", PY_TYPES, "py", {"/usr/bin/python3"}},
    {"perl", NULL, "perl", PL_TYPES, "pl", {"/usr/bin/perl"}},
};

static bool
fits(const struct row *row, const struct opener_file *file)
{
	const char *word, *dot = strrchr(file->name, '.');
	size_t n = interpreter(file, &word);

	if (row->is_it)
		return row->is_it(file);
	if (n > 0) /* it says itself what it wants, whatever its name is */
		return row->interpreters &&
		       is_listed(word, n, row->interpreters);
	if (row->types && is_listed(file->type, strlen(file->type), row->types))
		return true;
	return row->suffixes && dot &&
	       is_listed(dot + 1, strlen(dot + 1), row->suffixes);
}

int
opener_choose(const struct opener_file *file,
    bool (*is_there)(const char *path), struct opener *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		size_t n = 0;

		if (!fits(row, file))
			continue;
		if (row->argv[0] && !is_there(row->argv[0]))
			continue;
		memset(ret, 0, sizeof(*ret));
		ret->how = row->how;
		ret->file = file->path;
		while (n < ARRAY_SIZE(row->argv) && row->argv[n]) {
			ret->argv[n] = row->argv[n];
			n++;
		}
		ret->argv[n] = file->path;
		return 0;
	}
	return -ENOENT;
}
