/*
 * tools/sluice/model.c - `sluice model SUB-COMMAND`: finds it and calls it.
 */
#include "tools/sluice/model.h"
#include "tools/sluice/repository.h"
#include "tools/sluice/spread.h"
#include "tools/sluice/subs.h"

#include "common/cleanup.h"
#include "common/io.h"

static const struct sub_command subs[] = {
    {"train", model_train, "learn programs, or forget them"},
    {"score", model_score, "what does a model say of these files?"},
    {"eval", model_eval, "how good is it on programs that it has not seen?"},
    {"info", model_info, "what is in a model?"},
    {"prune", model_prune, "make a smaller view for publication"},
    {"archive", model_archive, "which files did the engine keep copies of?"},
    {"spread", model_spread, "how do files spread, and is one too fast?"},
    {"diff", model_diff, "make an update: what changed between two models"},
    {"sign", model_sign, "sign an update"},
    {"verify", model_verify, "is an update whole, and whose is it?"},
    {"apply", model_apply, "check an update and put its model in place"},
    {"poll", model_poll, "ask the repository for an update (by a timer)"},
    {"revert", model_revert, "take the last update back"},
    {"submit", model_submit, "pack what the model is unsure of for experts"},
    {"repository", model_repository, "the central side: label, learn, publish"},
};

int
command_model(int argc, char **argv)
{
	return subs_call("model",
	    "What is learned of the files that come with mail: models that "
	    "tell malicious\nprograms from benign ones, and how files "
	    "spread.\n",
	    subs, ARRAY_SIZE(subs), argc, argv);
}
