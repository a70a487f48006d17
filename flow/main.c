/*
 * sluice-flow: watches the TCP connections that carry mail.
 */
#include "flow/daemon.h"
#include "flow/offline.h"
#include "flow/start.h"

#include "common/conf.h"
#include "common/log.h"

#include <argp.h>
#include <stdlib.h>
#include <sys/stat.h>

#define KEY_JSON  256
#define KEY_STATS 257

struct arguments {
	struct offline offline;
	const char *conf_path;
};

const char *argp_program_version = "sluice-flow 0.1.0";

static void
check(const struct arguments *a, struct argp_state *state)
{
	if (a->offline.path && a->conf_path)
		argp_error(state, "-r reads a file, -c captures: give one");
	if (!a->offline.path && !a->conf_path)
		argp_error(state, "name a capture (-r FILE) or a "
				  "configuration (-c FILE)");
	if (a->offline.path && a->offline.n_ports == 0)
		argp_error(state, "no port: say which ports are the mail "
				  "server's (--port 25)");
}

static error_t
parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;
	int n;

	switch (key) {
	case 'c':
		a->conf_path = value;
		return 0;
	case 'r':
		a->offline.path = value;
		return 0;
	case 'p':
		n = flow_ports_parse(value, a->offline.ports, FLOW_PORTS_MAX);
		if (n < 0)
			argp_error(state,
			    "--port %s: write 1 to %d ports, 1 to 65535, with "
			    "commas between them",
			    value, FLOW_PORTS_MAX);
		a->offline.n_ports = (size_t)n;
		return 0;
	case KEY_JSON:
		a->offline.is_json = true;
		return 0;
	case KEY_STATS:
		a->offline.has_stats = true;
		return 0;
	case ARGP_KEY_END:
		check(a, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
    {"conf", 'c', "FILE", 0, "Capture as this configuration says", 0},
    {"read", 'r', "FILE", 0, "Read a capture (pcap, pcapng; -: standard input)",
	0},
    {"port", 'p', "P[,P...]", 0, "With -r: ports of the mail server", 0},
    {"json", KEY_JSON, NULL, 0, "With -r: one object a line, not words", 0},
    {"stats", KEY_STATS, NULL, 0,
	"With -r: say at the end, on standard error, what was read", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

static int
run_daemon(const char *path)
{
	struct conf *conf = start_conf("sluice-flow", path);
	int r;

	if (!conf)
		return START_EXIT_USAGE;
	(void)umask(022);
	r = flow_daemon_run(conf);
	(void)conf_free(conf);
	return r;
}

int
main(int argc, char **argv)
{
	static const struct argp argp = {options, parse_option, NULL,
	    "Tell the features of the TCP connections that carry mail.", NULL,
	    NULL, NULL};
	struct arguments a = {.conf_path = NULL};

	log_init("sluice-flow", LOG_LEVEL_INFO);
	argp_err_exit_status = START_EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return START_EXIT_USAGE;
	return a.conf_path ? run_daemon(a.conf_path)
			   : offline_run(&a.offline, stdout);
}
