#include "common/conf.h"

#include "common/cleanup.h"
#include "common/conf_priv.h"
#include "common/io.h"
#include "common/log.h"

#include <assert.h>
#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

/* A configuration is a few KiB; more is a mistaken file name. */
#define FILE_LIMIT (1 << 20)
/* A cell before its message comes maps 16 MiB (measured); the rest is for
 * what readers allocate. */
#define CELL_BYTES (UINT64_C(64) << 20)
/* Sections, and settings of one of them: conf.def has fewer. */
#define MAX_SECTIONS 32
#define MAX_SETTINGS 32
/* Put behind the text: libconfuse takes an open section at the end as fine. */
#define LAST_NAME "end_of_file"
#define LAST_TEXT "\n" LAST_NAME " = 1\n"

/* What is known while one file is read. */
struct reader {
	const char *path;
	struct conf *conf;
	cfg_opt_t sections[MAX_SECTIONS + 2]; /* LAST_NAME and the end */
	cfg_opt_t settings[MAX_SECTIONS][MAX_SETTINGS + 1];
	size_t n_sections, n_settings;
	bool seen[MAX_SECTIONS][MAX_SETTINGS];
	int queues_line, limits_line; /* 0: not set by the file */
	char *err;
	size_t err_size;
	bool failed;
};

/* libconfuse's callbacks have no argument of ours.  Set for one cfg_parse. */
static struct reader *active;

static void say(struct reader *r, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The first error is the one that counts. */
static void
say(struct reader *r, int line, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (r->failed)
		return;
	r->failed = true;
	n = line > 0 ? snprintf(r->err, r->err_size, "%s:%d: ", r->path, line)
		     : snprintf(r->err, r->err_size, "%s: ", r->path);
	if (n < 0 || (size_t)n >= r->err_size)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(r->err + n, r->err_size - (size_t)n, fmt, ap);
	va_end(ap);
}

static const char *
remedy(const char *fmt, bool in_section)
{
	if (!strstr(fmt, "no such option"))
		return "write SECTION { NAME = VALUE ... }, one setting a line";
	if (in_section)
		return "write one of those that `sluice config dump` shows "
		       "there";
	return "write settings inside their section, as `sluice config dump` "
	       "shows them";
}

static void
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	bool in_section = strcmp(cfg->name, "root") != 0;
	char text[256], clean[512];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* libconfuse's own */
	(void)vsnprintf(text, sizeof(text), fmt, ap);
#pragma GCC diagnostic pop
	if (in_section && strstr(text, "'" LAST_NAME "'")) {
		say(active, cfg->line - 1,
		    "%s: the section is not closed; write } behind its last "
		    "setting",
		    cfg->name);
		return;
	}
	(void)log_text(clean, sizeof(clean), text);
	say(active, cfg->line, "%s%s%s; %s", in_section ? cfg->name : "",
	    in_section ? ": " : "", clean, remedy(fmt, in_section));
}

struct wanted {
	const char *section, *name, *text;
	int line;
	size_t section_n, name_n;
	struct reader *r;
};

static void
take_if_wanted(const struct conf_setting *s, void *arg)
{
	struct wanted *w = arg;
	char why[256], shown[128];
	bool *seen;

	if (s->kind == CONF_KIND_SECTION) {
		w->section_n++;
		w->name_n = 0;
		return;
	}
	if (s->kind == CONF_KIND_END)
		return;
	w->name_n++;
	if (strcmp(s->section, w->section) || strcmp(s->name, w->name))
		return;
	seen = &w->r->seen[w->section_n - 1][w->name_n - 1];
	if (*seen) {
		say(w->r, w->line, "%s.%s: set twice; write it once",
		    s->section, s->name);
		return;
	}
	*seen = true;
	if (conf_take(s, w->text, why, sizeof(why)) < 0)
		say(w->r, w->line, "%s.%s: %s: %s", s->section, s->name,
		    log_text(shown, sizeof(shown), w->text), why);
	if (s->at == &w->r->conf->feed.queues)
		w->r->queues_line = w->line;
	if (s->at == &w->r->conf->feed.limits)
		w->r->limits_line = w->line;
}

