/*
 * worker/reading.h - what a scan cell saw in a message, as one file.
 *
 * A cell has one descriptor to read (the message) and one to write: a memfd
 * that it fills and then abandons by exiting.  The receiver seals it, so its
 * content is final, and decodes it with a range check on every number: the
 * cell parsed hostile mail and may be an enemy by now.  Whatever it says
 * counts for its own message only; hashes are computed by the receiver.
 *
 * Layout: struct reading_head at 0; the blobs (each part's decoded octets)
 * from READING_HEAD_BYTES on; then n_parts records; then the strings.  The
 * head is written last: without it (magic 0) the cell did not finish.
 */
#ifndef SLUICE_WORKER_READING_H
#define SLUICE_WORKER_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which reader saw the part (DESIGN section 4, mime-evasion). */
enum reading_view {
	VIEW_MIME,     /* GMime's standard reading */
	VIEW_FIRST,    /* first of contradictory headers or parameters wins */
	VIEW_LAST,     /* last one wins */
	VIEW_BOUNDARY, /* a candidate boundary that the standard one ignores */
	VIEW_OUTSIDE,  /* preamble or epilogue */
	VIEW_CARVED,   /* an encoded run found without looking at structure */
	VIEW_ARCHIVE,  /* member of an archive that another part is */
	VIEW_COUNT
};

#define PART_ATTACHMENT UINT32_C(1) /* a reader would show it as a file */
#define PART_CONTAINER \
	UINT32_C(2)                  /* an archive or message that was opened; \
				      * message/rfc822 in place has no octets \
				      * of its own: off, bytes are 0 */
#define PART_ENCRYPTED  UINT32_C(4)  /* content cannot be read */
#define PART_NO_CONTENT UINT32_C(8)  /* known by name only: off, bytes are 0 */
#define PART_BROKEN     UINT32_C(16) /* damaged: decoded as far as possible */
#define PART_BODY       UINT32_C(32) /* text shown as the message itself */
#define PART_PROGRAM    UINT32_C(64) /* begins like one (mef_kind_of()) */
#define PART_FLAGS      UINT32_C(127)

struct reading_part {
	uint64_t off; /* of its octets in the file */
	uint64_t bytes;
	int32_t parent; /* index of the part that contains it, or -1 */
	uint16_t depth; /* 0: the message's own body */
	uint16_t view;  /* enum reading_view */
	uint32_t flags; /* PART_... */
	uint32_t n_names;
	const char *names;    /* n_names strings, each with its NUL */
	const char *declared; /* Content-Type as declared, "" when none */
	const char *type;     /* true type by content, "a/b" */
};

/* Why a reading is incomplete; each is unknown, never clean. */
enum reading_status {
	READING_COMPLETE,
	READING_TOO_DEEP,  /* budget.depth */
	READING_TOO_MANY,  /* budget.parts */
	READING_TOO_LARGE, /* budget.output */
	READING_HEADERS,   /* budget.headers */
	READING_FAILED,    /* the cell gave up: text says why */
	READING_STATUS_COUNT
};

/* Named classes of contradiction (bits of reading.ambiguity). */
#define AMBIGUOUS_TYPE     UINT32_C(1)  /* contradictory Content-Type */
#define AMBIGUOUS_ENCODING UINT32_C(2)  /* contradictory transfer encoding */
#define AMBIGUOUS_BOUNDARY UINT32_C(4)  /* more than one plausible boundary */
#define AMBIGUOUS_NAME     UINT32_C(8)  /* one part, several file names */
#define AMBIGUOUS_OUTSIDE  UINT32_C(16) /* attachment in preamble/epilogue */
#define AMBIGUOUS_CARVED   UINT32_C(32) /* attachment that no reader shows */
#define AMBIGUOUS_ARCHIVE  UINT32_C(64) /* archive readers disagree */
#define AMBIGUOUS_BITS     UINT32_C(127)

struct reading {
	const char *map; /* the whole file, read-only */
	size_t map_bytes;
	enum reading_status status;
	uint32_t ambiguity;
	/* Set only when a contradictory view yields an attachment that the
	 * standard one does not show: the message is to be held. */
	bool hold;
	const char *text; /* words of the cell about status/ambiguity */
	size_t n_parts;
	struct reading_part *parts;
	/* Links to files in its texts, n_links strings with their NULs; more
	 * there may be if links_cut. */
	uint32_t n_links;
	bool links_cut;
	const char *links;
};

#define READING_HEAD_BYTES 64

/*
 * Map and decode a sealed memfd.
 * Returns 0; -ENODATA: no head, the cell did not finish; -EBADMSG: a number
 * out of range, a string that is unterminated, no UTF-8, has controls or is
 * longer than 255 octets (the text: 1023, a link: 1000), more than 64 names
 * or links, a parent that
 * is not before its child; -EPERM: the file is not sealed; or -errno.
 * Fuzzed by tests/fuzz/fuzz_reading.c.
 */
int reading_open(int fd, struct reading **ret_reading);
struct reading *reading_free(struct reading *reading);
void reading_freep(struct reading **reading);

/* "mime", "first", "last", "boundary", "outside", "carved", "archive". */
const char *reading_view_name(enum reading_view view);
/* The classes of the bits, blank-separated, into buf; returns buf. */
char *reading_ambiguity_text(uint32_t bits, char *buf, size_t size);
/* "complete", "too deep", ... */
const char *reading_status_text(enum reading_status status);

/* Writer's side, in the cell. */
struct reading_writer;
struct reading_writer *writer_new(int fd, uint64_t max_bytes);
/* Append octets of the blob that is being written.  0, -EFBIG above
 * max_bytes, or -errno. */
int writer_append(struct reading_writer *w, const void *buf, size_t len);
/* Where the current blob started, how long it is; then begin the next. */
void writer_blob_end(
    struct reading_writer *w, uint64_t *ret_off, uint64_t *ret_bytes);
/* Forget the current blob: it turned out to be a repetition. */
void writer_blob_drop(struct reading_writer *w);
/* Add a record; names, declared and type are copied.  Returns its index. */
int32_t writer_part(struct reading_writer *w, const struct reading_part *part);
/* Add one more name to a record that was written.  One that is full goes on in
 * another of the same content and flags: no name is ever dropped. */
void writer_name(struct reading_writer *w, int32_t part, const char *name);
/* Records, strings, then the head; on success the file is mapped no longer,
 * so it can be sealed, and the writer is only good for being freed.  0 or
 * -errno. */
int writer_commit(struct reading_writer *w, enum reading_status status,
    uint32_t ambiguity, bool hold, const char *text);

#endif
