/*
 * flow/dialogue_priv.h - between the file that puts octets in order and the
 * one that reads them.
 */
#ifndef SLUICE_FLOW_DIALOGUE_PRIV_H
#define SLUICE_FLOW_DIALOGUE_PRIV_H

#include "flow/dialogue.h"

struct reading {
	struct dialogue *dialogue;
	struct flow_budget *budget;
	const struct dialogue_sink *sink;
};

/* Octets of one side, in order. */
void smtp_in(const struct reading *reading, const char *at, size_t n);
void smtp_out(const struct reading *reading, const char *at, size_t n);

/* The greeting is awaited. */
void smtp_begin(struct dialogue *dialogue);

/* No more is read. */
void smtp_stop(const struct reading *reading, enum dialogue_mode mode);

#endif
