#include "vmm/guest/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "vmm/guest/box.h"
#include "vmm/guest/filter.h"
#include "vmm/guest/guest.h"
#include "vmm/guest/opener.h"
#include "vmm/guest/path.h"
#include "vmm/guest/watch_proc.h"
#include "vmm/guest/watch_seccomp.h"
#include "vmm/guest/wine.h"

#define CALLS_A_TURN 64
#define OTHER_POLLS  5 /* than the sink's */
/* Once nothing is heard and nothing runs for that long after the program's
 * end, what it left behind waits for something that doesn't come. */
#define QUIET_USEC 1500000u
/* All sleep, and stay asleep for so long: no race with somebody waking up. */
#define IDLE_USEC      6000u
#define END_USEC       200000u
#define WAIT_MSEC      50
#define REPEAT_USEC    250000u /* repetitions are told that often */
#define RING_USEC      5000u   /* and the host is called that often */
#define REHEARSAL_USEC 5000000u
/* Whoever is refused a fork gives up or waits; who asks so often does neither.
 */
#define REFUSED_MANY 500

/* The state of one run, beside what lasts. */
struct course {
	struct sleepers sleepers;
	pid_t first;
	bool first_ended, all_ended;
	int64_t code;
	uint64_t heard_usec; /* when a vantage point last had something */
	uint64_t deadline_usec;
	uint64_t looked_usec; /* at what was refused */
	bool told_refused;
};

/* Tell the host of what is new, but not all the time. */
static void
publish(struct run *run, bool now)
{
	const uint32_t bytes = (uint32_t)run->scene.report.used;
	const uint64_t usec = clock_usec();

	scene_publish(&run->scene);
	if (!run->scene.box || (bytes == run->rung_bytes && !now) ||
	    (!now && usec - run->rung_usec < RING_USEC))
		return;
	run->rung_bytes = bytes;
	run->rung_usec = usec;
	box_ring();
}

static bool
is_there(const char *path)
{
	return access(path, X_OK) == 0;
}

static int
write_file(const char *path, const unsigned char *at, size_t n)
{
	CLEANUP(close_fd) int fd = -1;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	if (fd < 0)
		return -errno;
	(void)!fchown(fd, 0, 0);
	while (n > 0) {
		ssize_t written = write(fd, at, n);

		if (written < 0)
			return -errno;
		at += written;
		n -= (size_t)written;
	}
	return 0;
}

static bool
is_ready(int fd)
{
	struct pollfd one = {fd, POLLIN, 0};

	return fd >= 0 && poll(&one, 1, 0) == 1 && (one.revents & POLLIN);
}

/* Calls wait for us one by one; what they did so far is told before they may
 * do more, while the names that it was done to are still there. */
static void
serve_calls(struct run *run, struct course *course, int calls)
{
	for (int i = 0; i < CALLS_A_TURN; i++) {
		if (!is_ready(calls))
			return;
		watch_fanotify(&run->scene, &run->files);
		(void)watch_seccomp(&run->scene, &course->sleepers, calls);
	}
}

static void
reap(struct course *course)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != course->first)
			continue;
		course->first_ended = true;
		course->code = WIFEXITED(status) ? WEXITSTATUS(status)
						 : 128 + WTERMSIG(status);
	}
}

/* One wait, and all that comes of it. */
static void
turn(struct run *run, struct course *course)
{
	struct pollfd polls[OTHER_POLLS + SINK_POLLS] = {
	    {course->sleepers.fd, POLLIN, 0}, {run->files.fd, POLLIN, 0},
	    {run->processes, POLLIN, 0}, {run->wine.fd, POLLIN, 0},
	    {run->server_calls, POLLIN, 0}};
	size_t n = sink_polls(&run->sink, polls + OTHER_POLLS);
	int heard;

	heard = poll(polls, n + OTHER_POLLS,
	    course->sleepers.count > 0 || course->first_ended ? 1 : WAIT_MSEC);
	if (heard > 0)
		course->heard_usec = clock_usec();
	if (polls[1].revents)
		watch_fanotify(&run->scene, &run->files);
	if (polls[2].revents)
		watch_proc(&run->scene, run->processes);
	if (polls[3].revents)
		watch_wine(&run->wine, &run->scene);
	sink_serve(&run->sink, &run->scene, polls + OTHER_POLLS, n);
	if (polls[4].revents & POLLIN)
		serve_calls(run, course, run->server_calls);
	if (polls[0].revents & POLLIN)
		serve_calls(run, course, course->sleepers.fd);
	else if (polls[0].revents & POLLHUP)
		course->all_ended = true; /* nobody is left to ask */
	reap(course);
	if (course->sleepers.count > 0)
		sleepers_wake(&course->sleepers, &run->scene,
		    clock_usec() - course->heard_usec > IDLE_USEC &&
			!jail_is_running(&run->jail));
	report_settle(&run->scene.report, scene_usec(&run->scene), REPEAT_USEC);
	publish(run, false);
}

