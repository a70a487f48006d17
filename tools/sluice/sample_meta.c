#include "tools/sluice/sample_meta.h"

#include "common/cleanup.h"
#include "common/digest.h"
#include "worker/mef/bag.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum member_type { COUNT, SHARE, NUMBER, TEXT, DIGEST };

struct member {
	const char *name;
	enum member_type type;
};

static const struct member members[] = {
    {"bytes", COUNT},
    {"t_usec", COUNT},
    {"release", COUNT},
    {"p_malicious", SHARE},
    {"type", TEXT},
    {"kind", TEXT},
    {"label", TEXT},
    {"model", DIGEST},
};

static const struct member of_spread[] = {
    {"copies", COUNT},
    {"blocked", COUNT},
    {"messages", COUNT},
    {"senders", COUNT},
    {"clients", COUNT},
    {"first_usec", COUNT},
    {"last_usec", COUNT},
    {"births_per_minute", NUMBER},
    {"spread", NUMBER},
};

/* The numbers of one object, say. */
struct taking {
	char *err;
	size_t err_size;
	bool is_wrong;
};

static void
wrong(struct taking *t, const char *name)
{
	if (!t->is_wrong)
		(void)snprintf(t->err, t->err_size,
		    "metadata: %s is not what it should be", name);
	t->is_wrong = true;
}

/* Of a list of ours, so nothing that a terminal would obey. */
static bool
is_plain(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			return false;
	return strlen(text) <= SAMPLE_TEXT_MAX;
}

static bool
is_good(const json_t *value, enum member_type type)
{
	const double number = json_number_value(value);
	const char *text = json_string_value(value);
	struct digest digest;

	switch (type) {
	case COUNT:
		return json_is_integer(value) && json_integer_value(value) >= 0;
	case SHARE:
		return json_is_number(value) && number >= 0 && number <= 1;
	case NUMBER:
		return json_is_number(value) && isfinite(number);
	case TEXT:
		return text && is_plain(text);
	case DIGEST:
		return text && digest_parse(text, &digest) == 0;
	}
	return false;
}

static void
take_one(struct taking *t, const json_t *from, json_t *to, const char *name,
    enum member_type type)
{
	json_t *value = json_object_get(from, name);

	if (!value || json_is_null(value))
		return;
	if (is_good(value, type))
		(void)json_object_set(to, name, value);
	else
		wrong(t, name);
}

static void
take_members(struct taking *t, const json_t *from, json_t *to,
    const struct member *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		take_one(t, from, to, list[i].name, list[i].type);
}

/* The object of that name in from, as a new one in to. */
static json_t *
take_object(struct taking *t, const json_t *from, json_t *to, const char *name,
    const json_t **ret_inner)
{
	json_t *new;

	*ret_inner = json_object_get(from, name);
	if (!*ret_inner || json_is_null(*ret_inner))
		return NULL;
	if (!json_is_object(*ret_inner)) {
		wrong(t, name);
		return NULL;
	}
	new = json_object();
	(void)json_object_set_new(to, name, new);
	return new;
}

static void
take_names(struct taking *t, const json_t *from, json_t *to)
{
	const json_t *names = json_object_get(from, "names");
	json_t *new;
	size_t i;
	json_t *name;

	if (!names || json_is_null(names))
		return;
	if (!json_is_array(names)) {
		wrong(t, "names");
		return;
	}
	new = json_array();
	(void)json_object_set_new(to, "names", new);
	json_array_foreach (names, i, name) {
		const char *text = json_string_value(name);

		if (!text)
			wrong(t, "names");
		else if (json_array_size(new) < SAMPLE_NAMES &&
			 strlen(text) <= SAMPLE_TEXT_MAX && !strchr(text, '@'))
			(void)json_array_append(new, name);
	}
}

json_t *
sample_meta(
    const char *text, size_t n, bool with_names, char *err, size_t err_size)
{
	struct taking t = {err, err_size, false};
	json_error_t why;
	json_t *from = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
	json_t *to = json_object(), *new;
	const json_t *inner;

	if (!json_is_object(from)) {
		(void)snprintf(err, err_size, "metadata: no JSON object");
		t.is_wrong = true;
	}
	take_members(&t, from, to, members, ARRAY_SIZE(members));
	if (with_names)
		take_names(&t, from, to);
	new = take_object(&t, from, to, "families", &inner);
	for (int f = 0; new &&f < MEF_FAMILIES; f++)
		take_one(&t, inner, new, mef_family_names[f], NUMBER);
	new = take_object(&t, from, to, "spread", &inner);
	if (new)
		take_members(&t, inner, new, of_spread, ARRAY_SIZE(of_spread));
	json_decref(from);
	if (!t.is_wrong)
		return to;
	json_decref(to);
	return NULL;
}

bool
sample_json_name(const char *name, struct digest *ret_digest)
{
	char hex[DIGEST_HEX];

	if (strlen(name) != sizeof(hex) - 1 + strlen(SAMPLE_JSON) ||
	    strcmp(name + sizeof(hex) - 1, SAMPLE_JSON) != 0)
		return false;
	memcpy(hex, name, sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	return digest_parse(hex, ret_digest) == 0;
}