/* Called by libconfuse for each value, when its line is still known. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	struct wanted w = {.section = cfg->name,
	    .name = opt->name,
	    .text = cfg_opt_getnstr(opt, 0),
	    .line = cfg->line,
	    .r = active};

	conf_visit(active->conf, take_if_wanted, &w);
	return active->failed ? -1 : 0;
}

static void
add_option(const struct conf_setting *s, void *arg)
{
	struct reader *r = arg;
	cfg_opt_t section = CFG_SEC(s->section, NULL, CFGF_NONE);
	cfg_opt_t setting = CFG_STR(s->name, NULL, CFGF_NODEFAULT);
	cfg_opt_t end = CFG_END();

	switch (s->kind) {
	case CONF_KIND_SECTION:
		assert(r->n_sections < MAX_SECTIONS);
		section.subopts = r->settings[r->n_sections];
		r->sections[r->n_sections++] = section;
		r->n_settings = 0;
		break;
	case CONF_KIND_END:
		r->settings[r->n_sections - 1][r->n_settings] = end;
		break;
	case CONF_KIND_PATH:
	case CONF_KIND_STRING:
	case CONF_KIND_COUNT:
	case CONF_KIND_PERCENT:
	case CONF_KIND_BYTES:
	case CONF_KIND_SPAN:
	case CONF_KIND_REAL:
	case CONF_KIND_BOOL:
	case CONF_KIND_SIZES:
	case CONF_KIND_WORDS:
	case CONF_KIND_CHOICE:
		assert(r->n_settings < MAX_SETTINGS);
		setting.validcb = on_value;
		r->settings[r->n_sections - 1][r->n_settings++] = setting;
		break;
	}
}

static void
add_last(struct reader *r)
{
	cfg_opt_t last = CFG_STR(LAST_NAME, NULL, CFGF_NODEFAULT);
	cfg_opt_t end = CFG_END();

	r->sections[r->n_sections] = last;
	r->sections[r->n_sections + 1] = end;
}

static void
parse_text(struct reader *r, const char *text)
{
	CLEANUP(free_ptr) char *whole = xasprintf("%s" LAST_TEXT, text);
	cfg_t *cfg;
	int result;

	conf_visit(r->conf, add_option, r);
	add_last(r);
	active = r;
	cfg = cfg_init(r->sections, CFGF_NONE);
	if (!cfg) {
		active = NULL;
		say(r, 0, "libconfuse does not start: %s", strerror(errno));
		return;
	}
	(void)cfg_set_error_function(cfg, on_error);
	result = cfg_parse_buf(cfg, whole);
	if (result != CFG_SUCCESS || cfg_size(cfg, LAST_NAME) == 0)
		say(r, 0,
		    "the file ends inside a comment or a section; "
		    "write its end");
	(void)cfg_free(cfg);
	active = NULL;
}

/* A path, or none. */
static void
check_file(struct reader *r, const char *name, const char *path)
{
	if (strcmp(path, "none") != 0 && path[0] != '/')
		say(r, 0, "%s: %s: not an absolute path; write one, or none",
		    name, path);
}

