#include "vmm/guest/opener.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"

#define EM_386_OCTET    3 /* e_machine at 18, little endian */
#define EM_X86_64_OCTET 62

/* Of the PE format: where its offset is, its magic, a flag, a kind. */
#define PE_OFFSET_AT 60
#define PE_MAGIC     0x4550u
#define PE_IS_DLL    0x2000u
#define PE_64_BITS   0x20bu

static bool
is_elf(const struct opener_file *file)
{
	return file->head_bytes > 19 && memcmp(file->head, "\177ELF", 4) == 0 &&
	       (file->head[18] == EM_386_OCTET ||
		   file->head[18] == EM_X86_64_OCTET) &&
	       file->head[19] == 0;
}

static uint32_t
word_at(const struct opener_file *file, size_t at, size_t octets)
{
	uint32_t word = 0;

	if (at + octets > file->head_bytes)
		return 0;
	while (octets-- > 0)
		word = word << 8 | file->head[at + octets];
	return word;
}

/* A program for Windows that Wine can run: no library, and none for .NET,
 * which isn't there.  (One whose headers begin beyond what we have is taken
 * for one; Wine says so if it can't be started.) */
static bool
is_pe(const struct opener_file *file)
{
	const size_t header = word_at(file, PE_OFFSET_AT, 4);
	const size_t optional = header + 24;

	if (file->head_bytes < PE_OFFSET_AT + 4 || file->head[0] != 'M' ||
	    file->head[1] != 'Z')
		return false;
	if (header >= file->head_bytes)
		return true;
	if (word_at(file, header, 4) != PE_MAGIC)
		return false; /* of DOS or 16 bits */
	if (word_at(file, header + 22, 2) & PE_IS_DLL)
		return false;
	return word_at(file,
		   optional +
		       (word_at(file, optional, 2) == PE_64_BITS ? 224 : 208),
		   4) == 0;
}

/* The header of a shell link: its length, then its class. */
static bool
is_lnk(const struct opener_file *file)
{
	return file->head_bytes > 8 &&
	       memcmp(file->head, "L\0\0\0\1\24\2\0", 8) == 0;
}

/* An installer's package is a compound file like old documents: by its
 * name. */
static bool
is_msi(const struct opener_file *file)
{
	const char *dot = strrchr(file->name, '.');

	return file->head_bytes > 8 &&
	       memcmp(file->head, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8) == 0 &&
	       (strcmp(file->type, "application/x-msi") == 0 ||
		   (dot && strcasecmp(dot, ".msi") == 0));
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
	const char *windows; /* by Wine: the program, "": the file itself */
};

#define WINE   "/usr/lib/wine/wine64"
#define SYSTEM "C:\\windows\\system32\\"
#define JS_TYPES \
	"text/javascript application/javascript application/x-javascript"
#define VBS_TYPES "text/vbscript text/x-vbscript application/x-vbscript"
#define BAT_TYPES \
	"text/x-msdos-batch application/x-bat application/x-msdos-batch"

#define SHELLS   "sh bash dash ash ksh zsh"
#define SH_TYPES "text/x-shellscript application/x-shellscript application/x-sh"
#define PY_TYPES "text/x-python text/x-script.python application/x-python"
#define PL_TYPES "text/x-perl application/x-perl"

/* The first row that fits and whose program is there. */
static const struct row rows[] = {
    {"elf", is_elf, NULL, NULL, NULL, {NULL}, NULL},
    {"pe", is_pe, NULL, NULL, NULL, {WINE}, ""},
    {"js", NULL, NULL, JS_TYPES, "js jse", {WINE, "wscript.exe"},
	SYSTEM "wscript.exe"},
    {"vbs", NULL, NULL, VBS_TYPES, "vbs vbe", {WINE, "wscript.exe"},
	SYSTEM "wscript.exe"},
    {"wsf", NULL, NULL, NULL, "wsf", {WINE, "wscript.exe"},
	SYSTEM "wscript.exe"},
    {"bat", NULL, NULL, BAT_TYPES, "bat cmd", {WINE, "cmd.exe", "/c"},
	SYSTEM "cmd.exe"},
    {"lnk", is_lnk, NULL, NULL, NULL, {WINE, "start.exe", "/wait"},
	SYSTEM "start.exe"},
    {"msi", is_msi, NULL, NULL, NULL, {WINE, "msiexec.exe", "/qn", "/i"},
	SYSTEM "msiexec.exe"},
    {"shell", NULL, SHELLS, SH_TYPES, "sh bash", {"/bin/bash"}, NULL},
    {"shell", NULL, SHELLS, SH_TYPES, "sh bash", {"/bin/sh"}, NULL},
    {"python", NULL, "python", PY_TYPES, "py", {"/usr/bin/python3"}, NULL},
    {"perl", NULL, "perl", PL_TYPES, "pl", {"/usr/bin/perl"}, NULL},
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
		ret->argv[n] = row->windows ? file->windows_path : file->path;
		if (row->windows)
			ret->windows_program =
			    row->windows[0] ? row->windows : file->windows_path;
		return 0;
	}
	return -ENOENT;
}
