#include "vmm/guest/sleepers.h"

#include <inttypes.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>

bool
sleepers_add(struct sleepers *sleepers, struct scene *scene, pid_t pid,
    uint64_t id, uint64_t usec)
{
	char text[32];

	if (usec < SLEEPERS_LEAST_USEC || sleepers->count == SLEEPERS_MAX ||
	    usec > SLEEPERS_SKIP_MAX_USEC - sleepers->skipped_usec)
		return false;
	if (usec >= SLEEPERS_TELL_USEC) {
		(void)snprintf(
		    text, sizeof(text), "%" PRIu64 " seconds", usec / 1000000);
		scene_add(scene, BY_SECCOMP, pid, REPORT_SYSTEM_CALL,
		    FIELD("name", "sleep"), FIELD("args", text));
	}
	sleepers->at[sleepers->count].id = id;
	sleepers->at[sleepers->count].wake_usec =
	    scene_usec(scene) + sleepers->skipped_usec + usec;
	sleepers->count++;
	return true;
}

static void
skip(struct sleepers *sleepers, uint64_t usec)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += (time_t)(usec / 1000000);
	now.tv_nsec += (long)(usec % 1000000 * 1000);
	if (now.tv_nsec >= 1000000000) {
		now.tv_nsec -= 1000000000;
		now.tv_sec++;
	}
	(void)clock_settime(CLOCK_REALTIME, &now);
	sleepers->skipped_usec += usec;
}

void
sleepers_wake(
    struct sleepers *sleepers, const struct scene *scene, bool all_sleep)
{
	uint64_t now = scene_usec(scene) + sleepers->skipped_usec;
	uint64_t next = UINT64_MAX;

	for (uint32_t i = 0; i < sleepers->count; i++)
		if (sleepers->at[i].wake_usec < next)
			next = sleepers->at[i].wake_usec;
	if (sleepers->count > 0 && all_sleep && next > now) {
		skip(sleepers, next - now);
		now = next;
	}
	for (uint32_t i = 0; i < sleepers->count;) {
		struct seccomp_notif_resp answer = {.id = sleepers->at[i].id};

		if (sleepers->at[i].wake_usec > now) {
			i++;
			continue;
		}
		/* A sleeper that a signal woke is gone; then this fails. */
		(void)ioctl(sleepers->fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
		sleepers->at[i] = sleepers->at[--sleepers->count];
	}
}
