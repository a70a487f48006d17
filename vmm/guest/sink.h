/*
 * vmm/guest/sink.h - the whole network of a guest: whatever address a program
 * calls, the agent takes the call.
 *
 * The guest has no network device; all addresses are its own (net_prepare()),
 * and the watcher of system calls opens the port just before a program
 * connects to it.  Names resolve (vmm/guest/dns.h), mail is taken
 * (vmm/guest/smtp.h), HTTP gets a small page, others are listened to.
 */
#ifndef SLUICE_VMM_GUEST_SINK_H
#define SLUICE_VMM_GUEST_SINK_H

#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/guest/scene.h"
#include "vmm/guest/smtp.h"

#define SINK_PORTS       64 /* open at once; the oldest goes for a new one */
#define SINK_CALLS       32 /* connections at once; likewise */
#define SINK_POLLS       (SINK_PORTS + SINK_CALLS)
#define SINK_DATA        256 /* of a connection's first octets are told */
#define SINK_ADDRESS_MAX INET6_ADDRSTRLEN

struct sink {
	struct {
		int fd; /* -1: free */
		uint16_t port;
		bool udp;
	} ports[SINK_PORTS];
	struct {
		int fd; /* -1: free */
		uint16_t port;
		bool told; /* its first octets */
		char addr[SINK_ADDRESS_MAX];
		struct smtp smtp;
	} calls[SINK_CALLS];
	uint32_t next_port, next_call;
};

/* Bring the loopback device up and make every address its own.  Returns 0 or
 * -errno. */
int net_prepare(void);

/* Begin with the port of DNS alone. */
void sink_init(struct sink *sink);

/* Somebody will connect to the port: open it, unless it is open or a program
 * has it. */
void sink_expect(struct sink *sink, uint16_t port, bool udp);

/* A program wants the port for itself. */
void sink_yield(struct sink *sink, uint16_t port, bool udp);

/* What to poll for; returns the number.  Then the same array back. */
size_t sink_polls(const struct sink *sink, struct pollfd polls[SINK_POLLS]);
void sink_serve(struct sink *sink, struct scene *scene,
    const struct pollfd *polls, size_t n);

/* Take what connections brought last, though their programs have ended: a
 * bounded number of turns, without waiting. */
void sink_drain(struct sink *sink, struct scene *scene);

#endif
