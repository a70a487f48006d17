/*
 * sluice-learn: learns which connections carry spam, and judges others.
 */
#include "flow/start.h"
#include "flow/tutor.h"

#include "common/conf.h"
#include "common/log.h"

#include <argp.h>
#include <string.h>
#include <sys/stat.h>

const char *argp_program_version = "sluice-learn 0.1.0";

static int
nothing_to_learn(void)
{
	log_error("flow.interface = \"none\": nobody sees connections to learn "
		  "from; name the interface on which mail comes in");
	return START_EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	struct conf *conf = start_daemon(argc, argv, "sluice-learn",
	    "Learn as this configuration says",
	    "Learn which TCP connections carry spam, and judge others.");
	int r;

	if (!conf)
		return START_EXIT_USAGE;
	(void)umask(022);
	r = strcmp(conf->flow.interface, "none") == 0 ? nothing_to_learn()
						      : tutor_run(conf);
	(void)conf_free(conf);
	return r;
}
