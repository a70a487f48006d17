#include "flow/sample.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *
flow_feature_name(size_t feature)
{
	return flow_feature_info((enum flow_feature)feature)->name;
}

/* FNV-1a, 64 bits (Fowler, Noll, Vo): spreads, hides nothing. */
static uint64_t
hash(const unsigned char *octets, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ octets[i]) * UINT64_C(0x100000001b3);
	return h ? h : 1;
}

/* Of the first octets of an address; so many of IPv4, so many of IPv6. */
static uint64_t
hash_address(const char *address, size_t of_4, size_t of_6)
{
	static const unsigned char mapped[12] = {
	    [10] = 0xff, [11] = 0xff}; /* RFC 4291 2.5.5.2 */
	unsigned char octets[16];

	if (inet_pton(AF_INET, address, octets) == 1)
		return hash(octets, of_4);
	if (inet_pton(AF_INET6, address, octets) != 1)
		return 0;
	if (memcmp(octets, mapped, sizeof(mapped)) == 0)
		return hash(octets + sizeof(mapped), of_4);
	return hash(octets, of_6);
}

uint64_t
flow_peer(const char *address)
{
	return hash_address(address, 3, 8);
}

uint64_t
flow_client(const char *address)
{
	return hash_address(address, 4, 16);
}

static int
read_peer(
    const json_t *object, struct flow_sample *ret, char *err, size_t err_size)
{
	const char *peer = json_string_value(json_object_get(object, "peer"));
	const char *client =
	    json_string_value(json_object_get(object, "client"));

	ret->peer = client ? flow_peer(client) : 0;
	ret->client = client ? flow_client(client) : 0;
	if (!peer)
		return 0;
	if (strlen(peer) == 16 && strspn(peer, "0123456789abcdef") == 16 &&
	    sscanf(peer, "%16" SCNx64, &ret->peer) == 1)
		return 0;
	(void)snprintf(err, err_size,
	    "peer: not 16 hexadecimal digits; leave it out, or write client "
	    "with an address");
	return -EINVAL;
}

int
flow_sample_of(
    const json_t *object, struct flow_sample *ret, char *err, size_t err_size)
{
	struct flow_sample s = {.is_spam = false};
	size_t known = 0;

	for (size_t i = 0; i < FLOW_FEATURES; i++) {
		const json_t *value =
		    json_object_get(object, flow_feature_name(i));

		s.x[i] = NAN;
		known += value != NULL;
		if (!value || json_is_null(value))
			continue;
		s.x[i] = json_number_value(value);
		if (!json_is_number(value) || !(s.x[i] >= 0)) {
			(void)snprintf(err, err_size,
			    "%s: not a number from 0, nor null; write one",
			    flow_feature_name(i));
			return -EINVAL;
		}
	}
	if (known == 0) {
		(void)snprintf(err, err_size,
		    "no feature of a connection; write an object as "
		    "sluice-flow --json prints it");
		return -EINVAL;
	}
	if (read_peer(object, &s, err, err_size) < 0)
		return -EINVAL;
	*ret = s;
	return 0;
}

int
flow_sample_read(const char *line, size_t length, struct flow_sample *ret,
    char *err, size_t err_size)
{
	json_error_t error;
	json_t *object;
	int r;

	if (length > FLOW_LINE_MAX) {
		(void)snprintf(err, err_size,
		    "a line of more than %d octets; write one object a line",
		    FLOW_LINE_MAX);
		return -EINVAL;
	}
	object = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	if (!object) {
		(void)snprintf(err, err_size,
		    "no JSON object: %s (column %d); write one object a line",
		    error.text, error.column);
		return -EINVAL;
	}
	r = flow_sample_of(object, ret, err, err_size);
	json_decref(object);
	return r;
}

json_t *
flow_sample_json(const struct flow_sample *sample)
{
	json_t *object = json_object();
	char peer[17];

	for (size_t i = 0; i < FLOW_FEATURES; i++)
		(void)json_object_set_new(object, flow_feature_name(i),
		    isnan(sample->x[i]) ? json_null()
					: json_real(sample->x[i]));
	if (sample->peer) {
		(void)snprintf(peer, sizeof(peer), "%016" PRIx64, sample->peer);
		(void)json_object_set_new(object, "peer", json_string(peer));
	}
	return object;
}
