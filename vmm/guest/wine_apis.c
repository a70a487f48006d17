#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "vmm/guest/wine_priv.h"
#include "vmm/guest/wine_text.h"

/* As many keys asked for are no game's. */
#define KEYS_WATCHED 24
/* The handle by which a process means itself, of 32 and of 64 bits. */
#define OURSELVES 0xffffffffu

typedef void api_handler(struct wine_trace *trace, const struct wine_line *line,
    enum wine_api api, const char *args);

static const char *const names[] = {
#define API(module, function, tells) #function,
#include "vmm/guest/wine_apis.def"
#undef API
};

static uint64_t
number(const char *args, unsigned int n)
{
	const char *at = wine_text_argument(args, n);
	uint64_t value;

	return at && wine_text_number(&at, &value) ? value : 0;
}

static bool
is_other(uint64_t process)
{
	return process != OURSELVES && process != UINT64_MAX && process != 0;
}

static void
tell_CALL(struct wine_trace *trace, const struct wine_line *line,
    enum wine_api api, const char *args)
{
	size_t n = strlen(args);

	if (trace->times[api] >= WINE_TIMES_MAX)
		return;
	trace->times[api]++;
	if (n > WINE_PATH_MAX)
		n = WINE_PATH_MAX;
	wine_add(line, REPORT_API_CALL, FIELD("name", names[api]),
	    FIELD_OCTETS("args", args, n));
}

static void
tell_WRITE_MEMORY(struct wine_trace *trace, const struct wine_line *line,
    enum wine_api api, const char *args)
{
	(void)trace;
	(void)api;
	if (is_other(number(args, 0)))
		wine_add(line, REPORT_PROCESS_INJECT, FIELD_NUMBER("target", 0),
		    FIELD("how", "write-memory"));
}

static void
tell_REMOTE_THREAD(struct wine_trace *trace, const struct wine_line *line,
    enum wine_api api, const char *args)
{
	(void)trace;
	(void)api;
	if (is_other(number(args, 0)))
		wine_add(line, REPORT_PROCESS_INJECT, FIELD_NUMBER("target", 0),
		    FIELD("how", "remote-thread"));
}

static void
tell_KILL(struct wine_trace *trace, const struct wine_line *line,
    enum wine_api api, const char *args)
{
	if (is_other(number(args, 0)))
		tell_CALL(trace, line, api, args);
}

/* A thread's own hook is how windows are made; one for all is how all are
 * watched. */
static void
tell_HOOK(struct wine_trace *trace, const struct wine_line *line,
    enum wine_api api, const char *args)
{
	static const char *const kinds[] = {
	    [2] = "keyboard", [7] = "mouse", [13] = "keyboard", [14] = "mouse"};
	const uint64_t kind = number(args, 0);

	if (number(args, 3) != 0)
		return;
	if (kind < ARRAY_SIZE(kinds) && kinds[kind])
		wine_add(line, REPORT_HOOK_SET, FIELD("name", kinds[kind]));
	else
		tell_CALL(trace, line, api, args);
}

static void
tell_KEY_STATE(struct wine_trace *trace, const struct wine_line *line,
    enum wine_api api, const char *args)
{
	struct wine_program *program = wine_program_of(trace, line->pid);
	const size_t key = number(args, 0) & 0xff;

	(void)api;
	if (program->keys[key])
		return;
	program->keys[key] = true;
	if (++program->key_count == KEYS_WATCHED)
		wine_add(line, REPORT_HOOK_SET,
		    FIELD("name", "keyboard, by asking for each key"));
}

static void
tell_RAW_INPUT(struct wine_trace *trace, const struct wine_line *line,
    enum wine_api api, const char *args)
{
	(void)trace;
	(void)api;
	(void)args;
	wine_add(line, REPORT_HOOK_SET, FIELD("name", "raw input"));
}

static void
tell_CLIPBOARD(struct wine_trace *trace, const struct wine_line *line,
    enum wine_api api, const char *args)
{
	(void)trace;
	(void)api;
	(void)args;
	wine_add(line, REPORT_HOOK_SET, FIELD("name", "clipboard"));
}

