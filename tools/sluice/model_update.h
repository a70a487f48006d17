/*
 * tools/sluice/model_update.h - what the sub-commands of `sluice model` that
 * deal with updates share: options, pinned keys, files, a line of progress.
 */
#ifndef SLUICE_TOOLS_MODEL_UPDATE_H
#define SLUICE_TOOLS_MODEL_UPDATE_H

#include "tools/sluice/util.h"
#include "worker/mef/install.h"

#include <stdbool.h>

/* Of all these sub-commands; each has some of them. */
struct update_options {
	struct common_options common;
	const char *output;  /* -o */
	const char *model;   /* -m */
	const char *private; /* -s */
	bool is_whole;       /* --whole */
	bool is_mail;        /* --mail */
	const char **keys;   /* -k, own */
	size_t n_keys;
	const char *files[2]; /* operands */
	size_t n_files;
};

/* Their rows of an argp table. */
#define OPTION_PINNED \
	{ \
		"key", 'k', "PUBLIC", 0, \
		    "trust this key (again: and this) instead of mef.keys", 0 \
	}
#define OPTION_MODEL \
	{ \
		"model", 'm', "MODEL", 0, \
		    "of this model instead of mef.model", 0 \
	}

/* The parser of all; refuses more than two operands. */
error_t update_option(int key, char *arg, struct argp_state *state);

/* The model and the keys that are trusted, by options or configuration. */
struct update_site {
	struct mef_site site;
	struct signature_key *keys;
	char *model, *url; /* own; url NULL: none */
};

/*
 * ret_site  filled also on failure, for update_site_done()
 * Returns STATUS_FINE, or another status after saying why.
 */
int update_site_open(const struct update_options *options, const char *command,
    struct update_site *ret_site);
void update_site_done(struct update_site *site);

/* Read an update; NULL after saying why, *ret_status is then the status. */
struct mef_update *update_read(
    const char *command, const char *path, int *ret_status);

/* Write it under a fresh name, sync, rename, for all to read.  Returns a status
 * after saying why. */
int update_save(
    const char *command, const char *path, const struct mef_update *update);

/* Does the file begin as one?  No, where it can't be read. */
bool update_is_one(const char *path);

/* On standard output, JSON or text. */
void update_print(const char *path, const struct mef_update *update, bool json);

/* Shows how far it is, under the name of what. */
struct mef_listener update_progress(const char *what);

#endif
