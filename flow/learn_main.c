/*
 * sluice-learn: learns which connections carry spam, and judges others.
 */
#include "flow/tutor.h"

#include "common/conf.h"
#include "common/log.h"

#include <argp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define EXIT_USAGE 100

const char *argp_program_version = "sluice-learn 0.1.0";

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

static int
nothing_to_learn(void)
{
	log_error("flow.interface = \"none\": nobody sees connections to learn "
		  "from; name the interface on which mail comes in");
	return EXIT_USAGE;
}

static const struct argp_option options[] = {
    {"conf", 'c', "FILE", 0, "Learn as this configuration says", 0},
    {NULL, 0, NULL, 0, NULL, 0}};

int
main(int argc, char **argv)
{
	static const struct argp argp = {options, parse_option, NULL,
	    "Learn which TCP connections carry spam, and judge others.", NULL,
	    NULL, NULL};
	const char *path = NULL;
	struct conf *conf;
	char err[1024];
	int r;

	log_init("sluice-learn", LOG_LEVEL_INFO);
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &path) != 0)
		return EXIT_USAGE;
	if (conf_load(path, &conf, err, sizeof(err)) < 0) {
		log_error("%s", err);
		return EXIT_USAGE;
	}
	log_init("sluice-learn",
	    (enum log_level)log_level_parse(conf->site.log_level));
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(022);
	r = strcmp(conf->flow.interface, "none") == 0 ? nothing_to_learn()
						      : tutor_run(conf);
	(void)conf_free(conf);
	return r;
}
