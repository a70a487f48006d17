/*
 * tools/sluice/spread.h - `sluice model spread`: what its files share.
 *
 *   ledger -> spread_look() (spread_look.c) -> struct spread_told -> show
 */
#ifndef SLUICE_TOOLS_SPREAD_H
#define SLUICE_TOOLS_SPREAD_H

#include "common/digest.h"
#include "tools/sluice/command.h"
#include "tools/sluice/people.h"
#include "worker/ledger_files.h"
#include "worker/spread.h"

#include <jansson.h>
#include <stdbool.h>

/* Octets of texts that a hash is shown with. */
#define SPREAD_TEXT_MAX 128

command_main model_spread;

/* One file, as computed.  periods: those of the frame; valid in the call. */
struct spread_told {
	struct digest digest;
	uint64_t bytes;
	/* Of its newest message. */
	char name[SPREAD_TEXT_MAX];
	char verdict[SPREAD_TEXT_MAX], engine[SPREAD_TEXT_MAX];
	struct spread_life life;
	const struct spread_period *periods;
	char *replicator;             /* address or pseudonym; NULL: nobody */
	uint64_t new_clients, bursts; /* in the periods that may alarm */
	double incidence, p;          /* of these: mean; least */
};

/* What is looked at. */
struct spread_wish {
	struct spread_frame frame;
	uint64_t *messages;     /* frame.messages, to be freed */
	struct digest from, to; /* both included */
	struct people *people;
};

/* Is there an alarm of the file? */
bool spread_is_alarm(const struct spread_told *told);

/* Non-zero ends the walk and is returned. */
typedef int spread_told_fn(void *arg, const struct spread_told *told);

/*
 * Fill in what the frame takes from the ledger (log_begin, clients, messages)
 * and call fn for each file.  wish->messages is the caller's, to be freed.  0,
 * what fn returned, or -errno of the ledger.  Memory: eight octets for each
 * address of each message, and some hundred for each copy of the file that has
 * most.
 */
int spread_look(struct ledger *ledger, struct spread_wish *wish,
    spread_told_fn *fn, void *arg);

/* JSON: the frame's line, a file's line, a logged message's line. */
json_t *spread_frame_json(const struct spread_wish *wish, uint64_t odds);
json_t *spread_file_json(
    const struct spread_wish *wish, const struct spread_told *told);
json_t *spread_log_json(struct people *people, const struct ledger_file *file);

/* Text: period by period. */
void spread_print_periods(
    const struct spread_wish *wish, const struct spread_told *told);

/* A table of the files that are given, most new clients first, at most limit
 * of them. */
struct spread_table;
struct spread_table *spread_table_new(size_t limit);
void spread_table_add(
    struct spread_table *table, const struct spread_told *told);
struct spread_table *spread_table_free(struct spread_table *table);
/* Prints and frees. */
void spread_table_print(
    struct spread_table *table, const struct spread_wish *wish);

#endif
