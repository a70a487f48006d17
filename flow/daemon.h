/*
 * flow/daemon.h - the loop of sluice-flow: packets in, records kept, questions
 * answered.
 */
#ifndef SLUICE_FLOW_DAEMON_H
#define SLUICE_FLOW_DAEMON_H

#include <stddef.h>
#include <stdint.h>

struct conf;
struct event_base;

/* "25,587" -> ports.  Returns how many, or -EINVAL: none, too many, or what is
 * no port. */
int flow_ports_parse(const char *text, uint16_t *ret_ports, size_t max);

/*
 * Capture as conf says, until SIGTERM or SIGINT, or the interface is gone.
 * Begins as root, waits for the interface, and enters its sandbox before the
 * first packet is read.  Returns the exit status: 0; 100: the configuration
 * is wrong; 111: the system failed, or the interface is gone: start again.
 */
int flow_daemon_run(const struct conf *conf);

#endif
