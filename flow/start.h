/*
 * flow/start.h - how the daemons of connections begin: command line,
 * configuration, log.
 */
#ifndef SLUICE_FLOW_START_H
#define SLUICE_FLOW_START_H

struct conf;

#define START_EXIT_USAGE 100

/*
 * Read the configuration at path, log by name as it says, and take no signal
 * for a peer that has gone.  Returns it, for conf_free(), or NULL, which is
 * START_EXIT_USAGE: what is wrong was logged.
 */
struct conf *start_conf(const char *name, const char *path);

/*
 * The same for a daemon that has no option but -c FILE.
 *
 * what  -c's part of --help
 * doc   what the daemon is for, in --help
 *
 * Ends the process for --help, --version and, with START_EXIT_USAGE, a wrong
 * command line.
 */
struct conf *start_daemon(
    int argc, char **argv, const char *name, const char *what, const char *doc);

#endif
