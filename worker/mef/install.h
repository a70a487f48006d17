/*
 * worker/mef/install.h - check an update and put its model in place: what all
 * do that receive one, as a file, by mail or from a web server.
 *
 * Beside the model M of a site there may be M.former, what was there before
 * the last update; M.held, the release that was taken back; and M.lock, which
 * whoever changes them holds.  M is always whole: the new one is written under
 * another name, synced and renamed, so who has mapped the old one keeps it.
 */
#ifndef SLUICE_WORKER_MEF_INSTALL_H
#define SLUICE_WORKER_MEF_INSTALL_H

#include "worker/mef/update.h"

#include <stdbool.h>

struct mef_site {
	const char *model; /* its path; the directory is there */
	const struct signature_key *keys;
	size_t n_keys;
	struct mef_listener listener;
};

/*
 * Release of the model that is here; 0: there is none, or it was never
 * published.  Returns 0, or with err -EBADMSG: what is here is no model, or
 * -errno.
 */
int mef_here(const struct mef_site *site, uint64_t *ret_release, char *err,
    size_t err_size);

enum mef_install_by {
	MEF_BY_HAND, /* a person said so: held releases too */
	MEF_BY_ITSELF
};

/*
 * Install what the update makes of the site's model.
 *
 * An update must be signed by one of the keys, be for the model that is here
 * or carry a whole one, and lead to a later release, where the model has one:
 * an old update, which has an old signature too, never takes a site back.
 *
 * err  which file, what is wrong and what to do; untouched on success
 *
 * Returns 0; -EKEYREJECTED: the signature; -ESTALE: not for this model;
 * -EALREADY: the model is of that release, or a later one; -ECANCELED: that
 * release was taken back, and nobody said since that it is wanted; -EBADMSG:
 * it does not make what it promises; or -errno.  After any failure the model
 * is what it was.  Blocks, also for others that change the model.
 */
int mef_install(const struct mef_site *site, const struct mef_update *update,
    enum mef_install_by by, char *err, size_t err_size);

/*
 * Take the last update back: by M.former, or by the update itself, which may
 * be done for one after the other.  Until the next mef_install() by hand the
 * release that is left is held, and none up to it is installed by itself.
 *
 * update  NULL: by M.former
 *
 * Returns as above; -ENODATA: there is no former model.
 */
int mef_take_back(const struct mef_site *site, const struct mef_update *update,
    char *err, size_t err_size);

#endif
