#include "flow/feature.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

static const struct flow_feature_info infos[] = {
#define FLOW_FEATURE(name, type, unit, definition) \
	{#name, FLOW_FEATURE_##type, unit, definition},
#include "flow/features.def"
#undef FLOW_FEATURE
};

const struct flow_feature_info *
flow_feature_info(enum flow_feature feature)
{
	assert(feature < FLOW_FEATURES);
	return &infos[feature];
}

bool
flow_feature_is_missing(
    const struct flow_features *features, enum flow_feature feature)
{
	assert(feature < FLOW_FEATURES);
	return isnan(features->value[feature]);
}

int
flow_feature_text(const struct flow_features *features,
    enum flow_feature feature, char *buf, size_t size)
{
	const double value = features->value[feature];

	if (flow_feature_is_missing(features, feature))
		return snprintf(buf, size, "null");
	if (infos[feature].type == FLOW_FEATURE_COUNT)
		return snprintf(buf, size, "%.0f", value);
	return snprintf(buf, size, "%.9g", value);
}
