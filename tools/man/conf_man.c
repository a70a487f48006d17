/*
 * tools/man/conf_man.c - prints sluice.conf(5), its settings taken from
 * common/conf.def, so that page and parser can't say different things.
 */
#include "common/cleanup.h"

#include <stdio.h>

enum kind { BEGIN, SETTING, END };

struct row {
	enum kind kind;
	const char *name, *type, *def, *range, *help;
};

#define CONF_SECTION(name, help)     {BEGIN, #name, "", "", "", help},
#define CONF_END(name)               {END, #name, "", "", "", ""},
#define CONF_PATH(name, def, help)   {SETTING, #name, "path", def, "", help},
#define CONF_STRING(name, def, help) {SETTING, #name, "text", def, "", help},
#define CONF_COUNT(name, def, lo, hi, help) \
	{SETTING, #name, "number", #def, #lo " to " #hi, help},
#define CONF_PERCENT(name, def, lo, hi, help) \
	{SETTING, #name, "percent", #def, #lo " to " #hi, help},
#define CONF_BYTES(name, def, lo, hi, help) \
	{SETTING, #name, "octets", def, lo " to " hi, help},
#define CONF_SPAN(name, def, lo, hi, help) \
	{SETTING, #name, "span", def, lo " to " hi, help},
#define CONF_REAL(name, def, lo, hi, help) \
	{SETTING, #name, "number", #def, #lo " to " #hi, help},
#define CONF_BOOL(name, def, help) \
	{SETTING, #name, "true or false", def, "", help},
#define CONF_SIZES(name, def, help) {SETTING, #name, "sizes", def, "", help},
#define CONF_WORDS(name, def, allowed, help) \
	{SETTING, #name, "words", def, "out of: " allowed, help},
#define CONF_CHOICE(name, def, allowed, help) \
	{SETTING, #name, "word", def, "one of: " allowed, help},

static const struct row rows[] = {
/* clang-format off */
#include "common/conf.def"
    /* clang-format on */
};

static const char head[] =
    ".\\\" Made by sluice-conf-man from common/conf.def: change that instead.\n"
    ".Dd November 22, 2026\n"
    ".Dt SLUICE.CONF 5\n"
    ".Os Sluice\n"
    ".Sh NAME\n"
    ".Nm sluice.conf\n"
    ".Nd configuration of Sluice\n"
    ".Sh DESCRIPTION\n"
    "The file has a section for each part of Sluice, with one setting a "
    "line:\n"
    ".Bd -literal -offset indent\n"
    "feed {\n"
    "\tqueues = 4\n"
    "\tlimits = \"2000 10000 50000\"\n"
    "}\n"
    ".Ed\n"
    ".Pp\n"
    "Text, paths, octets, spans and lists are written in quotes.\n"
    "Octets take\n"
    ".Cm KiB , MiB , GiB ;\n"
    "spans take\n"
    ".Cm ms , s , m , h , d ;\n"
    "lists are separated by blanks.\n"
    "A line that begins with # is a comment.\n"
    "What isn't set has its default.\n"
    "The file is accepted whole or not at all: an unknown name, a wrong\n"
    "type, a value out of range and a contradiction are errors that name\n"
    "file, line, setting, and what to write instead;\n"
    ".Ql sluice config check\n"
    "finds them, and\n"
    ".Ql sluice config dump\n"
    "prints every setting.\n"
    ".Pp\n"
    ".Ql sluice run\n"
    "reads the file again on SIGHUP and keeps the former configuration when\n"
    "anything is wrong with the new one.\n"
    "The settings\n"
    ".Cm spool , state , runtime\n"
    "and the users of section\n"
    ".Cm site\n"
    "change with a restart only.\n"
    ".Sh SETTINGS\n";

static const char tail[] =
    ".Sh FILES\n"
    ".Bl -tag -width Ds\n"
    ".It Pa /etc/sluice/sluice.conf\n"
    "Where it is looked for without\n"
    ".Fl c .\n"
    ".It Pa /etc/sluice/policy.conf\n"
    "Rules for attachments; its comments say how to write them.\n"
    ".It Pa /run/sluice/sluice.conf.active\n"
    "The accepted copy that the daemons read.\n"
    ".El\n"
    ".Sh SEE ALSO\n"
    ".Xr sluice 8\n"
    ".Sh SECURITY\n"
    "Whoever can write this file or the policy rules decides what passes:\n"
    "both belong to root.\n"
    "The users of section\n"
    ".Cm site\n"
    "should all differ, so that none of them can act on another.\n";

/* Text of a macro line or paragraph: a leading dot or quote, and backslashes
 * would be commands. */
static void
put_text(const char *text)
{
	if (*text == '.' || *text == '\'')
		(void)fputs("\\&", stdout);
	for (; *text; text++) {
		if (*text == '\\')
			(void)fputs("\\e", stdout);
		else
			(void)putchar(*text);
	}
	(void)putchar('\n');
}

static void
put_setting(const struct row *row)
{
	(void)printf(".It Cm %s Pq %s\n", row->name, row->type);
	put_text(row->help);
	(void)puts(".br");
	if (*row->range)
		(void)printf("%s;\n", row->range);
	(void)printf("default\n.Ql %s .\n", row->def);
}

int
main(void)
{
	(void)fputs(head, stdout);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		switch (rows[i].kind) {
		case BEGIN:
			(void)printf(".Ss %s\n", rows[i].name);
			put_text(rows[i].help);
			(void)puts(".Bl -tag -width Ds");
			break;
		case SETTING:
			put_setting(&rows[i]);
			break;
		case END:
			(void)puts(".El");
			break;
		}
	}
	(void)fputs(tail, stdout);
	return fflush(stdout) == 0 ? 0 : 111;
}
