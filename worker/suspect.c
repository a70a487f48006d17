#include "worker/suspect.h"

#include "common/cleanup.h"
#include "worker/policy_priv.h"
#include "worker/reading.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LINUX "linux"
#define WINE  "wine"

/* Each kind once, with the class and the reference that it has. */
static const struct kind {
	const char *kind;
	enum suspect_class class;
	const char *reference;
	const char *types; /* as libmagic 5.44 names them, each with a blank
			      on both sides */
	const char *exts;  /* likewise; of a name as policy_name_set() has it */
} kinds[] = {
    {"elf", SUSPECT_PROGRAM, LINUX,
	" application/x-executable application/x-pie-executable"
	" application/x-sharedlib ", /* PIE, to some */
	""},
    {"exe", SUSPECT_PROGRAM, WINE,
	" application/x-dosexec"
	" application/vnd.microsoft.portable-executable ",
	" exe com scr pif "}, /* Windows goes by the octets among these */
    {"msi", SUSPECT_PROGRAM, WINE, " application/x-msi ", " msi "},
    {"sh", SUSPECT_SCRIPT, LINUX, " text/x-shellscript ", " sh bash "},
    {"py", SUSPECT_SCRIPT, LINUX, " text/x-python text/x-script.python ",
	" py "},
    {"pl", SUSPECT_SCRIPT, LINUX, " text/x-perl ", " pl "},
    {"js", SUSPECT_SCRIPT, WINE, "", " js "},
    {"jse", SUSPECT_SCRIPT, WINE, "", " jse "},
    {"vbs", SUSPECT_SCRIPT, WINE, "", " vbs "},
    {"vbe", SUSPECT_SCRIPT, WINE, "", " vbe "},
    {"wsf", SUSPECT_SCRIPT, WINE, "", " wsf "},
    {"bat", SUSPECT_SCRIPT, WINE, " text/x-msdos-batch ", " bat cmd "},
    {"lnk", SUSPECT_SCRIPT, WINE, " application/x-ms-shortcut ", " lnk "},
};
static_assert(ARRAY_SIZE(kinds) <= SUSPECT_KINDS_MAX, "room for every kind");

static bool
is_listed(const char *list, const char *word)
{
	const size_t len = strlen(word);

	if (len == 0 || strchr(word, ' '))
		return false;
	for (const char *at = list; *at; at++)
		if (at[0] == ' ' && strncasecmp(at + 1, word, len) == 0 &&
		    at[1 + len] == ' ')
			return true;
	return false;
}

static size_t
by_type(const struct reading_part *part, struct suspect *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!is_listed(kinds[i].types, part->type))
			continue;
		*ret = (struct suspect){kinds[i].class, kinds[i].reference,
		    kinds[i].kind, "", part->type};
		return 1;
	}
	return 0;
}

static const struct kind *
kind_of_name(const char *name)
{
	struct policy_name as; /* large: only what is used is touched */

	policy_name_set(&as, name);
	for (size_t i = 0; *as.ext && i < ARRAY_SIZE(kinds); i++)
		if (is_listed(kinds[i].exts, as.ext))
			return &kinds[i];
	return NULL;
}

static struct suspect *
find(struct suspect *list, size_t n, const char *kind)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].kind, kind) == 0)
			return &list[i];
	return NULL;
}

size_t
suspect_of(
    const struct reading_part *part, struct suspect ret[SUSPECT_KINDS_MAX])
{
	const char *name = part->names, *plain = "";
	size_t n;

	if (part->bytes == 0 ||
	    (part->flags & (PART_BODY | PART_ATTACHMENT)) == PART_BODY)
		return 0; /* nobody runs the text of a mail */
	n = by_type(part, ret);
	for (uint32_t i = 0; i < part->n_names; i++) {
		const struct kind *kind = kind_of_name(name);
		struct suspect *same = kind ? find(ret, n, kind->kind) : NULL;

		if (!kind && !*plain)
			plain = name;
		else if (same && !*same->name)
			same->name = name;
		else if (kind && !same)
			ret[n++] = (struct suspect){
			    kind->class, kind->reference, kind->kind, name, ""};
		name += strlen(name) + 1;
	}
	if (n > 0 && *ret[0].type && !*ret[0].name)
		ret[0].name = plain;
	return n;
}

void
suspect_as_program(
    const struct reading_part *part, bool is_windows, struct suspect *ret)
{
	*ret = is_windows ? (struct suspect){SUSPECT_PROGRAM, WINE, "exe",
				part->n_names ? part->names : "",
				"application/x-dosexec"}
			  : (struct suspect){SUSPECT_PROGRAM, LINUX, "elf",
				part->n_names ? part->names : "",
				"application/x-executable"};
}

/* Does it end with the very ending that a program of that kind would see? */
static bool
is_clean(const char *name, const char *ext)
{
	const char *dot = strrchr(name, '.');

	return dot && strcasecmp(dot + 1, ext) == 0;
}

void
suspect_file_name(const struct suspect *suspect, char ret[SUSPECT_NAME_MAX])
{
	struct policy_name as;
	const char *from, *dot;
	size_t len;

	policy_name_set(&as, suspect->name);
	from = is_clean(suspect->name, as.ext) ? suspect->name : as.base;
	dot = from + strcspn(from, "/\\");
	while (*dot) { /* a name, not a path */
		from = dot + 1;
		dot = from + strcspn(from, "/\\");
	}
	len = strlen(from);
	if (len >= SUSPECT_NAME_MAX) /* the ending is what counts */
		from += len - (SUSPECT_NAME_MAX - 1);
	while ((*from & 0xc0) == 0x80) /* no half of a character */
		from++;
	(void)snprintf(
	    ret, SUSPECT_NAME_MAX, "%s", *from ? from : suspect->kind);
}

const char *suspect_class_name(enum suspect_class class)
{
	static const char *const names[SUSPECT_CLASSES] = {
	    [SUSPECT_PROGRAM] = "program", [SUSPECT_SCRIPT] = "script"};

	assert(class < SUSPECT_CLASSES);
	return names[class];
}
