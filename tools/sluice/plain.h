/*
 * tools/sluice/plain.h - a configuration for `sluice scan`: what it was
 * given, or defaults with what this machine has.
 */
#ifndef SLUICE_TOOLS_PLAIN_H
#define SLUICE_TOOLS_PLAIN_H

struct conf;

/*
 * The defaults, fitted to this machine: clamd at one of its usual sockets,
 * the policy rules where they are installed or in the source tree, users
 * that exist.  An engine that was not asked for and isn't found is left out
 * and said so on standard error.
 *
 * engines  blank-separated words that were asked for; NULL: all that can be
 *          found.
 * Returns NULL after saying why.
 */
struct conf *plain_conf(const char *engines);

/*
 * Write conf into a new private directory, for roles to read.
 * ret_path  of the file, fresh memory
 * Returns 0 or -errno.
 */
int plain_write(const struct conf *conf, char **ret_path);

/* Remove it and its directory, and free path. */
void plain_remove(char *path);

#endif
