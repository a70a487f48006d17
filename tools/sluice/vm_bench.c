/*
 * tools/sluice/vm_bench.c - `sluice vm bench`: what a clone costs on this
 * host, part by part, and how many files a second can be run.
 */
#include "tools/sluice/vm.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "tools/sim/plot.h"
#include "tools/sluice/vm_bench_priv.h"
#include "vmm/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#define KEY_CLONES  VM_KEY_OWN
#define KEY_SAMPLES (VM_KEY_OWN + 1)
#define KEY_FILES   (VM_KEY_OWN + 2)
#define KEY_PLOT    (VM_KEY_OWN + 3)
#define KEY_FILE    (VM_KEY_OWN + 4)

/*
 * The least program: exit(0).  An ELF header, one segment, then
 *   xor %edi,%edi; mov $60,%eax; syscall
 */
static const unsigned char least_elf[] = {0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 2, 0, 62, 0, 1, 0, 0, 0, 0x78, 0, 0x40, 0, 0, 0, 0, 0, 64,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 56, 0, 1, 0,
    0, 0, 0, 0, 0, 0,
    /* the segment: load all of it, readable and executable */
    1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0,
    0, 0, 0x40, 0, 0, 0, 0, 0, 0x81, 0, 0, 0, 0, 0, 0, 0, 0x81, 0, 0, 0, 0, 0,
    0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0,
    /* code */
    0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05};

static void
said(const char *what, size_t at, size_t of)
{
	if (isatty(STDERR_FILENO))
		(void)fprintf(stderr, "\rsluice vm bench: %s %zu of %zu   ",
		    what, at, of);
	else if (at == 0)
		(void)fprintf(stderr, "sluice vm bench: %s, %zu\n", what, of);
}

static int
take_sample(struct bench *b)
{
	CLEANUP(close_fd) int in = -1;
	struct stat st;
	int r;

	b->fd = memfd_new("sample");
	if (b->fd < 0)
		return b->fd;
	b->sample = (struct vmm_sample){.fd = b->fd, .name = "sample"};
	if (b->options.file) {
		in = open(b->options.file, O_RDONLY | O_CLOEXEC);
		if (in < 0 || fstat(in, &st) < 0)
			return -errno;
		b->sample.bytes = (uint64_t)st.st_size;
		r = copy_range(in, 0, b->sample.bytes, b->fd);
	} else {
		b->sample.bytes = sizeof(least_elf);
		r = write_all(b->fd, least_elf, sizeof(least_elf));
	}
	b->sample.type = "";
	return r < 0 ? r : memfd_seal(b->fd);
}

/* Without the pool and the sockets: the back end alone. */
static int
bench_back_end(struct bench *b, char *err, size_t err_size)
{
	const struct vmm_options options = {
	    .state = b->conf->vm.directory, .reference = b->reference};
	struct vmm *vmm;
	int r = b->ops->open(&options, &vmm, err, err_size);

	if (r < 0)
		return r;
	r = measure_stages(b->ops, vmm, &b->sample, b->options.samples, said,
	    &b->stages, err, err_size);
	stages_end(&b->stages);
	if (r == 0)
		r = measure_live(b->ops, vmm, b->options.clones, said,
		    &b->live_max, NULL, b->live_why, sizeof(b->live_why));
	b->ops->close(vmm);
	return r;
}

static int
bench_rate(struct bench *b, uint32_t cores, uint32_t clones, char *err,
    size_t err_size)
{
	struct rate *rate = &b->rates[b->n_rates];
	int r;

	if (b->n_rates == ARRAY_SIZE(b->rates))
		return 0;
	said("files", 0, b->options.files);
	*rate = (struct rate){
	    .cores = cores, .clones = clones, .files = b->options.files};
	r = rate_measure(b->conf, b->ops, b->reference, b->fd, b->sample.bytes,
	    rate, err, err_size);
	if (r == 0)
		b->n_rates++;
	return r;
}

/* By clones on all processors, then by processors with two clones each. */
static int
bench_rates(struct bench *b, char *err, size_t err_size)
{
	uint32_t cores = (uint32_t)get_nprocs();
	uint32_t most = b->live_max < RATE_CLONES_MAX ? (uint32_t)b->live_max
						      : RATE_CLONES_MAX;
	int r = 0;

	for (uint32_t n = 1; n <= most && r == 0; n *= 2)
		r = bench_rate(b, cores, n, err, err_size);
	for (uint32_t k = 1; k < cores && r == 0; k *= 2)
		r = bench_rate(b, k, 2 * k, err, err_size);
	return r;
}

