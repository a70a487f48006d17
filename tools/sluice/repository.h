/*
 * tools/sluice/repository.h - the directory of a repository, and what the
 * sub-commands of `sluice model repository` share.
 *
 *   keys/open, open.pub   X25519: sites encrypt parcels to it
 *   keys/sign, sign.pub   Ed25519: signs updates
 *   senders/NAME.pub      Ed25519 keys of the sites that may send
 *   samples/SHA256        files that came in, and
 *   samples/SHA256.json   what their senders say of them, put in place last
 *   labels                decisions of experts, a line each (repository_labels)
 *   master                the model that has every count
 *   view                  what was published last
 *   view.next             what is being published
 *   public/               updates, for the web server
 *   notices/RELEASE.eml   mails that announce them
 *   lock                  is locked by whoever changes any of these
 *
 * docs/model-repository.md is for who runs one, decision 0019 says why.
 */
#ifndef SLUICE_TOOLS_REPOSITORY_H
#define SLUICE_TOOLS_REPOSITORY_H

#include "common/cleanup.h"
#include "common/digest.h"
#include "tools/sluice/command.h"
#include "tools/sluice/util.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

command_main model_repository;
command_main repository_init;
command_main repository_receive;
command_main repository_list;
command_main repository_show;
command_main repository_label;
command_main repository_train;
command_main repository_publish;

/* For tables of options; repository_option() handles it. */
#define OPTION_DIRECTORY \
	{ \
		"directory", 'd', "DIR", 0, \
		    "of this repository (default: the current directory)", 0 \
	}

/* The first member of a sub-command's own options. */
struct repository_options {
	struct common_options common;
	const char *directory; /* NULL: "." */
};
error_t repository_option(
    int key, char *arg, struct repository_options *options);

struct repository {
	char *path; /* of the directory */
	int dir, samples;
	int lock; /* -1: not locked */
	const char *command;
};

/*
 * Open it, and lock it if it is to be changed, waiting for others.
 * ret is filled also on failure, for repository_done().  Returns a status
 * after saying why.
 */
int repository_open(const struct repository_options *options, bool is_changing,
    const char *command, struct repository *ret);
void repository_done(struct repository *repository);

/* PATH/NAME, fresh memory. */
char *repository_path(const struct repository *repository, const char *name);

/* Labels of experts. */
enum sample_label {
	SAMPLE_NONE, /* nobody has said anything, or it was taken back */
	SAMPLE_BENIGN,
	SAMPLE_MALICIOUS,
	SAMPLE_UNSURE, /* looked at, and not to be learned */
	SAMPLE_LABELS
};
/* "none", "benign", "malicious", "unsure". */
extern const char *const sample_label_names[SAMPLE_LABELS];

/* Reports of a sample that are kept; later ones are counted. */
#define SAMPLE_REPORTS 32

/* What came in, from samples/SHA256.json. */
struct sample {
	struct digest digest;
	/* own: {"bytes", "reports": [{"sender", "usec", "parcel", "meta"}],
	 * "more"}; NULL: there is a label, but no sample */
	json_t *about;
	enum sample_label label;
	bool is_decided;       /* there is a line in labels */
	char *label_by, *note; /* own; NULL without a line */
};

struct samples {
	struct sample *at; /* ascending by digest */
	size_t n, room;
};

/*
 * All samples with their labels, and labels without a sample.
 * ret is filled also on failure, for samples_done().  Returns a status after
 * saying why.  Blocks.
 */
int samples_read(const struct repository *repository, struct samples *ret);
void samples_done(struct samples *samples);
struct sample *samples_find(
    const struct samples *samples, const struct digest *digest);

/*
 * The one sample whose digest begins so (4 digits at least); NULL after saying
 * why.
 */
struct sample *samples_named(const struct repository *repository,
    const struct samples *samples, const char *text);

/* Of a sample's newest report, for people: "" and NAN where it has none. */
const char *sample_name(const struct sample *sample);
double sample_p(const struct sample *sample);

#endif