/* Everybody draws with BitBlt; who draws from the screen's context takes its
 * picture. */
static void
tell_DISPLAY(struct wine_trace *trace, const struct wine_line *line,
    enum wine_api api, const char *args)
{
	(void)api;
	wine_thread_of(trace, line)->asks_screen = number(args, 0) == 0;
}

static void
tell_BLIT(struct wine_trace *trace, const struct wine_line *line,
    enum wine_api api, const char *args)
{
	const uint64_t source = number(args, 5);

	(void)api;
	if (source != 0 && source == wine_program_of(trace, line->pid)->screen)
		wine_add(line, REPORT_HOOK_SET, FIELD("name", "screen"));
}

static void
tell_LOOKUP(struct wine_trace *trace, const struct wine_line *line,
    enum wine_api api, const char *args)
{
	char name[WINE_PATH_MAX];
	const char *at = args;

	(void)trace;
	(void)api;
	if (wine_text_next(&at, name, sizeof(name)))
		wine_add(line, REPORT_NET_DNS, FIELD("name", name));
}

/* The registry's part of it is written by another process, which nobody
 * watches. */
static void
tell_SERVICE(struct wine_trace *trace, const struct wine_line *line,
    enum wine_api api, const char *args)
{
	char name[WINE_PATH_MAX] = "", program[WINE_PATH_MAX] = "";
	char key[WINE_PATH_MAX + 64];
	const char *at = wine_text_argument(args, 1);

	tell_CALL(trace, line, api, args);
	if (at)
		(void)wine_text_next(&at, name, sizeof(name));
	at = wine_text_argument(args, 7);
	if (at)
		(void)wine_text_next(&at, program, sizeof(program));
	(void)snprintf(key, sizeof(key),
	    "HKLM\\System\\CurrentControlSet\\Services\\%s", name);
	wine_add(line, REPORT_REGISTRY_SET, FIELD("key", key),
	    FIELD("name", "ImagePath"), FIELD("data", program));
}

/* Told by the lines in between; what is over when it returns failed. */
static void
tell_PROCESS(struct wine_trace *trace, const struct wine_line *line,
    enum wine_api api, const char *args)
{
	(void)trace;
	(void)line;
	(void)api;
	(void)args;
}

static api_handler *const handlers[] = {
#define API(module, function, tells) tell_##tells,
#include "vmm/guest/wine_apis.def"
#undef API
};

/* MODULE.FUNCTION at the line's begin; returns what follows it, NULL: it is
 * none of the list. */
static const char *
find(const struct wine_line *line, enum wine_api *ret)
{
	const char *dot = line->at + strcspn(line->at, ". ("), *end;

	if (*dot != '.')
		return NULL;
	end = dot + 1 + strcspn(dot + 1, "(");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (*end == '(' &&
		    strlen(names[i]) == (size_t)(end - dot - 1) &&
		    memcmp(names[i], dot + 1, strlen(names[i])) == 0) {
			*ret = (enum wine_api)i;
			return end + 1;
		}
	return NULL;
}

void
wine_api_call(struct wine_trace *trace, const struct wine_line *line)
{
	enum wine_api api;
	const char *args = find(line, &api);

	if (args)
		handlers[api](trace, line, api, args);
}

void
wine_api_return(struct wine_trace *trace, const struct wine_line *line)
{
	struct wine_thread *thread = wine_thread_of(trace, line);
	enum wine_api api;
	const char *at = find(line, &api);
	uint64_t value;

	if (!at)
		return;
	if (handlers[api] == tell_PROCESS || api == WINE_API_WinExec)
		wine_tell_program(trace, line, thread, 0);
	if (handlers[api] == tell_DISPLAY && thread->asks_screen &&
	    wine_text_skip(&at, ") retval=") && wine_text_number(&at, &value)) {
		wine_program_of(trace, line->pid)->screen = value;
		thread->asks_screen = false;
	}
}
