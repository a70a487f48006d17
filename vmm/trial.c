#include "vmm/trial.h"

#include "vmm/ask.h"
#include "vmm/detector.h"

#include <stdbool.h>
#include <stdio.h>

static enum trial
unknown(enum trial trial, const char *what, const struct ask_done *done,
    char *text, size_t size)
{
	(void)snprintf(
	    text, size, "%s%s%s", what, *done->text ? ": " : "", done->text);
	return trial;
}

/* The run came to an end that the guest or the clock gave it. */
static enum trial
seen(const struct detector *detector, bool ended, char *text, size_t size)
{
	const char *why;

	*text = '\0';
	if (detector_has_no_opener(detector)) {
		(void)snprintf(text, size, "no reference runs such a file");
		return TRIAL_NO_OPENER;
	}
	if (detector_is_conclusive(detector, ended, &why))
		return TRIAL_CLEAN;
	(void)snprintf(text, size, "%s", why);
	return TRIAL_UNKNOWN_FILE;
}

enum trial
trial_of(const struct detector *detector, const struct ask_done *done,
    char *text, size_t size)
{
	if (detector_is_proven(detector)) {
		(void)snprintf(text, size, "%s", detector_reason(detector));
		return TRIAL_HIT;
	}
	switch ((enum ask_end)done->end) {
	case ASK_END_PROGRAM:
		return seen(detector, true, text, size);
	case ASK_END_DEADLINE:
		return seen(detector, false, text, size);
	case ASK_END_DIED:
		return unknown(TRIAL_UNKNOWN_FILE,
		    "the clone died of it, twice", done, text, size);
	case ASK_END_SILENT:
		return unknown(TRIAL_UNKNOWN_FILE,
		    "the clone fell silent with it, twice", done, text, size);
	case ASK_END_STOPPED:
		return unknown(TRIAL_UNKNOWN_HOST, "the run was stopped", done,
		    text, size);
	case ASK_END_REFUSED:
		return unknown(
		    TRIAL_UNKNOWN_HOST, "no clone", done, text, size);
	case ASK_END_NO_BACKEND:
	case ASK_ENDS:
	default:
		return unknown(
		    TRIAL_UNKNOWN_HOST, "no hypervisor", done, text, size);
	}
}
