/*
 * sluice-flow: watches the TCP connections that carry mail.
 */
#include "flow/offline.h"

#include "common/log.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 100

#define KEY_JSON  256
#define KEY_STATS 257

const char *argp_program_version = "sluice-flow 0.1.0";

static int
parse_ports(const char *text, struct offline *o)
{
	const char *at = text;

	do {
		char *end;
		const unsigned long port = strtoul(at, &end, 10);

		if (end == at || *at == '-' || *at == '+' || port == 0 ||
		    port > 65535 || (*end != ',' && *end != '\0') ||
		    o->n_ports == FLOW_PORTS_MAX)
			return -1;
		o->ports[o->n_ports++] = (uint16_t)port;
		at = end + 1;
		if (*end == '\0')
			return 0;
	} while (true);
}

static error_t
parse_option(int key, char *value, struct argp_state *state)
{
	struct offline *o = state->input;

	switch (key) {
	case 'r':
		o->path = value;
		return 0;
	case 'p':
		if (parse_ports(value, o) < 0)
			argp_error(state,
			    "--port %s: write 1 to %d ports, 1 to 65535, with "
			    "commas between them",
			    value, FLOW_PORTS_MAX);
		return 0;
	case KEY_JSON:
		o->is_json = true;
		return 0;
	case KEY_STATS:
		o->has_stats = true;
		return 0;
	case ARGP_KEY_END:
		if (!o->path)
			argp_error(state, "no capture: name a file (-r)");
		if (o->n_ports == 0)
			argp_error(state, "no port: say which ports are the "
					  "mail server's (--port 25)");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
    {"read", 'r', "FILE", 0, "Read a capture (pcap, pcapng; -: standard input)",
	0},
    {"port", 'p', "P[,P...]", 0, "Ports of the mail server", 0},
    {"json", KEY_JSON, NULL, 0, "One object a line, not words", 0},
    {"stats", KEY_STATS, NULL, 0,
	"Say at the end, on standard error, what was read", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

int
main(int argc, char **argv)
{
	static const struct argp argp = {options, parse_option, NULL,
	    "Tell the features of the TCP connections that carried mail.", NULL,
	    NULL, NULL};
	struct offline offline = {NULL};

	log_init("sluice-flow", LOG_LEVEL_INFO);
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &offline) != 0)
		return EXIT_USAGE;
	return offline_run(&offline, stdout);
}
