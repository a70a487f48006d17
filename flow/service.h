/*
 * flow/service.h - a local socket on which questions of one packet are
 * answered with one (flow/ask.h, flow/lesson.h).
 */
#ifndef SLUICE_FLOW_SERVICE_H
#define SLUICE_FLOW_SERVICE_H

#include <stddef.h>
#include <sys/types.h>

struct event_base;

/* Who ask, at a time; a further one is sent away. */
#define FLOW_CLIENTS_MAX 256

/* Octets of a question and of an answer; FLOW_SERVICE_MAX + 1 octets are a
 * question that is too long. */
#define FLOW_SERVICE_MAX        2048
#define FLOW_SERVICE_ANSWER_MAX 2048

/* Answer text of n octets, at most FLOW_SERVICE_MAX + 1, which nobody has
 * looked at; returns the answer's octets. */
typedef size_t flow_service_fn(
    void *arg, const char *text, size_t n, char *answer);

struct flow_service;

/* Serves root and uid on a listening socket, which is borrowed. */
struct flow_service *flow_service_new(struct event_base *base, int listen_fd,
    uid_t uid, flow_service_fn *fn, void *arg);
struct flow_service *flow_service_free(struct flow_service *service);

#endif
