#include "common/conf_priv.h"

#define VISIT(...) fn(&(const struct conf_setting){__VA_ARGS__}, arg);

/* A section opens a block, so that its name and struct are known inside. */
#define CONF_SECTION(id, text) \
	{ \
		const char *section = #id; \
		__auto_type s = &conf->id; \
		VISIT(CONF_KIND_SECTION, section, #id, .help = (text))
#define CONF_END(id) \
	VISIT(CONF_KIND_END, section, #id, .help = "") \
	}
#define CONF_PATH(id, d, text) \
	VISIT(CONF_KIND_PATH, section, #id, &s->id, d, .help = (text))
#define CONF_STRING(id, d, text) \
	VISIT(CONF_KIND_STRING, section, #id, &s->id, d, .help = (text))
#define CONF_COUNT(id, d, min, max, text) \
	VISIT(CONF_KIND_COUNT, section, #id, &s->id, #d, #min, #max, \
	    .help = (text))
#define CONF_PERCENT(id, d, min, max, text) \
	VISIT(CONF_KIND_PERCENT, section, #id, &s->id##_ppm, #d, #min, #max, \
	    .help = (text))
#define CONF_BYTES(id, d, min, max, text) \
	VISIT(CONF_KIND_BYTES, section, #id, &s->id##_bytes, d, min, max, \
	    .help = (text))
#define CONF_SPAN(id, d, min, max, text) \
	VISIT(CONF_KIND_SPAN, section, #id, &s->id##_usec, d, min, max, \
	    .help = (text))
#define CONF_REAL(id, d, min, max, text) \
	VISIT(CONF_KIND_REAL, section, #id, &s->id, #d, #min, #max, \
	    .help = (text))
#define CONF_BOOL(id, d, text) \
	VISIT(CONF_KIND_BOOL, section, #id, &s->id, d, .help = (text))
#define CONF_SIZES(id, d, text) \
	VISIT(CONF_KIND_SIZES, section, #id, &s->id, d, .help = (text))
#define CONF_WORDS(id, d, all, text) \
	VISIT(CONF_KIND_WORDS, section, #id, &s->id, d, .allowed = (all), \
	    .help = (text))
#define CONF_CHOICE(id, d, all, text) \
	VISIT(CONF_KIND_CHOICE, section, #id, &s->id, d, .allowed = (all), \
	    .help = (text))

void
conf_visit(struct conf *conf, conf_visit_fn *fn, void *arg)
{
	/* clang-format off */
#include "common/conf.def"
	/* clang-format on */
}
