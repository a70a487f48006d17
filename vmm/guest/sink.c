#include "vmm/guest/sink.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/guest/dns.h"

#define DNS_PORT   53
#define BACKLOG    64
#define OCTETS_MAX 4096
#define LAST_TURNS 8 /* to accept, then to read, a few calls */

/* Whoever downloads something to run it gets something that runs. */
static const char page[] = "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: "
			   "application/octet-stream\r\nContent-Length: 17\r\n"
			   "Connection: close\r\n\r\n#!/bin/sh\nexit 0\n";

void
sink_init(struct sink *sink)
{
	for (size_t i = 0; i < SINK_PORTS; i++)
		sink->ports[i].fd = -1;
	for (size_t i = 0; i < SINK_CALLS; i++)
		sink->calls[i].fd = -1;
	sink->next_port = sink->next_call = 0;
	sink_expect(sink, DNS_PORT, true);
}

/* For both families at once; a kernel without the newer one has the older. */
static int
listen_at(uint16_t port, bool udp)
{
	const int type =
	    (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
	const struct sockaddr_in6 v6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons(port)};
	const struct sockaddr_in v4 = {
	    .sin_family = AF_INET, .sin_port = htons(port)};
	const int no = 0, yes = 1;
	int fd = socket(AF_INET6, type, 0), r;

	if (fd >= 0) {
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		r = bind(fd, (const struct sockaddr *)&v6, sizeof(v6));
	} else {
		fd = socket(AF_INET, type, 0);
		r = bind(fd, (const struct sockaddr *)&v4, sizeof(v4));
	}
	if (fd >= 0 && (r < 0 || (!udp && listen(fd, BACKLOG) < 0))) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

void
sink_expect(struct sink *sink, uint16_t port, bool udp)
{
	size_t slot;
	int fd;

	for (size_t i = 0; i < SINK_PORTS; i++)
		if (sink->ports[i].fd >= 0 && sink->ports[i].port == port &&
		    sink->ports[i].udp == udp)
			return;
	fd = listen_at(port, udp);
	if (fd < 0)
		return; /* a program has it */
	do
		slot = sink->next_port++ % SINK_PORTS;
	while (sink->ports[slot].port == DNS_PORT && sink->ports[slot].fd >= 0);
	if (sink->ports[slot].fd >= 0)
		(void)close(sink->ports[slot].fd);
	sink->ports[slot].fd = fd;
	sink->ports[slot].port = port;
	sink->ports[slot].udp = udp;
}

void
sink_yield(struct sink *sink, uint16_t port, bool udp)
{
	for (size_t i = 0; i < SINK_PORTS; i++) {
		if (sink->ports[i].fd < 0 || sink->ports[i].port != port ||
		    sink->ports[i].udp != udp)
			continue;
		(void)close(sink->ports[i].fd);
		sink->ports[i].fd = -1;
	}
}

static bool
is_mail(uint16_t port)
{
	return port == 25 || port == 465 || port == 587 || port == 2525;
}

static void
hang_up(struct sink *sink, size_t slot)
{
	(void)close(sink->calls[slot].fd);
	sink->calls[slot].fd = -1;
}

static void
say(int fd, const char *text)
{
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The address that was called, which is one of ours now. */
static void
called_address(int fd, char text[SINK_ADDRESS_MAX])
{
	struct sockaddr_in6 address = {.sin6_family = AF_UNSPEC};
	socklen_t n = sizeof(address);

	text[0] = '\0';
	if (getsockname(fd, (struct sockaddr *)&address, &n) < 0)
		return;
	if (address.sin6_family == AF_INET6)
		(void)inet_ntop(
		    AF_INET6, &address.sin6_addr, text, SINK_ADDRESS_MAX);
	if (strncmp(text, "::ffff:", 7) == 0) /* the older family in it */
		memmove(text, text + 7, strlen(text + 7) + 1);
}

static void
take_call(struct sink *sink, int port_fd, uint16_t port)
{
	int fd = accept4(port_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	size_t slot;

	if (fd < 0)
		return;
	slot = sink->next_call++ % SINK_CALLS;
	if (sink->calls[slot].fd >= 0)
		hang_up(sink, slot);
	sink->calls[slot].fd = fd;
	sink->calls[slot].port = port;
	sink->calls[slot].told = false;
	memset(&sink->calls[slot].smtp, 0, sizeof(sink->calls[slot].smtp));
	called_address(fd, sink->calls[slot].addr);
	if (is_mail(port))
		say(fd, SMTP_GREETING);
}

static void
tell(struct scene *scene, const char *addr, uint16_t port, const char *octets,
    size_t n)
{
	scene_add(scene, BY_SINK, 0, REPORT_NET_DATA, FIELD("addr", addr),
	    FIELD_NUMBER("port", port),
	    FIELD_OCTETS("data", octets, n < SINK_DATA ? n : SINK_DATA));
}

static void
take_datagram(struct scene *scene, int fd, uint16_t port)
{
	unsigned char octets[OCTETS_MAX], reply[DNS_REPLY_MAX];
	char name[DNS_NAME_MAX];
	struct sockaddr_storage from;
	socklen_t from_bytes = sizeof(from);
	ssize_t got = recvfrom(fd, octets, sizeof(octets), MSG_DONTWAIT,
	    (struct sockaddr *)&from, &from_bytes);
	size_t n;

	if (got < 0)
		return;
	if (port != DNS_PORT) {
		tell(scene, "", port, (char *)octets, (size_t)got);
		return;
	}
	n = dns_answer(octets, (size_t)got, name, reply);
	if (n == 0)
		return;
	(void)sendto(fd, reply, n, MSG_DONTWAIT | MSG_NOSIGNAL,
	    (struct sockaddr *)&from, from_bytes);
	scene_add(scene, BY_SINK, 0, REPORT_NET_DNS, FIELD("name", name));
}

static void
take_mail(struct sink *sink, struct scene *scene, size_t slot,
    const char *octets, size_t n)
{
	char to[SMTP_ADDRESS_MAX];

	for (size_t i = 0; i < n; i++) {
		const char *reply =
		    smtp_octet(&sink->calls[slot].smtp, octets[i], to);

		if (*to)
			scene_add(scene, BY_SINK, 0, REPORT_NET_MAIL,
			    FIELD("to", to));
		if (!reply)
			continue;
		say(sink->calls[slot].fd, reply);
		if (smtp_is_over(reply)) {
			hang_up(sink, slot);
			return;
		}
	}
}

static bool
is_http(const char *octets, size_t n)
{
	return n > 5 && (memcmp(octets, "GET ", 4) == 0 ||
			    memcmp(octets, "POST ", 5) == 0 ||
			    memcmp(octets, "PUT ", 4) == 0 ||
			    memcmp(octets, "HEAD ", 5) == 0);
}

static void
take_octets(struct sink *sink, struct scene *scene, size_t slot)
{
	char octets[OCTETS_MAX];
	ssize_t got =
	    recv(sink->calls[slot].fd, octets, sizeof(octets), MSG_DONTWAIT);

	if (got <= 0) {
		hang_up(sink, slot);
		return;
	}
	if (!sink->calls[slot].told)
		tell(scene, sink->calls[slot].addr, sink->calls[slot].port,
		    octets, (size_t)got);
	if (is_mail(sink->calls[slot].port)) {
		take_mail(sink, scene, slot, octets, (size_t)got);
	} else if (!sink->calls[slot].told && is_http(octets, (size_t)got)) {
		say(sink->calls[slot].fd, page);
		(void)shutdown(sink->calls[slot].fd, SHUT_WR);
	}
	sink->calls[slot].told = true;
}

size_t
sink_polls(const struct sink *sink, struct pollfd polls[SINK_POLLS])
{
	size_t n = 0;

	for (size_t i = 0; i < SINK_PORTS; i++)
		if (sink->ports[i].fd >= 0)
			polls[n++] =
			    (struct pollfd){sink->ports[i].fd, POLLIN, 0};
	for (size_t i = 0; i < SINK_CALLS; i++)
		if (sink->calls[i].fd >= 0)
			polls[n++] =
			    (struct pollfd){sink->calls[i].fd, POLLIN, 0};
	return n;
}

static void
serve(struct sink *sink, struct scene *scene, int fd)
{
	for (size_t i = 0; i < SINK_PORTS; i++) {
		if (sink->ports[i].fd != fd)
			continue;
		if (sink->ports[i].udp)
			take_datagram(scene, fd, sink->ports[i].port);
		else
			take_call(sink, fd, sink->ports[i].port);
		return;
	}
	for (size_t i = 0; i < SINK_CALLS; i++)
		if (sink->calls[i].fd == fd) {
			take_octets(sink, scene, i);
			return;
		}
}

void
sink_serve(struct sink *sink, struct scene *scene, const struct pollfd *polls,
    size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (polls[i].revents)
			serve(sink, scene, polls[i].fd);
}

void
sink_drain(struct sink *sink, struct scene *scene)
{
	struct pollfd polls[SINK_POLLS];

	for (int i = 0; i < LAST_TURNS; i++) {
		const size_t n = sink_polls(sink, polls);

		if (poll(polls, n, 0) <= 0)
			return;
		sink_serve(sink, scene, polls, n);
	}
}
