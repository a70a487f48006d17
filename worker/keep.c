#include "worker/keep.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/metrics.h"
#include "worker/job_priv.h"
#include "worker/mef/archive.h"
#include "worker/model.h"
#include "worker/opinion.h"
#include "worker/programs_priv.h"
#include "worker/reading.h"

#include <errno.h>
#include <event2/event.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* What the role has and has not answered for; memory is behind it. */
#define FILES_MAX 32
#define BYTES_MAX (UINT64_C(64) << 20)

struct keep {
	struct judge *judge;
	int fd;
	struct event *readable;
	uint64_t
	    out[FILES_MAX]; /* octets of each, a ring: answers keep order */
	size_t first, n_out;
	uint64_t out_bytes;
	struct ipc_msg msg;
};

static void
take_answer(struct keep *keep)
{
	const struct wire_kept *kept;

	if (wire_kept(&keep->msg, &kept) < 0 || keep->n_out == 0)
		return;
	keep->out_bytes -= keep->out[keep->first];
	keep->first = (keep->first + 1) % FILES_MAX;
	keep->n_out--;
	metrics_add(keep->judge->metrics,
	    kept->error == 0 || kept->error == EEXIST ? METRIC_mef_kept
						      : METRIC_mef_lost,
	    1);
}

static void
on_role(evutil_socket_t fd, short what, void *arg)
{
	struct keep *keep = arg;
	int r = ipc_recv(fd, &keep->msg);

	(void)what;
	if (r == -EPIPE) /* its end is the family's, which is under way */
		(void)event_del(keep->readable);
	if (r < 0)
		return;
	take_answer(keep);
	ipc_drop_fds(&keep->msg);
}

struct keep *
keep_new(struct judge *judge, int fd)
{
	struct keep *keep = xcalloc(1, sizeof(*keep));

	keep->judge = judge;
	keep->fd = fd;
	keep->readable =
	    event_new(judge->base, fd, EV_READ | EV_PERSIST, on_role, keep);
	if (!keep->readable || event_add(keep->readable, NULL) < 0)
		abort(); /* as xcalloc() */
	return keep;
}

struct keep *
keep_free(struct keep *keep)
{
	if (!keep)
		return NULL;
	event_free(keep->readable);
	free(keep);
	return NULL;
}

static json_t *
text_json(const char *text)
{
	json_t *s = json_string(text);

	return s ? s : json_string("(not UTF-8)");
}

/* All that mail calls this content. */
static json_t *
names_json(const struct job_part *part)
{
	const struct job *job = part->job;
	json_t *names = json_array();

	for (size_t i = 0; i < job->reading->n_parts; i++) {
		const struct reading_part *seen = &job->reading->parts[i];
		const char *name = seen->names;

		if (&job->parts[i] != part && job->parts[i].same != part)
			continue;
		for (uint32_t k = 0; k < seen->n_names; k++) {
			if (json_array_size(names) < MEF_ARCHIVE_NAMES)
				(void)json_array_append_new(
				    names, text_json(name));
			name += strlen(name) + 1;
		}
	}
	return names;
}

static json_t *
families_json(const struct opinion *opinion)
{
	json_t *families = json_object();

	for (int f = 0; opinion->has_families && f < MEF_FAMILIES; f++)
		if (opinion->family[f] != 0)
			(void)json_object_set_new(families, mef_family_names[f],
			    json_real(opinion->family[f]));
	return families;
}

static void
add_time(json_t *o)
{
	const uint64_t usec = wall_now().usec;
	const time_t sec = (time_t)(usec / USEC_PER_SEC);
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&sec, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	(void)json_object_set_new(o, "t_usec", json_integer((json_int_t)usec));
	(void)json_object_set_new(o, "time", json_string(text));
}

static void
add_model(json_t *o, const struct mef_model *mef)
{
	char hex[DIGEST_HEX];

	if (!mef) /* it has gone meanwhile */
		return;
	(void)json_object_set_new(o, "model",
	    json_string(digest_hex(&mef_model_head(mef)->counts, hex)));
	(void)json_object_set_new(o, "release",
	    json_integer((json_int_t)mef_model_head(mef)->release));
}

