#include "flow/start.h"

#include "common/conf.h"
#include "common/log.h"

#include <argp.h>
#include <signal.h>

struct conf *
start_conf(const char *name, const char *path)
{
	struct conf *conf;
	char err[1024];

	if (conf_load(path, &conf, err, sizeof(err)) < 0) {
		log_error("%s", err);
		return NULL;
	}
	log_init(name, (enum log_level)log_level_parse(conf->site.log_level));
	(void)signal(SIGPIPE, SIG_IGN);
	return conf;
}

static error_t
parse_option(int key, char *value, struct argp_state *state)
{
	const char **path = state->input;

	switch (key) {
	case 'c':
		*path = value;
		return 0;
	case ARGP_KEY_END:
		if (!*path)
			argp_error(state, "name a configuration (-c FILE)");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

struct conf *
start_daemon(
    int argc, char **argv, const char *name, const char *what, const char *doc)
{
	const struct argp_option options[] = {
	    {"conf", 'c', "FILE", 0, what, 0}, {NULL, 0, NULL, 0, NULL, 0}};
	const struct argp argp = {
	    options, parse_option, NULL, doc, NULL, NULL, NULL};
	const char *path = NULL;

	log_init(name, LOG_LEVEL_INFO);
	argp_err_exit_status = START_EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &path) != 0)
		return NULL;
	return start_conf(name, path);
}
