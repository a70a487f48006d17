#include "vmm/guest/wine_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "vmm/guest/wine_priv.h"
#include "vmm/guest/wine_text.h"

#define PID_MAX 0xffffffu /* of Wine's; what is more was invented */

static void
set_text(char *ret, size_t size, const char *text)
{
	size_t n = strlen(text);

	if (n >= size)
		n = size - 1;

	memcpy(ret, text, n);
	ret[n] = '\0';
}

/* --- What is remembered. */

struct wine_program *
wine_program_of(struct wine_trace *trace, uint32_t pid)
{
	struct wine_program *program;

	for (size_t i = 0; i < WINE_PROGRAMS; i++)
		if (trace->programs[i].pid == pid)
			return &trace->programs[i];
	program = &trace->programs[trace->next_program++ % WINE_PROGRAMS];
	memset(program, 0, sizeof(*program));
	program->pid = pid;
	return program;
}

struct wine_thread *
wine_thread_of(struct wine_trace *trace, const struct wine_line *line)
{
	struct wine_thread *thread;

	for (size_t i = 0; i < WINE_THREADS; i++) {
		thread = &trace->threads[i];
		if (thread->pid == line->pid && thread->tid == line->tid)
			return thread;
	}
	thread = &trace->threads[trace->next_thread++ % WINE_THREADS];
	memset(thread, 0, sizeof(*thread));
	thread->pid = line->pid;
	thread->tid = line->tid;
	return thread;
}

static const char *
key_path(const struct wine_trace *trace, uint32_t pid, uint64_t handle)
{
	for (size_t i = 0; i < WINE_KEYS; i++)
		if (trace->keys[i].pid == pid &&
		    trace->keys[i].handle == handle && handle != 0)
			return trace->keys[i].path;
	return "?";
}

static void
key_remember(
    struct wine_trace *trace, uint32_t pid, uint64_t handle, const char *path)
{
	struct wine_key *key = NULL;

	for (size_t i = 0; i < WINE_KEYS && !key; i++)
		if (trace->keys[i].pid == pid &&
		    trace->keys[i].handle == handle)
			key = &trace->keys[i];
	if (!key)
		key = &trace->keys[trace->next_key++ % WINE_KEYS];
	key->pid = pid;
	key->handle = handle;
	set_text(key->path, sizeof(key->path), path);
}

/* --- Registry. */

/* \Registry\Machine\X is what people call HKLM\X. */
static void
key_name(const char *native, char *ret, size_t size)
{
	const char *at = native;

	if (wine_text_skip(&at, "\\Registry\\Machine"))
		(void)snprintf(ret, size, "HKLM%s", at);
	else if (wine_text_skip(&at, "\\Registry\\User\\S-1-5-21-")) {
		at += strcspn(at, "\\");
		(void)snprintf(ret, size, "HKCU%s", at);
	} else if (wine_text_skip(&at, "\\Registry\\User"))
		(void)snprintf(ret, size, "HKU%s", at);
	else
		set_text(ret, size, native);
}

/* NtOpenKeyEx (0x28,L"Name",... or NtOpenKeyEx <- 0x30 */
static void
on_key_open(struct wine_trace *trace, const struct wine_line *line)
{
	struct wine_thread *thread = wine_thread_of(trace, line);
	char name[WINE_PATH_MAX] = "", path[2 * WINE_PATH_MAX];
	const char *at = line->at;
	uint64_t handle;

	if (wine_text_skip(&at, "<- ")) {
		if (wine_text_number(&at, &handle) && handle != 0)
			key_remember(trace, line->pid, handle, thread->key);
		thread->key[0] = '\0';
		return;
	}
	if (!wine_text_skip(&at, "(") || !wine_text_number(&at, &handle) ||
	    !wine_text_skip(&at, ","))
		return;
	(void)wine_text_string(&at, name, sizeof(name));
	if (handle == 0)
		key_name(name, path, sizeof(path));
	else
		(void)snprintf(path, sizeof(path), "%s%s%s",
		    key_path(trace, line->pid, handle), *name ? "\\" : "",
		    name);
	set_text(thread->key, sizeof(thread->key), path);
}