static void
tell_refused(struct run *run, uint64_t forks)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%" PRIu64 " refused", forks);
	scene_add(&run->scene, BY_AGENT, 0, REPORT_SYSTEM_CALL,
	    FIELD("name", "fork"), FIELD("args", text));
}

/* Programs that fork without end don't reach an end at which to tell it. */
static void
look_at_limits(struct run *run, struct course *course)
{
	const uint64_t usec = scene_usec(&run->scene);
	uint64_t refused;

	if (course->told_refused || run->jail.group < 0 ||
	    usec - course->looked_usec < REPEAT_USEC)
		return;
	course->looked_usec = usec;
	refused = jail_refused(&run->jail);
	if (refused < REFUSED_MANY)
		return;
	course->told_refused = true;
	tell_refused(run, refused);
	publish(run, true);
}

static bool
is_quiet(const struct run *run, const struct course *course)
{
	return course->first_ended &&
	       scene_usec(&run->scene) - run->scene.last_usec > QUIET_USEC &&
	       !jail_is_running(&run->jail);
}

static const char *
watch(struct run *run, struct course *course)
{
	for (;;) {
		turn(run, course);
		look_at_limits(run, course);
		if (course->all_ended)
			return "exit";
		if (scene_usec(&run->scene) > course->deadline_usec)
			return "deadline";
		if (is_quiet(run, course))
			return "quiet";
	}
}

/* What the limits kept from happening is worth telling too. */
static void
tell_limits(struct run *run)
{
	if (run->jail.group < 0)
		return;
	if (jail_refused(&run->jail) > 0)
		tell_refused(run, jail_refused(&run->jail));
	if (jail_starved(&run->jail) > 0)
		scene_note(
		    &run->scene, "processes were ended for want of memory");
}

/* Files that were open are closed by the end, which is an event too. */
static void
await_end(struct course *course)
{
	const uint64_t begun = clock_usec();

	while (!course->all_ended && clock_usec() - begun < END_USEC) {
		struct pollfd one = {course->sleepers.fd, 0, 0};

		if (poll(&one, 1, 1) == 1 && (one.revents & POLLHUP))
			course->all_ended = true;
		reap(course);
	}
}

/* Under Wine its standard error is what Wine tells of it. */
static int
prepare_start(struct run *run)
{
	CLEANUP(close_fd) int err = -1;
	int r = wine_is_there() ? watch_wine_open(&run->wine, &err) : 0;

	return r < 0 ? r : start_prepare(&run->jail, err, &run->start);
}

static int
start(struct run *run, const struct run_sample *sample,
    const struct opener *opener)
{
	int r = write_file(opener->file, sample->octets, sample->n);

	if (r == 0 && run->start.pid == 0)
		r = prepare_start(run);
	if (r == 0 && opener->windows_program)
		watch_wine_begin(
		    &run->wine, &run->jail, opener->windows_program);
	return r < 0 ? r : start_program(&run->start, opener);
}

static const char *
execute(struct run *run, const struct run_sample *sample,
    const struct opener *opener, struct course *course)
{
	const char *how;
	int r = start(run, sample, opener);

	if (r < 0) {
		start_cancel(&run->start);
		course->code = r;
		return "failed";
	}
	course->sleepers.fd = run->start.calls;
	course->first = run->start.pid;
	how = watch(run, course);
	jail_kill(&run->jail);
	await_end(course);
	/* A program that lacks its loader, say. */
	r = start_result(&run->start);
	if (r < 0) {
		course->code = r;
		how = "no-opener";
	}
	start_done(&run->start);
	sink_drain(&run->sink, &run->scene);
	watch_fanotify(&run->scene, &run->files);
	watch_proc(&run->scene, run->processes);
	if (watch_wine_end(&run->wine, &run->scene))
		how = "no-opener"; /* Wine couldn't start it */
	ledger_compare(&run->ledger, &run->scene);
	tell_limits(run);
	return how;
}

