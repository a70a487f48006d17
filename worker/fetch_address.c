/*
 * worker/fetch_address.c - worker/fetch_address.h.
 */
#include "worker/fetch_address.h"

#include "common/cleanup.h"
#include "common/conf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* IANA's registry of special IPv4 addresses, but for what anybody may reach;
 * and multicast. */
static const struct {
	uint32_t net;
	unsigned bits;
} special4[] = {
    {0x00000000, 8},  /* this network */
    {0x0a000000, 8},  /* private */
    {0x64400000, 10}, /* shared by carriers' NAT */
    {0x7f000000, 8},  /* loopback */
    {0xa9fe0000, 16}, /* link-local; clouds tell their secrets there */
    {0xac100000, 12}, /* private */
    {0xc0000000, 24}, /* protocols */
    {0xc0000200, 24}, /* documentation */
    {0xc0586300, 24}, /* 6to4 relays */
    {0xc0a80000, 16}, /* private */
    {0xc6120000, 15}, /* benchmarks */
    {0xc6336400, 24}, /* documentation */
    {0xcb007100, 24}, /* documentation */
    {0xe0000000, 4},  /* multicast */
    {0xf0000000, 4},  /* reserved, broadcast */
};

/* Within 2000::/3; outside of it there is nothing for everybody. */
static const struct {
	uint8_t net[4];
	unsigned bits;
} special6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23}, /* protocols, Teredo, benchmarks */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x20, 0x02}, 16},             /* 6to4: an IPv4 address inside */
    {{0x3f, 0xff, 0x00, 0x00}, 20}, /* documentation */
};

static bool
has_prefix(const uint8_t *address, const uint8_t *net, unsigned bits)
{
	const unsigned octets = bits / 8, rest = bits % 8;
	const uint8_t mask = (uint8_t)(0xff00 >> rest);

	return memcmp(address, net, octets) == 0 &&
	       (rest == 0 || ((address[octets] ^ net[octets]) & mask) == 0);
}

static bool
is_public4(const struct in_addr *in)
{
	const uint32_t a = ntohl(in->s_addr);

	for (size_t i = 0; i < ARRAY_SIZE(special4); i++)
		if ((a ^ special4[i].net) >> (32 - special4[i].bits) == 0)
			return false;
	return true;
}

static bool
is_public6(const struct in6_addr *in6)
{
	if (in6->s6_addr[0] >> 5 != 1)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(special6); i++)
		if (has_prefix(in6->s6_addr, special6[i].net, special6[i].bits))
			return false;
	return true;
}

/* Its octets; NULL: of another family. */
static const uint8_t *
octets_of(const struct sockaddr *address, size_t *ret_len)
{
	if (address->sa_family == AF_INET) {
		*ret_len = 4;
		return (const void *)&(
		    (const struct sockaddr_in *)(const void *)address)
		    ->sin_addr;
	}
	if (address->sa_family == AF_INET6) {
		*ret_len = 16;
		return ((const struct sockaddr_in6 *)(const void *)address)
		    ->sin6_addr.s6_addr;
	}
	return NULL;
}

bool
address_is_public(const struct sockaddr *address)
{
	struct in6_addr in6;
	struct in_addr in;
	size_t len;
	const uint8_t *octets = octets_of(address, &len);

	if (!octets)
		return false;
	if (len == sizeof(in)) {
		memcpy(&in, octets, sizeof(in));
		return is_public4(&in);
	}
	memcpy(&in6, octets, sizeof(in6));
	return is_public6(&in6);
}

static bool
has_address(const struct address_list *list, const struct sockaddr *address)
{
	size_t len;
	const uint8_t *octets = octets_of(address, &len);

	for (size_t i = 0; octets && i < list->n; i++)
		if (list->nets[i].len == len &&
		    has_prefix(octets, list->nets[i].bytes, list->nets[i].bits))
			return true;
	return false;
}

bool
address_may(const struct sockaddr *address, const struct address_rule *rule)
{
	if (has_address(&rule->refuse, address))
		return false;
	return has_address(&rule->allow, address) || address_is_public(address);
}

bool
address_port_may(uint16_t port)
{
	return port == 80 || port == 443 || port >= 1024;
}

static int
read_net(const char *word, struct address_net *ret)
{
	char text[INET6_ADDRSTRLEN + 4];
	char *slash, *end = NULL;
	unsigned long bits;

	(void)snprintf(text, sizeof(text), "%s", word);
	slash = strchr(text, '/');
	if (slash)
		*slash++ = '\0';
	*ret = (struct address_net){.len = strchr(text, ':') ? 16 : 4};
	if (inet_pton(ret->len == 16 ? AF_INET6 : AF_INET, text, ret->bytes) !=
	    1)
		return -EINVAL;
	bits = slash ? strtoul(slash, &end, 10) : 8UL * ret->len;
	if (slash && (*slash < '0' || *slash > '9' || *end))
		return -EINVAL;
	if (bits > 8UL * ret->len)
		return -EINVAL;
	ret->bits = (uint8_t)bits;
	return 0;
}

int
address_list_read(
    const char *text, struct address_list *ret, char *err, size_t err_size)
{
	CLEANUP(free_ptr) char *copy = strdup(text);
	char *at = copy, *word;

	if (!copy)
		abort();
	ret->n = 0;
	if (strcmp(text, "none") == 0)
		return 0;
	while ((word = strsep(&at, " \t\n"))) {
		if (!*word)
			continue;
		if (ret->n == ADDRESS_LIST_MAX) {
			(void)snprintf(err, err_size, "more than %d networks",
			    ADDRESS_LIST_MAX);
			return -EINVAL;
		}
		if (strlen(word) > INET6_ADDRSTRLEN ||
		    read_net(word, &ret->nets[ret->n]) < 0) {
			(void)snprintf(err, err_size,
			    "%.60s: write ADDRESS or ADDRESS/BITS", word);
			return -EINVAL;
		}
		ret->n++;
	}
	return 0;
}

int
address_rule_read(const struct conf *conf, struct address_rule *ret, char *err,
    size_t err_size)
{
	const char *which = "allow";
	char why[128];
	int r =
	    address_list_read(conf->links.allow, &ret->allow, why, sizeof(why));

	if (r == 0) {
		which = "refuse";
		r = address_list_read(
		    conf->links.refuse, &ret->refuse, why, sizeof(why));
	}
	if (r < 0)
		(void)snprintf(err, err_size, "links.%s: %s", which, why);
	return r;
}
