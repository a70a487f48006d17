#include "worker/plan.h"

#include "common/conf.h"
#include "worker/job_priv.h"
#include "worker/opinion.h"
#include "worker/reading.h"

#include <string.h>

static bool
is_planned(const struct plan *plan, const struct job_part *part,
    const struct suspect *suspect)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->files[i].part == part &&
		    strcmp(plan->files[i].suspect.kind, suspect->kind) == 0)
			return true;
	return false;
}

static void
add(struct plan *plan, const struct conf *conf, struct job_part *part,
    uint64_t bytes, const struct suspect *suspect)
{
	if (!conf_has_word(conf->vm.references, suspect->reference) ||
	    is_planned(plan, part, suspect))
		return;
	/* Of one content its kinds make many files: what is handed over is
	 * not bounded by what the reading holds. */
	if (bytes > conf->budget.output_bytes - plan->bytes) {
		plan->is_too_large = true;
		return;
	}
	if (plan->n == conf->detonate.files || plan->n == PLAN_FILES_MAX) {
		plan->is_too_many = true;
		return;
	}
	plan->bytes += bytes;
	plan->files[plan->n++] = (struct planned){part, *suspect};
}

/* What the model flags and clones are to decide is run, whatever its name and
 * libmagic's view of it. */
static size_t
add_flagged(const struct reading_part *seen, const struct job_part *part,
    struct suspect *ret)
{
	if (!part->is_to_run || !part->opinion ||
	    (part->opinion->kind != MEF_PE && part->opinion->kind != MEF_ELF))
		return 0;
	suspect_as_program(seen, part->opinion->kind == MEF_PE, ret);
	return 1;
}

void
plan_make(const struct job *job, const struct conf *conf, struct plan *ret)
{
	ret->n = 0;
	ret->bytes = 0;
	ret->is_too_many = ret->is_too_large = false;
	for (size_t i = 0; job->reading && i < job->reading->n_parts; i++) {
		const struct reading_part *seen = &job->reading->parts[i];
		struct job_part *part = &job->parts[i];
		struct suspect kinds[SUSPECT_KINDS_MAX];
		size_t n = suspect_of(seen, kinds);

		if (part->same)
			part = part->same;
		if (n == 0)
			n = add_flagged(seen, part, kinds);
		for (size_t k = 0; k < n; k++)
			add(ret, conf, part, seen->bytes, &kinds[k]);
	}
}