/* What stands behind a value's name: type,0xADDRESS,octets */
static void
value_data(
    const struct wine_trace *trace, const char *at, char *ret, size_t size)
{
	unsigned char data[WINE_DATA_MAX];
	uint64_t type, address;
	unsigned long n;

	ret[0] = '\0';
	if (!wine_text_skip(&at, ",") || !wine_text_number(&at, &type) ||
	    !wine_text_skip(&at, ",") || !wine_text_number(&at, &address) ||
	    !wine_text_skip(&at, ","))
		return;
	n = strtoul(at, NULL, 10);
	if (n > sizeof(data))
		n = sizeof(data);
	if (!trace->peek || !trace->peek(trace->peek_arg, address, data, n))
		return;
	if (type == 1 || type == 2 || type == 7) /* the kinds of strings */
		wine_text_utf16(data, n, ret, size);
	else if (type == 4 && n == 4)
		(void)snprintf(ret, size, "%u",
		    data[0] | (unsigned int)data[1] << 8 |
			(unsigned int)data[2] << 16 |
			(unsigned int)data[3] << 24);
}

/* What Wine itself writes for any program. */
static bool
is_wines_own(const char *path)
{
	static const char *const keys[] = {
	    "HKLM\\System\\CurrentControlSet\\Control\\TimeZoneInformation",
	    "HKCU\\Keyboard Layout\\Preload", "HKCU\\Software\\Wine\\Fonts",
	    "HKLM\\Software\\Microsoft\\Windows NT\\CurrentVersion\\Fonts",
	    "HKCU\\Volatile Environment"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(path, keys[i]) == 0)
			return true;
	return false;
}

/* (0x28,L"Name"... */
static void
on_key_change(struct wine_trace *trace, const struct wine_line *line,
    enum report_kind kind)
{
	char name[WINE_PATH_MAX] = "", data[WINE_DATA_MAX * 2];
	const char *at = line->at, *path;
	uint64_t handle;

	if (!wine_text_skip(&at, "(") || !wine_text_number(&at, &handle))
		return;
	path = key_path(trace, line->pid, handle);
	if (is_wines_own(path))
		return;
	if (wine_text_skip(&at, ","))
		(void)wine_text_string(&at, name, sizeof(name));
	if (kind == REPORT_REGISTRY_DELETE) {
		wine_add(line, kind, FIELD("key", path), FIELD("name", name));
		return;
	}
	value_data(trace, at, data, sizeof(data));
	wine_add(line, kind, FIELD("key", path), FIELD("name", name),
	    FIELD("data", data));
}

/* --- Processes and libraries. */

void
wine_tell_program(struct wine_trace *trace, const struct wine_line *line,
    struct wine_thread *thread, uint32_t pid)
{
	const struct wine_program *us = wine_program_of(trace, line->pid);
	struct wine_line told = *line;

	if (thread->program[0] == '\0' && thread->args[0] == '\0')
		return;
	told.pid = pid ? pid : line->pid;
	/* No path: its process is none, and no program of the caller's. */
	if (pid == 0)
		wine_add(&told, REPORT_PROCESS_START, FIELD("path", ""),
		    FIELD("args", thread->args), FIELD("parent", us->path));
	else
		wine_add(&told, REPORT_PROCESS_START,
		    FIELD("path", thread->program), FIELD("args", thread->args),
		    FIELD("parent", us->path));
	if (pid)
		set_text(wine_program_of(trace, pid)->path, WINE_PATH_MAX,
		    thread->program);
	thread->program[0] = thread->args[0] = '\0';
}

/* app L"..."|(null) cmdline L"..."|(null) */
static void
on_create_process(struct wine_trace *trace, const struct wine_line *line)
{
	struct wine_thread *thread = wine_thread_of(trace, line);
	const char *at = line->at;

	wine_tell_program(trace, line, thread, 0);
	if (!wine_text_skip(&at, "app "))
		return;
	if (!wine_text_string(&at, thread->program, sizeof(thread->program)))
		thread->program[0] = '\0';
	at = strstr(at, " cmdline ");
	if (!at || !wine_text_skip(&at, " cmdline ") ||
	    !wine_text_string(&at, thread->args, sizeof(thread->args)))
		set_text(thread->args, sizeof(thread->args), thread->program);
}

/* L"\\??\\C:\\a.exe" image L"C:\\a.exe" cmdline L"..." parent (nil), then
 * L"\\??\\C:\\a.exe" pid 0028 tid 002c handles ... */
