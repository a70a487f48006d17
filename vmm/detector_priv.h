/*
 * vmm/detector_priv.h - one run as the detector knows it.
 *
 * All that a guest can make grow has an end: the report that is kept, the
 * table of what was seen, the processes.  Beyond it the run is truncated,
 * which is unknown, never clean.
 */
#ifndef SLUICE_VMM_DETECTOR_PRIV_H
#define SLUICE_VMM_DETECTOR_PRIV_H

#include "vmm/mailbox.h"
#include "vmm/rules_priv.h"

#define DETECTOR_OCTETS_MAX MAILBOX_REPORT_MAX
#define DETECTOR_SEEN_MAX   65536u /* entries of the table; 1.5 MiB */
#define DETECTOR_PROCESSES  512u
#define DETECTOR_IMAGE_MAX  128u  /* octets of a program's path */
#define DETECTOR_WORDS      32u   /* of a command line that are looked at */
#define DETECTOR_CITED      3u    /* events of a step */
#define DETECTOR_BACK_MSEC  5000u /* that vantage points may differ by */

#define NO_LINE UINT32_MAX

/* Octets of the current event, spelled. */
struct text {
	const char *at;
	size_t length;
};

/* Something that was seen: a step of a pattern with its variable, a value
 * that was counted, a file that was made. */
struct seen {
	uint64_t key; /* 0: free */
	uint32_t msec;
	uint32_t line; /* offset in the kept report */
	uint32_t count;
};

struct seen_table {
	size_t n, slots; /* slots is a power of two, at least twice n */
	struct seen *at;
	bool is_full;
};

/* The entry of a key, made when make is set; NULL: none, or no room. */
struct seen *seen_at(struct seen_table *table, uint64_t key, bool make);

struct process {
	uint32_t pid;
	char image[DETECTOR_IMAGE_MAX];
};

struct step_state {
	uint32_t n_cited;
	uint32_t cited[DETECTOR_CITED];
	uint32_t next; /* slot of the window that comes next */
};

struct found {
	bool is_found;
	uint32_t n_lines;
	uint32_t lines[2 * DETECTOR_CITED + 2];
};

/* What the scorer has seen. */
struct scored {
	double score;
	unsigned int n_known;
	bool *calls;          /* of the rules' */
	unsigned int *counts; /* of the rules' features */
};

struct detector {
	const struct rules *rules;
	/* The report as it came, for the events that are cited. */
	char *kept;
	size_t n_kept, kept_room;
	uint64_t octets;
	size_t line_at;   /* in kept: the line that is being fed */
	bool is_skipping; /* to the next newline: the line is too long */

	uint64_t events, malformed, lost;
	bool is_truncated, has_start, has_end, has_more, has_note;
	bool went_back;
	bool end_is_good;
	uint32_t newest_msec;
	char sample[EVENT_STRING_MAX + 1]; /* its base name, spelled */
	size_t sample_length;
	char how[64];

	struct seen_table seen;
	struct process processes[DETECTOR_PROCESSES];
	struct step_state *steps;
	uint64_t *windows; /* msec + 1 of the rules' window slots */
	struct found *found;
	uint32_t score;
	struct scored scored;

	/* The current event. */
	struct guest_event event;
	uint32_t line;
	uint32_t stamp; /* of what is remembered about it */
	uint32_t spelled[RULES_FIELDS];
	struct text texts[RULES_FIELDS];
	char spellings[RULES_FIELDS][EVENT_STRING_MAX + 1];
	uint32_t marked[RULES_FIELDS];
	struct glob_marks marks[RULES_FIELDS];
	uint32_t class_stamps[RULES_FIELDS][RULES_CLASSES];
	bool class_fits[RULES_FIELDS][RULES_CLASSES];
	uint32_t split[RULES_FIELDS];
	size_t n_words[RULES_FIELDS];
	struct text words[RULES_FIELDS][DETECTOR_WORDS];
};

/* A field of the current event; false: it hasn't got it. */
bool detector_text(struct detector *d, unsigned int field, struct text *ret);
/* The words of args or data; of any other field itself. */
size_t detector_words(
    struct detector *d, unsigned int field, const struct text **ret);

/* The marks of all of a field that it has. */
const struct glob_marks *detector_marks(struct detector *d, unsigned int field);

uint64_t text_hash(uint64_t seed, const struct text *text);

/* The current event against the rules. */
void detector_match(struct detector *d);
/* What it says about files and processes, for the events after it. */
void detector_remember(struct detector *d);
bool detector_is_new(struct detector *d, const struct text *path);

void detector_found(struct detector *d, unsigned int behaviour);
void detector_cite(struct detector *d, unsigned int behaviour, uint32_t line);

/* vmm/scorer.c */
void scorer_saw(struct detector *d, const char *call);
bool scorer_says(const struct detector *d);

#endif