/* What two settings must agree on. */
static void
cross_check(struct reader *r)
{
	const struct conf *c = r->conf;
	size_t most = (size_t)c->feed.queues - 1;
	uint64_t need;

	if (c->feed.limits.count > most)
		say(r, r->limits_line ? r->limits_line : r->queues_line,
		    "feed.limits: %zu given%s, but %ju queues take %zu at most "
		    "(the last queue has none); write limits = \"...\" with "
		    "no more ascending sizes, or queues = %zu",
		    c->feed.limits.count, r->limits_line ? "" : " by default",
		    (uintmax_t)c->feed.queues, most, c->feed.limits.count + 1);
	if (c->worker.cells > c->worker.cells_max)
		say(r, 0,
		    "worker.cells: %ju: more than worker.cells_max, %ju; "
		    "write cells <= cells_max",
		    (uintmax_t)c->worker.cells, (uintmax_t)c->worker.cells_max);
	if (c->gate.resume_wait_usec >= c->gate.full_wait_usec)
		say(r, 0,
		    "gate.resume_wait: must be shorter than gate.full_wait; "
		    "write resume_wait < full_wait");
	if (c->gate.resume_disk >= c->gate.full_disk)
		say(r, 0,
		    "gate.resume_disk: %ju: must be below gate.full_disk, %ju; "
		    "write resume_disk < full_disk",
		    (uintmax_t)c->gate.resume_disk,
		    (uintmax_t)c->gate.full_disk);
	check_file(r, "spread.key", c->spread.key);
	check_file(r, "mef.known", c->mef.known);
	check_file(r, "mef.archive", c->mef.archive);
	if (c->flow.learn_ham >= c->flow.learn_spam)
		say(r, 0,
		    "flow.learn_ham: %g: must be below flow.learn_spam, %g; "
		    "write learn_ham < learn_spam",
		    c->flow.learn_ham, c->flow.learn_spam);
	if (conf_has_word(c->worker.engines, "flow") &&
	    strcmp(c->flow.interface, "none") == 0)
		say(r, 0,
		    "worker.engines: flow: there are no connections to ask "
		    "for without flow.interface; name the one on which mail "
		    "comes in, or leave out flow");
	need = c->budget.message_bytes + c->budget.output_bytes + CELL_BYTES;
	if (need > c->budget.memory_bytes)
		say(r, 0,
		    "budget.memory: a cell maps the message, its output and "
		    "itself, so that budget.message + budget.output + 64MiB "
		    "must fit; write memory >= %juMiB, or less of the others",
		    (uintmax_t)((need + (UINT64_C(1) << 20) - 1) >> 20));
}

static int
read_into(struct reader *r)
{
	CLEANUP(free_ptr) char *text = NULL;
	size_t len;
	int e = read_file(AT_FDCWD, r->path, FILE_LIMIT, &text, &len);

	if (e == -EFBIG)
		say(r, 0,
		    "larger than 1 MiB; write the name of a "
		    "configuration file");
	else if (e < 0)
		say(r, 0,
		    "cannot be read: %s; write one (sluice config dump "
		    "prints a whole one) or name another with -c",
		    strerror(-e));
	if (e < 0)
		return e;
	if (memchr(text, '\0', len)) {
		say(r, 0, "has a NUL octet; write plain text");
		return -EINVAL;
	}
	parse_text(r, text);
	if (!r->failed)
		cross_check(r);
	return r->failed ? -EINVAL : 0;
}

static void
set_default(const struct conf_setting *s, void *arg)
{
	char why[256];
	int r = 0;

	(void)arg;
	if (s->kind != CONF_KIND_SECTION && s->kind != CONF_KIND_END)
		r = conf_take(s, s->def, why, sizeof(why));
	assert(r == 0); /* conf.def is ours */
}

DEFINE_CLEANUP(struct conf *, conf_free);

int
conf_load(const char *path, struct conf **ret_conf, char *err, size_t err_size)
{
	CLEANUP(conf_freep) struct conf *conf = xcalloc(1, sizeof(*conf));
	CLEANUP(free_ptr) struct reader *r = xcalloc(1, sizeof(*r));
	int e = 0;

	conf_visit(conf, set_default, NULL);
	r->path = path;
	r->conf = conf;
	r->err = err;
	r->err_size = err_size;
	if (path) {
		conf->path = xstrdup(path);
		e = read_into(r);
	}
	if (e < 0)
		return e;
	*ret_conf = TAKE_PTR(conf);
	return 0;
}

static void
free_string(const struct conf_setting *s, void *arg)
{
	(void)arg;
	if (s->kind == CONF_KIND_PATH || s->kind == CONF_KIND_STRING ||
	    s->kind == CONF_KIND_WORDS || s->kind == CONF_KIND_CHOICE)
		free(*(char **)s->at);
}

struct conf *
conf_free(struct conf *conf)
{
	if (!conf)
		return NULL;
	conf_visit(conf, free_string, NULL);
	free(conf->path);
	free(conf);
	return NULL;
}