static void
on_new_process(struct wine_trace *trace, const struct wine_line *line)
{
	struct wine_thread *thread = wine_thread_of(trace, line);
	char path[WINE_PATH_MAX];
	const char *at = line->at;
	uint64_t pid;

	if (!wine_text_string(&at, path, sizeof(path)))
		return;
	if (wine_text_skip(&at, " image ")) {
		(void)wine_text_string(
		    &at, thread->program, sizeof(thread->program));
		if (wine_text_skip(&at, " cmdline "))
			(void)wine_text_string(
			    &at, thread->args, sizeof(thread->args));
	} else if (wine_text_skip(&at, " pid ") &&
		   wine_text_number(&at, &pid) && pid > 0 && pid <= PID_MAX)
		wine_tell_program(trace, line, thread, (uint32_t)pid);
}

/* Loaded L"C:\\a.dll" at 0x10000: native */
static void
on_loaded(const struct wine_line *line)
{
	char path[WINE_PATH_MAX];
	const char *at = strstr(line->at, "Loaded ");

	if (!at || !strstr(at, ": native"))
		return; /* of Wine's own */
	at += strlen("Loaded ");
	if (wine_text_string(&at, path, sizeof(path)))
		wine_add(line, REPORT_IMAGE_LOAD, FIELD("path", path));
}

/* --- Lines. */

static void
on_registry(struct wine_trace *trace, struct wine_line *line)
{
	if (wine_text_skip(&line->at, "NtOpenKeyEx ") ||
	    wine_text_skip(&line->at, "NtCreateKey "))
		on_key_open(trace, line);
	else if (wine_text_skip(&line->at, "NtSetValueKey "))
		on_key_change(trace, line, REPORT_REGISTRY_SET);
	else if (wine_text_skip(&line->at, "NtDeleteValueKey ") ||
		 wine_text_skip(&line->at, "NtDeleteKey "))
		on_key_change(trace, line, REPORT_REGISTRY_DELETE);
}

static bool
who(struct wine_line *line)
{
	uint64_t pid, tid;

	if (!wine_text_number(&line->at, &pid) ||
	    !wine_text_skip(&line->at, ":") ||
	    !wine_text_number(&line->at, &tid) ||
	    !wine_text_skip(&line->at, ":") || pid == 0 || pid > PID_MAX ||
	    tid > PID_MAX)
		return false;
	line->pid = (uint32_t)pid;
	line->tid = (uint32_t)tid;
	return true;
}

static void
on_line(struct wine_trace *trace, struct report *report, uint64_t usec)
{
	struct wine_line line = {
	    .report = report, .usec = usec, .at = trace->line};

	if (!who(&line)) {
		if (wine_text_skip(&line.at, "wine: "))
			trace->is_failed = true;
		return;
	}
	if (trace->first_pid == 0) {
		trace->first_pid = line.pid;
		set_text(wine_program_of(trace, line.pid)->path, WINE_PATH_MAX,
		    trace->first);
	}
	if (wine_text_skip(&line.at, "Call "))
		wine_api_call(trace, &line);
	else if (wine_text_skip(&line.at, "Ret  "))
		wine_api_return(trace, &line);
	else if (wine_text_skip(&line.at, "trace:reg:"))
		on_registry(trace, &line);
	else if (wine_text_skip(
		     &line.at, "trace:process:CreateProcessInternalW "))
		on_create_process(trace, &line);
	else if (wine_text_skip(&line.at, "trace:process:NtCreateUserProcess "))
		on_new_process(trace, &line);
	else if (wine_text_skip(&line.at, "trace:loaddll:"))
		on_loaded(&line);
	else if (wine_text_skip(&line.at, "err:module:LdrInitializeThunk"))
		trace->is_failed = true;
}

void
wine_trace_init(struct wine_trace *trace, const char *first)
{
	memset(trace, 0, sizeof(*trace));
	set_text(trace->first, sizeof(trace->first), first);
}

void
wine_trace_feed(struct wine_trace *trace, struct report *report, uint64_t usec,
    const char *octets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (octets[i] == '\n') {
			trace->line[trace->line_bytes] = '\0';
			if (trace->line_bytes > 0)
				on_line(trace, report, usec);
			trace->line_bytes = 0;
		} else if (trace->line_bytes < sizeof(trace->line) - 1)
			/* The rest of a longer one is arguments. */
			trace->line[trace->line_bytes++] =
			    octets[i] ? octets[i] : '?';
	}
}

void
wine_trace_end(struct wine_trace *trace, struct report *report, uint64_t usec)
{
	for (size_t i = 0; i < WINE_THREADS; i++) {
		const struct wine_line line = {.report = report,
		    .usec = usec,
		    .pid = trace->threads[i].pid,
		    .tid = trace->threads[i].tid};

		if (line.pid > 0)
			wine_tell_program(trace, &line, &trace->threads[i], 0);
	}
}
