#include "tools/sluice/result.h"

#include "tools/sluice/util.h"

#include <string.h>

static json_t *
engine_json(const struct engine_answer *a)
{
	json_t *o = json_object();

	(void)json_object_set_new(o, "engine", util_json_text(a->engine));
	(void)json_object_set_new(
	    o, "answer", json_string(answer_name((enum answer)a->answer)));
	(void)json_object_set_new(o, "reason", util_json_text(a->reason));
	if (strcmp(a->engine, "spam") == 0)
		(void)json_object_set_new(o, "score", json_real(a->score));
	(void)json_object_set_new(o, "ms", json_real((double)a->usec / 1e3));
	return o;
}

json_t *
result_json(const struct result *r)
{
	json_t *o = json_object(), *engines = json_array(), *evidence = NULL;

	if (r->evidence)
		evidence = json_loadb(r->evidence, r->evidence_len, 0, NULL);
	(void)json_object_set_new(o, "file", util_json_text(r->file));
	(void)json_object_set_new(
	    o, "verdict", json_string(verdict_name(r->verdict)));
	(void)json_object_set_new(o, "reason", util_json_text(r->reason));
	(void)json_object_set_new(o, "parts", json_array());
	if (json_is_object(evidence))
		(void)json_object_update(o, evidence);
	json_decref(evidence);
	for (size_t i = 0; i < r->n_answers; i++)
		(void)json_array_append_new(
		    engines, engine_json(&r->answers[i]));
	(void)json_object_set_new(o, "engines", engines);
	(void)json_object_set_new(o, "ms", json_real((double)r->usec / 1e3));
	return o;
}
