/*
 * vmm/spelling.h - one spelling for what a guest can write in many ways.
 *
 * Lower case (ASCII) and / for \ everywhere, so that Windows and UNIX meet
 * the same rules.  Paths: no prefix (\\?\, \??\), no //, /./ and /../; the
 * drives that Wine keeps in a directory are c:/..., and its z:/ is /.
 * Registry keys: hklm/... and hkcu/..., whichever of the roots' names was
 * used, without Wow6432Node.  Command lines: single blanks, no ^.
 */
#ifndef SLUICE_VMM_SPELLING_H
#define SLUICE_VMM_SPELLING_H

#include <stddef.h>

enum spelling { SPELL_TEXT, SPELL_PATH, SPELL_KEY, SPELL_COMMAND };

/* Write text so into ret, which has room for length + 1 octets.  Returns the
 * new length, at most the old one; a NUL follows. */
size_t spell(
    enum spelling spelling, const char *text, size_t length, char *ret);

#endif
