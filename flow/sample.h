/*
 * flow/sample.h - what is learned from: the features of one mail's connection,
 * whose they are and what the mail was; and how one stands in a line of JSON.
 */
#ifndef SLUICE_FLOW_SAMPLE_H
#define SLUICE_FLOW_SAMPLE_H

#include "flow/feature.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_t; /* jansson's */

/* Longest line of features that is read, in octets; one of ours has 600. */
#define FLOW_LINE_MAX 65536

struct flow_sample {
	double x[FLOW_FEATURES]; /* units of features.def; NAN: null */
	uint64_t peer;           /* flow_peer(); 0: unknown */
	uint64_t client;         /* flow_client(); 0: unknown, or not kept */
	bool is_spam;
};

/* As in features.def: "pkts_in". */
const char *flow_feature_name(size_t feature);

/*
 * Who a client is, as far as samples tell: a hash of its network (IPv4 /24,
 * IPv6 /64; IPv4 in IPv6 is IPv4).  0 for text that is no address.
 */
uint64_t flow_peer(const char *address);

/* A hash of its whole address; 0 for text that is none. */
uint64_t flow_client(const char *address);

/*
 * Read the features out of a line of JSON: an object that has at least one of
 * them, each a number from 0 or null; missing ones are null.  The peer is
 * taken from "peer" (ours) or "client" (an address), other keys are passed
 * over.  is_spam is left false.
 *
 * err  on failure: what is wrong and what to write, without the line's place
 *
 * Returns 0, or -EINVAL, *ret untouched.
 */
int flow_sample_read(const char *line, size_t length, struct flow_sample *ret,
    char *err, size_t err_size);

/* The same of an object that is parsed already (borrowed). */
int flow_sample_of(const struct json_t *object, struct flow_sample *ret,
    char *err, size_t err_size);

/* A new object of all features, null where they are, and the peer. */
struct json_t *flow_sample_json(const struct flow_sample *sample);

#endif
