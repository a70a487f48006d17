/*
 * flow/feature.h - the vector of features of flow/features.def.
 */
#ifndef SLUICE_FLOW_FEATURE_H
#define SLUICE_FLOW_FEATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum flow_feature {
#define FLOW_FEATURE(name, type, unit, definition) FLOW_FEATURE_##name,
#include "flow/features.def"
#undef FLOW_FEATURE
	FLOW_FEATURES
};

enum flow_feature_type {
	FLOW_FEATURE_COUNT,
	FLOW_FEATURE_REAL,
};

struct flow_feature_info {
	const char *name;
	enum flow_feature_type type;
	const char *unit;
	const char *definition;
};

/* Valid for ever. */
const struct flow_feature_info *flow_feature_info(enum flow_feature feature);

/* NAN is missing.  Counts below 2^53 are exact. */
struct flow_features {
	double value[FLOW_FEATURES];
};

bool flow_feature_is_missing(
    const struct flow_features *features, enum flow_feature feature);

/*
 * Write a value as in JSON: a number, or null.  REAL has nine significant
 * digits, which is more than clocks have.  Returns what snprintf() returns;
 * 32 octets suffice.
 */
int flow_feature_text(const struct flow_features *features,
    enum flow_feature feature, char *buf, size_t size);

#endif
