/*
 * worker/policy.h - which attachments pass: ordered rules over every name
 * and the true type of every part, inside archives too.
 *
 * The file (etc/policy.conf) is a list for operators, one rule a line:
 *   allow|refuse|hold  name GLOB | type GLOB | encrypted | ...  "text"
 * The first rule that fits a part decides for it; the worst decision over
 * all parts decides for the message (refuse before hold before allow).
 */
#ifndef SLUICE_WORKER_POLICY_H
#define SLUICE_WORKER_POLICY_H

#include "worker/answer.h"
#include "worker/reading.h"

#include <stddef.h>

struct policy;

enum policy_action { POLICY_ALLOW, POLICY_HOLD, POLICY_REFUSE };

/*
 * Read a rule file.  Returns 0; -EINVAL with "FILE:LINE: what, what to
 * write" in err; or -errno as open(2).
 */
int policy_load(
    const char *path, struct policy **ret_policy, char *err, size_t err_size);
struct policy *policy_free(struct policy *policy);

/*
 * Judge one part: its action, and in *ret_why (constant for the policy's
 * life, "" for allow) the text to be shown to people.
 */
enum policy_action policy_part(const struct policy *policy,
    const struct reading_part *part, const char **ret_why);

/* The whole message: answer "policy", hit for refuse and hold with
 * "refused: NAME: TEXT" or "held: NAME: TEXT" as the reason. */
void policy_judge(const struct policy *policy, const struct reading *reading,
    struct engine_answer *ret_answer);

#endif
