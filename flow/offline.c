#include "flow/offline.h"

#include "flow/capture.h"
#include "flow/text.h"

#include "common/conf.h"
#include "common/io.h"
#include "common/log.h"
#include "common/sandbox.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE  100
#define EXIT_SYSTEM 111
/* Packets between two looks at whether the reader of the flows is gone. */
#define AT_ONCE 65536

struct run {
	const struct offline *offline;
	struct flow_table *table;
	FILE *out;
};

static void
on_flow_end(void *arg, struct flow *flow, enum flow_end end)
{
	const struct run *run = arg;

	flow_print(flow, end, run->offline->is_json, run->out);
}

/* Messages are only counted. */
static void
on_key(void *arg, unsigned int ordinal, const struct flow_key *key)
{
	(void)arg;
	(void)ordinal;
	(void)key;
}

static void
on_packet(void *arg, const struct packet *packet)
{
	static const struct dialogue_sink sink = {on_key, on_key, NULL};
	const struct run *run = arg;
	bool is_in;
	struct flow *flow = flow_table_see(run->table, packet, &is_in);

	if (flow)
		dialogue_segment(&flow->dialogue, packet, is_in,
		    flow_table_budget(run->table), &sink);
}

/* A file is as hostile as a wire. */
static int
enter_sandbox(void)
{
	struct conf *conf;
	char err[512];
	int r = conf_load(NULL, &conf, err, sizeof(err));

	if (r == 0) {
		free(conf->site.flow_user);
		conf->site.flow_user = xstrdup("nobody"); /* it needs nothing */
		r = sandbox_enter(ROLE_FLOW, conf, err, sizeof(err));
		(void)conf_free(conf);
	}
	if (r < 0)
		log_error("flow sandbox: %s", err);
	return r;
}

static int
read_all(struct run *run, struct capture *capture)
{
	char err[512];
	int r;

	do {
		r = capture_read(
		    capture, AT_ONCE, on_packet, run, err, sizeof(err));
	} while (r > 0 && !ferror(run->out));
	flow_table_end_all(run->table, FLOW_END_CUT);
	if (fflush(run->out) != 0 || ferror(run->out)) {
		log_error("flow: cannot write the flows: %s", strerror(errno));
		return EXIT_SYSTEM;
	}
	if (r < 0) {
		log_error("flow %s; the flows before that are printed", err);
		return EXIT_SYSTEM;
	}
	return 0;
}

static void
print_stats(const struct run *run, const struct capture *capture)
{
	const struct flow_table_stats s = flow_table_stats(run->table);
	const uint64_t *kinds = capture_kinds(capture);

	log_info("flow stats tcp=%" PRIu64 " other=%" PRIu64
		 " fragments=%" PRIu64 " cut=%" PRIu64 " bad=%" PRIu64
		 " strangers=%" PRIu64 " flows=%" PRIu64
		 " unproven_pushed=%" PRIu64 " pushed=%" PRIu64,
	    kinds[PACKET_TCP], kinds[PACKET_OTHER], kinds[PACKET_FRAGMENT],
	    kinds[PACKET_CUT], kinds[PACKET_BAD], s.strangers, s.flows,
	    s.unproven_pushed, s.ends[FLOW_END_PUSHED]);
}

int
offline_run(const struct offline *offline, FILE *out)
{
	struct flow_limits limits = {
	    .n_ports = offline->n_ports,
	    .proven_max = FLOW_PROVEN_MAX,
	    .unproven_max = FLOW_UNPROVEN_MAX,
	    .budget_bytes = FLOW_BUDGET_BYTES,
	};
	struct run run = {offline, NULL, out};
	struct capture *capture;
	char err[1024];
	int r = capture_open_file(offline->path, &capture, err, sizeof(err));

	if (r < 0) {
		log_error("flow %s", err);
		return r == -EINVAL || r == -ENOTSUP ? EXIT_USAGE : EXIT_SYSTEM;
	}
	memcpy(limits.ports, offline->ports, sizeof(limits.ports));
	run.table = flow_table_new(&limits, on_flow_end, &run);
	r = enter_sandbox() < 0 ? EXIT_SYSTEM : read_all(&run, capture);
	if (offline->has_stats)
		print_stats(&run, capture);
	(void)flow_table_free(run.table);
	(void)capture_close(capture);
	return r;
}
