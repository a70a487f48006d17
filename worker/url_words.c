/*
 * worker/url_words.c - which extensions are files', and what a link that must
 * not be asked looks like.
 */
#include "worker/url_priv.h"

#include "common/cleanup.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* What is run, opened with a program, or unpacked; no pages, no pictures. */
static const char *const exts[] = {
    /* programs and what starts them */
    "exe", "scr", "com", "pif", "cpl", "dll", "ocx", "sys", "msi", "msix",
    "msp", "appx", "bat", "cmd", "vbs", "vbe", "js", "jse", "wsf", "wsh", "wsc",
    "hta", "ps1", "psm1", "lnk", "url", "scf", "reg", "inf", "chm", "hlp",
    "jar", "jnlp", "class", "apk", "ipa", "dmg", "pkg", "deb", "rpm", "sh",
    "run", "bin", "elf", "py", "pyw", "pl", "gadget", "application",
    "settingcontent-ms", "library-ms", "search-ms", "appref-ms", "rdp", "theme",
    "swf",
    /* archives and images of disks */
    "zip", "zipx", "rar", "7z", "gz", "tgz", "bz2", "tbz", "xz", "txz", "zst",
    "tar", "cab", "arj", "ace", "lzh", "lha", "z", "lz", "r00", "001", "iso",
    "img", "udf", "vhd", "vhdx", "wim",
    /* documents that may hold programs */
    "doc", "docx", "docm", "dot", "dotx", "dotm", "rtf", "xls", "xlsx", "xlsm",
    "xlsb", "xlt", "xltx", "xltm", "xla", "xlam", "xll", "slk", "iqy", "ppt",
    "pptx", "pptm", "pps", "ppsx", "ppsm", "pot", "potm", "ppa", "ppam", "pub",
    "one", "mdb", "accdb", "accde", "vsd", "vsdm", "pdf", "odt", "ods", "odp",
    "odg", "xps", "mht", "mhtml", "eml", "msg"};

/* Anywhere in a word: in the languages of much mail. */
static const char *const acts[] = {"unsub", "optout", "opt-out", "opt_out",
    "opt out", "subscri", "confirm", "verif", "activat", "validat", "token",
    "onetime", "one-time", "one_time", "password", "passwd", "invit",
    "signature", "abmeld", "austrag", "bestaetig", "best\303\244tig",
    "freischalt", "desinscri", "d\303\251sinscri", "desabon", "d\303\251sabon",
    "disiscri", "cancella", "darse-de-baja", "darsebaja", "afmeld", "uitschrij",
    "potwierdz", "rezygn"};

/* As a word of its own. */
static const char *const act_words[] = {"accept", "approve", "auth",
    "authorize", "cancel", "decline", "delete", "login", "logout", "oauth",
    "otp", "preferences", "prefs", "redeem", "reject", "remove", "reset",
    "rsvp", "session", "sid", "sig", "signin", "signoff", "signout", "sso",
    "vote"};

bool
url_ext_is_file(const char *ext, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(exts); i++)
		if (strlen(exts[i]) == len &&
		    strncasecmp(exts[i], ext, len) == 0)
			return true;
	return false;
}

static bool
has_word(const char *text, const char *word)
{
	const size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at++)
		if ((at == text || !isalnum((unsigned char)at[-1])) &&
		    !isalnum((unsigned char)at[len]))
			return true;
	return false;
}

bool
url_has_act(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++)
		if (strstr(text, acts[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(act_words); i++)
		if (has_word(text, act_words[i]))
			return true;
	return false;
}

/* Octets of a piece, by kind. */
struct piece {
	size_t len, digits, hex, vowels;
	size_t turns; /* from one kind to another, but for Capital words */
};

/* Shorter ones are words, dates, versions. */
#define TOKEN_LEAST 16
/* Numbers that long are no more of 64 bits: those name files at many sites. */
#define TOKEN_DIGITS 21
/* Letters alone: so long a word of few vowels is none. */
#define TOKEN_LETTERS 20

static int
kind_of(unsigned char c)
{
	return isdigit(c) ? 'd' : isupper(c) ? 'u' : 'l';
}

static struct piece
measure(const char *at, size_t len)
{
	struct piece p = {.len = len};

	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)at[i];
		const int kind = kind_of(c);

		p.digits += kind == 'd';
		p.hex += isxdigit(c) != 0;
		p.vowels += strchr("aeiouyAEIOUY", c) != NULL;
		if (i > 0 && kind != kind_of((unsigned char)at[i - 1]) &&
		    !(kind == 'l' && isupper((unsigned char)at[i - 1])))
			p.turns++;
	}
	return p;
}

static bool
is_token(const char *at, size_t len)
{
	const struct piece p = measure(at, len);

	if (len < TOKEN_LEAST)
		return false;
	if (p.digits == len)
		return len >= TOKEN_DIGITS;
	if (p.digits == 0 && p.turns < 3)
		return len >= TOKEN_LETTERS && 4 * p.vowels < len;
	return (p.hex == len && p.digits > 0) || 5 * p.turns >= len;
}

/* A UUID, with or without its hyphens. */
static bool
is_uuid(const char *at, size_t len)
{
	size_t hex = 0, hyphens = 0;

	for (size_t i = 0; i < len; i++) {
		hex += isxdigit((unsigned char)at[i]) != 0;
		hyphens += at[i] == '-';
	}
	return hex + hyphens == len && hex >= 32;
}

bool
url_has_token(const char *text, size_t len)
{
	size_t start = 0;

	if (is_uuid(text, len))
		return true;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && isalnum((unsigned char)text[i]))
			continue;
		if (is_token(text + start, i - start))
			return true;
		start = i + 1;
	}
	return false;
}