static int
bench(struct bench *b)
{
	char err[512] = "";
	int r;

	b->ops = holder_choose(b->conf, err, sizeof(err));
	if (!b->ops)
		return util_fail(STATUS_SYSTEM, "vm bench", "%s", err);
	r = take_sample(b);
	if (r < 0)
		return util_fail(STATUS_SYSTEM, "vm bench", "%s: %s",
		    b->options.file ? b->options.file : "memfd", strerror(-r));
	r = bench_back_end(b, err, sizeof(err));
	if (r == 0)
		r = bench_rates(b, err, sizeof(err));
	if (isatty(STDERR_FILENO))
		(void)fputc('\n', stderr);
	if (r < 0)
		return util_fail(STATUS_SYSTEM, "vm bench", "%s", err);
	if (b->options.vm.common.json)
		bench_json(b, stdout);
	else
		bench_table(b, stdout);
	if (b->options.plot && bench_plot(b, err, sizeof(err)) < 0)
		return util_fail(STATUS_SYSTEM, "vm bench", "%s", err);
	return STATUS_FINE;
}

static size_t
number(struct argp_state *state, const char *arg, unsigned long most)
{
	char *end;
	unsigned long n = strtoul(arg, &end, 10);

	if (*end || n == 0 || n > most)
		argp_error(
		    state, "%s: write a number from 1 to %lu", arg, most);
	return n;
}

static error_t
parse(int key, char *arg, struct argp_state *state)
{
	struct bench_options *o = state->input;
	char err[256];

	switch (key) {
	case KEY_CLONES:
		o->clones = number(state, arg, 1000);
		return 0;
	case KEY_SAMPLES:
		o->samples = number(state, arg, 100000);
		return 0;
	case KEY_FILES:
		o->files = number(state, arg, 1000000);
		return 0;
	case KEY_PLOT:
		o->plot = arg;
		if (plot_check(arg, err, sizeof(err)) < 0)
			argp_error(state, "%s", err);
		return 0;
	case KEY_FILE:
		o->file = arg;
		return 0;
	default:
		return vm_option(key, arg, &o->vm);
	}
}

static const struct argp_option options[] = {OPTION_CONF, OPTION_JSON,
    VM_OPTIONS, {"clones", KEY_CLONES, "N", 0, "live at once at most (20)", 0},
    {"samples", KEY_SAMPLES, "N", 0,
	"clones to measure one after the other (30)", 0},
    {"files", KEY_FILES, "N", 0, "files to run for each rate (60)", 0},
    {"file", KEY_FILE, "FILE", 0,
	"run this one (default: a program that does nothing)", 0},
    {"plot", KEY_PLOT, "FILE", 0, "draw a picture (.svg or .png)", 0}, {0}};

static const struct argp argp = {options, parse, NULL,
    "How long each part of a clone's life takes on this host, how many can "
    "live at once, and how many files a second can be run.\v"
    "No sluice-vmm is needed; one that runs beside it disturbs the numbers.\n"
    "JSON, one line: backend, reference, take_ms_p50, take_ms_p95, "
    "cold_ms_p50, cold_ms_p95 (from nothing to the agent's answer), "
    "private_mb (of a clone that stands still), stages (means in ms; make and "
    "answer are parts of clone, fork is the hypervisor's part of make; reset "
    "is "
    "reset and answer, or destroy and clone where that is how one is done), "
    "files_per_s (the best of "
    "all rates), live_max, rates.",
    NULL, NULL, NULL};

int
vm_bench(int argc, char **argv)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	int status = STATUS_FINE;

	b->fd = -1;
	b->options.clones = 20;
	b->options.samples = 30;
	b->options.files = 60;
	util_parse(&argp, argc, argv, &b->options);
	b->conf = vm_conf(&b->options.vm, &status);
	b->reference =
	    b->options.vm.reference ? b->options.vm.reference : "linux";
	if (b->conf)
		status = bench(b);
	stages_done(&b->stages);
	close_fd(&b->fd);
	(void)conf_free(b->conf);
	free(b);
	return status;
}