static void
run_it(struct run *run, const struct run_sample *sample)
{
	char path[PATH_MAX], windows_path[PATH_MAX];
	const struct opener_file file = {path, windows_path, sample->name,
	    sample->type, sample->octets,
	    sample->n < OPENER_HEAD_BYTES ? sample->n : OPENER_HEAD_BYTES};
	struct opener opener;
	struct course course = {
	    .deadline_usec = sample->deadline_usec, .heard_usec = clock_usec()};
	const char *how = "no-opener";
	int r;

	path_absolute(SCENE_DOWNLOADS, sample->name, path);
	(void)snprintf(windows_path, sizeof(windows_path), WINE_DOWNLOADS "%s",
	    sample->name);
	r = opener_choose(&file, is_there, &opener);
	scene_add(&run->scene, BY_AGENT, 0, REPORT_AGENT_START,
	    FIELD("name", sample->name), FIELD("type", sample->type),
	    FIELD("how", r < 0 ? "none" : opener.how));
	publish(run, true);
	if (run->lacking)
		scene_note(&run->scene, run->lacking);
	if (r == 0)
		how = execute(run, sample, &opener, &course);
	report_end(
	    &run->scene.report, scene_usec(&run->scene), how, course.code);
	publish(run, true);
}

void
run_prepare(struct run *run)
{
	memset(run, 0, sizeof(*run));
	if (net_prepare() < 0)
		run->lacking = "no network";
	sink_init(&run->sink);
	(void)filter_keep();
	if (jail_prepare(&run->jail) < 0)
		run->lacking = "no limits";
	run->processes = watch_proc_open();
	if (run->processes < 0)
		run->lacking = "the kernel tells nothing of processes";
	if (watch_fanotify_open(&run->files) < 0)
		run->lacking = "the kernel tells nothing of files";
	run->wine.fd = -1;
	run->server_calls = -1;
	if (wine_is_there() && wine_start(&run->server_calls) < 0)
		run->lacking = "Wine's server doesn't start";
	ledger_take(&run->ledger);
}

/* Done before a clone is taken, which then has fewer pages to copy. */
static void
forget(struct run *run)
{
	memset(&run->scene, 0, sizeof(run->scene));
	run->rung_bytes = 0;
}

static void
begin(struct run *run, char *room, size_t bytes)
{
	run->scene.report.at = room;
	run->scene.report.max = bytes;
	if (wine_is_there())
		run->scene.report.drive = WINE_DRIVE;
	run->scene.sink = &run->sink;
	run->scene.ledger = &run->ledger;
	run->scene.sees_files = run->files.fd >= 0;
	run->scene.begun_usec = clock_usec();
}

static void
rehearse(struct run *run, const char *path, const char *name)
{
	static char room[REPORT_LINE_MAX * 4];
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct run_sample sample = {.deadline_usec = REHEARSAL_USEC};
	char copy[PATH_MAX];
	struct stat st;
	void *octets;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	sample.n = (size_t)st.st_size;
	octets = mmap(NULL, sample.n, PROT_READ, MAP_PRIVATE, fd, 0);
	if (octets == MAP_FAILED)
		return;
	(void)snprintf(sample.name, sizeof(sample.name), "%s", name);
	sample.octets = octets;
	begin(run, room, sizeof(room));
	run_it(run, &sample);
	forget(run);
	(void)munmap(octets, sample.n);
	path_absolute(SCENE_DOWNLOADS, name, copy);
	(void)unlink(copy);
}

void
run_rehearse(struct run *run)
{
	rehearse(run, "/init", RUN_REHEARSAL);
	for (int i = 0; i < WINE_REHEARSALS && wine_is_there(); i++)
		rehearse(run, WINE_REHEARSAL, RUN_REHEARSAL ".exe");
	(void)prepare_start(run); /* or when it runs */
	ledger_take(&run->ledger);
	watch_fanotify_flush(&run->files);
	watch_proc_flush(run->processes);
}

void
run_settle(struct run *run)
{
	if (run->server_calls < 0)
		return; /* no Wine, or none that does anything */
	wine_settle();
	watch_fanotify_flush(&run->files);
	watch_proc_flush(run->processes);
}

void
run_order(struct run *run, struct mailbox *box)
{
	static struct run_sample sample;

	guest_seed(box->seed, sizeof(box->seed));
	guest_set_clock(box->wall_nsec);
	memcpy(sample.name, box->name, sizeof(sample.name) - 1);
	memcpy(sample.type, box->type, sizeof(sample.type) - 1);
	path_file_name(sample.name);
	sample.octets = box_sample(box);
	sample.n = box->sample_bytes < MAILBOX_SAMPLE_MAX
		       ? (size_t)box->sample_bytes
		       : MAILBOX_SAMPLE_MAX;
	sample.deadline_usec = (uint64_t)box->deadline_msec * 1000;
	begin(run, box_report(box), MAILBOX_REPORT_MAX);
	run->scene.box = box;
	run_it(run, &sample);
	mailbox_store(box->state, MAILBOX_ENDED);
	box_ring();
}
