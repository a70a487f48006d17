/*
 * worker/fetch_address.h - which addresses of the network may be asked for a
 * file behind a link.  Pure.
 */
#ifndef SLUICE_WORKER_FETCH_ADDRESS_H
#define SLUICE_WORKER_FETCH_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct sockaddr;

/* Most networks of a list. */
#define ADDRESS_LIST_MAX 64

struct address_net {
	uint8_t bytes[16]; /* IPv4 in the first four */
	uint8_t len;       /* of an address: 4 or 16 */
	uint8_t bits;
};

struct address_list {
	size_t n;
	struct address_net nets[ADDRESS_LIST_MAX];
};

/*
 * Read networks separated by blanks: ADDRESS or ADDRESS/BITS, IPv4 or IPv6;
 * "none" is an empty list.
 * Returns 0, or -EINVAL with the word that is none, and why, in err.
 */
int address_list_read(
    const char *text, struct address_list *ret, char *err, size_t err_size);

/* What a configuration says of them. */
struct address_rule {
	struct address_list allow, refuse;
};

/* Read conf links.allow and links.refuse.  As above; err names which. */
int address_rule_read(const struct conf *conf, struct address_rule *ret,
    char *err, size_t err_size);

/*
 * Is it one of the open Internet's?  No: loopback, private, link-local,
 * shared (carriers' NAT), multicast, broadcast, documentation, benchmarks,
 * reserved, and every IPv6 form that carries an IPv4 address (mapped,
 * compatible, NAT64, 6to4, Teredo), since another one may be inside.
 */
bool address_is_public(const struct sockaddr *address);

/* May it be asked?  refuse goes first, then allow, then the above. */
bool address_may(
    const struct sockaddr *address, const struct address_rule *rule);

/* May that port be?  80, 443, and what a user may listen on: services of
 * other kinds are below 1024. */
bool address_port_may(uint16_t port);

#endif
