#include "worker/suspect.h"

#include "worker/reading.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define LINUX "linux"
#define WINE  "wine"

/* As libmagic 5.44 names them. */
static const struct {
	const char *type;
	enum suspect_class class;
	const char *reference, *kind;
} by_type[] = {
    {"application/x-executable", SUSPECT_PROGRAM, LINUX, "elf"},
    {"application/x-pie-executable", SUSPECT_PROGRAM, LINUX, "elf"},
    {"application/x-sharedlib", SUSPECT_PROGRAM, LINUX,
	"elf"}, /* PIE, to some */
    {"text/x-shellscript", SUSPECT_SCRIPT, LINUX, "script"},
    {"text/x-python", SUSPECT_SCRIPT, LINUX, "script"},
    {"text/x-script.python", SUSPECT_SCRIPT, LINUX, "script"},
    {"text/x-perl", SUSPECT_SCRIPT, LINUX, "script"},
    {"application/x-dosexec", SUSPECT_PROGRAM, WINE, "pe"},
    {"application/vnd.microsoft.portable-executable", SUSPECT_PROGRAM, WINE,
	"pe"},
    {"application/x-msi", SUSPECT_PROGRAM, WINE, "msi"},
    {"application/x-ms-shortcut", SUSPECT_SCRIPT, WINE, "lnk"},
    {"text/x-msdos-batch", SUSPECT_SCRIPT, WINE, "bat"},
};

/* Of text, and of what libmagic knows no better than as octets. */
static const struct {
	const char *suffix;
	enum suspect_class class;
	const char *reference;
} by_name[] = {
    {".sh", SUSPECT_SCRIPT, LINUX},
    {".bash", SUSPECT_SCRIPT, LINUX},
    {".py", SUSPECT_SCRIPT, LINUX},
    {".pl", SUSPECT_SCRIPT, LINUX},
    {".js", SUSPECT_SCRIPT, WINE},
    {".jse", SUSPECT_SCRIPT, WINE},
    {".vbs", SUSPECT_SCRIPT, WINE},
    {".vbe", SUSPECT_SCRIPT, WINE},
    {".wsf", SUSPECT_SCRIPT, WINE},
    {".bat", SUSPECT_SCRIPT, WINE},
    {".cmd", SUSPECT_SCRIPT, WINE},
    {".lnk", SUSPECT_SCRIPT, WINE},
    {".msi", SUSPECT_PROGRAM, WINE},
    {".exe", SUSPECT_PROGRAM, WINE},
    {".com", SUSPECT_PROGRAM, WINE},
    {".scr", SUSPECT_PROGRAM, WINE},
    {".pif", SUSPECT_PROGRAM, WINE},
};

static bool
has_suffix(const char *name, const char *suffix)
{
	const size_t n = strlen(name), s = strlen(suffix);

	return n > s && strcasecmp(name + n - s, suffix) == 0;
}

/* May a name say more than the type does? */
static bool
is_vague(const char *type)
{
	static const char *const vague[] = {"application/javascript",
	    "application/octet-stream", "application/x-ole-storage",
	    "application/vnd.ms-office", "application/CDFV2"};

	if (strncmp(type, "text/", 5) == 0)
		return true;
	for (size_t i = 0; i < sizeof(vague) / sizeof(vague[0]); i++)
		if (strcasecmp(type, vague[i]) == 0)
			return true;
	return false;
}

static bool
find_name(const struct reading_part *part, struct suspect *ret)
{
	const char *name = part->names;

	for (uint32_t i = 0; i < part->n_names; i++) {
		for (size_t k = 0; k < sizeof(by_name) / sizeof(by_name[0]);
		     k++) {
			if (!has_suffix(name, by_name[k].suffix))
				continue;
			*ret = (struct suspect){.class = by_name[k].class,
			    .reference = by_name[k].reference,
			    .kind = by_name[k].suffix + 1,
			    .name = name};
			return true;
		}
		name += strlen(name) + 1;
	}
	return false;
}

struct suspect
suspect_of(const struct reading_part *part)
{
	struct suspect found = {SUSPECT_NOT, "", "", ""};

	if (part->bytes == 0 ||
	    (part->flags & (PART_BODY | PART_ATTACHMENT)) == PART_BODY)
		return found; /* nobody runs the text of a mail */
	if (part->n_names > 0)
		found.name = part->names;
	for (size_t i = 0; i < sizeof(by_type) / sizeof(by_type[0]); i++) {
		if (strcasecmp(part->type, by_type[i].type) != 0)
			continue;
		found.class = by_type[i].class;
		found.reference = by_type[i].reference;
		found.kind = by_type[i].kind;
		return found;
	}
	if (is_vague(part->type))
		(void)find_name(part, &found);
	return found;
}

const char *suspect_class_name(enum suspect_class class)
{
	static const char *const names[SUSPECT_CLASSES] = {
	    [SUSPECT_NOT] = "other",
	    [SUSPECT_PROGRAM] = "program",
	    [SUSPECT_SCRIPT] = "script"};

	assert(class < SUSPECT_CLASSES);
	return names[class];
}
