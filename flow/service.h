/*
 * flow/service.h - the socket on which flows are asked for (flow/ask.h).
 */
#ifndef SLUICE_FLOW_SERVICE_H
#define SLUICE_FLOW_SERVICE_H

#include "flow/ask.h"

#include <sys/types.h>

struct event_base;

/* Who ask, at a time; a further one is sent away. */
#define FLOW_CLIENTS_MAX 256

/* Answer a well-formed question; returns the answer's octets. */
typedef size_t flow_service_fn(
    void *arg, struct flow_question *question, char *answer);

struct flow_service;

/* Serves root and uid on a listening socket, which is borrowed. */
struct flow_service *flow_service_new(struct event_base *base, int listen_fd,
    uid_t uid, flow_service_fn *fn, void *arg);
struct flow_service *flow_service_free(struct flow_service *service);

#endif
