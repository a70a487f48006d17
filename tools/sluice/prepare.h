/*
 * tools/sluice/prepare.h - what must be right and in place before the
 * daemons run: checked configuration, runtime directories, the lock.
 */
#ifndef SLUICE_TOOLS_PREPARE_H
#define SLUICE_TOOLS_PREPARE_H

#include <stddef.h>

struct conf;

#define PREPARE_ERR 512

/*
 * Check what the daemons will need beyond the text of the configuration: the
 * rules of policy and behaviours, the spool with all its directories, and that
 * no feed queue above conf->feed.queues holds mail that nobody would read.
 *
 * Returns 0; -EINVAL: the configuration must change; or -errno: the system
 * must (no spool, ...).  err then says what to do, in one line.
 */
int prepare_check(const struct conf *conf, char *err, size_t err_size);

/*
 * Can a running deployment go from old to conf?  Paths and users can't change
 * without a restart.  Returns 0 or -EINVAL with err.
 */
int prepare_compare(const struct conf *old, const struct conf *conf, char *err,
    size_t err_size);

/*
 * Make the runtime directories with their owners (when root).  Leaves what is
 * there.  Returns 0; -ENOENT: a user doesn't exist; or -errno.
 */
int prepare_runtime(const struct conf *conf, char *err, size_t err_size);

/*
 * Become the only supervisor of this spool and this runtime directory.
 * *ret_fds are to stay open.
 * Returns 0; -EBUSY: there is one already; or -errno.
 */
int prepare_lock(
    const struct conf *conf, int ret_fds[2], char *err, size_t err_size);

/*
 * Write the accepted configuration, its policy rules, its behaviours (with
 * what they include) and its warning into the runtime directory, each replaced
 * as a whole.  The daemons read these copies, so a file that is being edited
 * never reaches a daemon which merely restarts. conf->policy.rules,
 * conf->vm.rules and conf->wrap.text are changed to the copies.
 *
 * ret_path  of the copy, fresh memory; untouched on failure
 */
int prepare_active(
    struct conf *conf, char **ret_path, char *err, size_t err_size);

#endif