/* Fresh memory; NULL: more than an archive takes. */
static char *
meta_text(const struct keep *keep, const struct job_part *part)
{
	const struct opinion *opinion = part->opinion;
	const struct reading_part *seen =
	    &part->job->reading->parts[part - part->job->parts];
	json_t *o = json_object();
	char hex[DIGEST_HEX], *text;

	(void)json_object_set_new(
	    o, "format", json_integer(MEF_ARCHIVE_FORMAT));
	(void)json_object_set_new(
	    o, "sha256", json_string(digest_hex(&part->digest, hex)));
	(void)json_object_set_new(
	    o, "bytes", json_integer((json_int_t)seen->bytes));
	add_time(o);
	(void)json_object_set_new(o, "names", names_json(part));
	(void)json_object_set_new(o, "type", text_json(seen->type));
	(void)json_object_set_new(
	    o, "kind", json_string(mef_kind_names[opinion->kind]));
	(void)json_object_set_new(
	    o, "label", json_string(mef_label_names[opinion->label]));
	(void)json_object_set_new(
	    o, "p_malicious", json_real(opinion->p_malicious));
	(void)json_object_set_new(o, "families", families_json(opinion));
	add_model(o, model_get(keep->judge->programs->model));
	(void)json_object_set_new(o, "mid", text_json(part->job->info.id));
	text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(o);
	if (text && strlen(text) >= MEF_ARCHIVE_META_MAX) {
		free(text);
		text = NULL;
	}
	return text;
}

static bool
is_wanted(const struct keep *keep, const struct opinion *opinion)
{
	/* What the site itself knows nobody has to label. */
	return opinion->by == OPINION_SCORE &&
	       opinion->label != MEF_IS_BENIGN &&
	       conf_has_word(keep->judge->conf->mef.archive_labels,
		   mef_label_names[opinion->label]);
}

static int
hand_over(struct keep *keep, const struct job_part *part, const char *meta)
{
	const struct reading *reading = part->job->reading;
	const struct reading_part *seen =
	    &reading->parts[part - part->job->parts];
	struct {
		struct wire_keep head;
		char meta[MEF_ARCHIVE_META_MAX];
	} msg = {.head = {.bytes = seen->bytes,
		     .meta_bytes = (uint32_t)strlen(meta) + 1,
		     .digest = part->digest}};
	CLEANUP(close_fd) int fd = memfd_new("keep");
	int r = fd;

	memcpy(msg.meta, meta, strlen(meta));
	msg.meta[strlen(meta)] = '\n';
	if (r >= 0)
		r = write_all(fd, reading->map + seen->off, seen->bytes);
	if (r == 0)
		r = memfd_seal(fd);
	return r < 0 ? r
		     : ipc_send(keep->fd, WIRE_KEEP, &msg,
			   sizeof(msg.head) + msg.head.meta_bytes, &fd, 1);
}

static bool
has_room(const struct keep *keep, uint64_t bytes)
{
	return keep->n_out == 0 || (keep->n_out < FILES_MAX &&
				       keep->out_bytes + bytes <= BYTES_MAX);
}

void
keep_offer(struct keep *keep, const struct job_part *part)
{
	CLEANUP(free_ptr) char *meta = NULL;
	uint64_t bytes;

	if (!keep || !is_wanted(keep, part->opinion))
		return;
	bytes = part->job->reading->parts[part - part->job->parts].bytes;
	meta = meta_text(keep, part);
	if (!meta || !has_room(keep, bytes) ||
	    hand_over(keep, part, meta) < 0) {
		metrics_add(keep->judge->metrics, METRIC_mef_lost, 1);
		return;
	}
	keep->out[(keep->first + keep->n_out) % FILES_MAX] = bytes;
	keep->n_out++;
	keep->out_bytes += bytes;
}
