#include "tools/sim/plot.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

#define COMPLAINT_MAX 300

static bool
ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n > m && strcmp(text + n - m, end) == 0;
}

int
plot_check(const char *output, char *err, size_t err_size)
{
	if (!output)
		(void)snprintf(err, err_size,
		    "--output is missing: write a file, such as --output "
		    "wait.svg");
	else if (!ends_in(output, ".svg") && !ends_in(output, ".png"))
		(void)snprintf(err, err_size,
		    "--output: \"%s\" is neither SVG nor PNG: write a name "
		    "that ends in .svg or .png",
		    output);
	else
		return 0;
	return -EINVAL;
}

void
plot_begin(struct plot *plot, const char *output, unsigned int width,
    unsigned int height)
{
	*plot = (struct plot){.output = output};
	plot->script = open_memstream(&plot->text, &plot->len);
	assert(plot->script); /* a small allocation */
	(void)fprintf(plot->script,
	    "set terminal %s noenhanced size %u,%u font 'sans,12'%s\n"
	    "set encoding utf8\nset grid\nset key left top\n"
	    "set linetype 1 lc rgb '#1050a0'\n"
	    "set linetype 2 lc rgb '#d06000'\n"
	    "set linetype 3 lc rgb '#107040'\n"
	    "set linetype 4 lc rgb '#8030a0'\n"
	    "set linetype 5 lc rgb '#404040' dt 2\n",
	    ends_in(output, ".png") ? "pngcairo" : "svg", width, height,
	    ends_in(output, ".png") ? "" : " background 'white'");
}

void
plot_string(struct plot *plot, const char *text)
{
	(void)fputc('"', plot->script);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\' || c == '`' || c == '$')
			(void)fprintf(plot->script, "\\%03o", c);
		else
			(void)fputc(c < ' ' ? '?' : c, plot->script);
	}
	(void)fputc('"', plot->script);
}

void
plot_mark(struct plot *plot, double x, const char *label)
{
	(void)fprintf(plot->script,
	    "set arrow from first %.9g,graph 0 to first %.9g,graph 1 nohead "
	    "dt 2 lw 1.5 lc rgb '#b02020'\nset label ",
	    x, x);
	plot_string(plot, label);
	(void)fprintf(plot->script,
	    " at first %.9g,graph 0.98 right rotate by 90 offset -1.1,0 tc rgb "
	    "'#b02020'\n",
	    x);
}

/* 0, or -errno: it didn't start, or ended badly. */
static int
run(int script_fd, int picture_fd, int complaint_fd)
{
	char name[] = "gnuplot", quiet[] = "-d", from[] = "-";
	char *argv[] = {name, quiet, from, NULL}; /* -d: nobody's .gnuplot */
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t usual;
	int r, status = 0;
	pid_t pid = 0;

	(void)sigemptyset(&usual);
	(void)sigaddset(&usual, SIGPIPE);
	(void)posix_spawnattr_init(&attr);
	(void)posix_spawnattr_setsigdefault(&attr, &usual);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, script_fd, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, picture_fd, 1);
	(void)posix_spawn_file_actions_adddup2(&actions, complaint_fd, 2);
	r = -posix_spawnp(&pid, name, &actions, &attr, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attr);
	if (r < 0)
		return r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

/* The first line of substance that gnuplot wrote. */
static void
read_complaint(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);
	char *line;

	buf[n > 0 ? n : 0] = '\0';
	line = buf + strspn(buf, " \t\n^");
	memmove(buf, line, strlen(line) + 1);
	buf[strcspn(buf, "\n")] = '\0';
}

static int
draw(const struct plot *plot, const char *path, char *err, size_t err_size)
{
	CLEANUP(close_fd) int picture = -1;
	CLEANUP(close_fd) int script = memfd_new("script");
	CLEANUP(close_fd) int complaints = memfd_new("complaints");
	char text[COMPLAINT_MAX];
	int r;

	picture = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (picture < 0) {
		r = -errno;
		(void)snprintf(
		    err, err_size, "%s: %s", plot->output, strerror(-r));
		return r;
	}
	if (script < 0 || complaints < 0)
		r = script < 0 ? script : complaints;
	else
		r = write_all(script, plot->text, plot->len);
	if (r == 0 && lseek(script, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0)
		r = run(script, picture, complaints);
	if (r == -ENOENT) {
		(void)snprintf(err, err_size,
		    "there is no gnuplot here: install it (apt-get install "
		    "gnuplot-nox)");
	} else if (r < 0) {
		read_complaint(complaints, text, sizeof(text));
		(void)snprintf(err, err_size, "gnuplot: %s",
		    text[0] ? text : strerror(-r));
	}
	return r;
}

int
plot_end(struct plot *plot, char *err, size_t err_size)
{
	CLEANUP(free_ptr)
	char *path = xasprintf("%s.new-%d", plot->output, (int)getpid());
	int r;

	(void)fclose(plot->script);
	plot->script = NULL;
	r = draw(plot, path, err, err_size);
	if (r == 0 && rename(path, plot->output) < 0) {
		r = -errno;
		(void)snprintf(
		    err, err_size, "%s: %s", plot->output, strerror(-r));
	}
	if (r < 0)
		(void)unlink(path);
	plot_done(plot);
	return r;
}

void
plot_done(struct plot *plot)
{
	if (plot->script)
		(void)fclose(plot->script);
	free(plot->text);
	*plot = (struct plot){.output = plot->output};
}
