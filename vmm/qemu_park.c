#include "vmm/qemu.h"
#include "vmm/qemu_priv.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "vmm/prove.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Orders that warm up the agent's way from an order to its answer. */
#define WARM_UP 20
/* The first of them: a clone's mailbox counts from 1, and its agent goes on
 * by an order that is another one than its last. */
#define FIRST_ORDER 1000000
/* Of the guest's console and of QEMU's own words, for an error. */
#define LAST_WORDS 512
#define PAGE       4096u
#define STATE_MAX  (64u << 20)
#define LOOK_MSEC  20

struct parking {
	const struct vmm_park *park;
	struct qemu_jail jail;
	struct hostbox box;
	struct qemu_process process;
	struct qmp control;
	struct mono end;
	int ram, state, words;
	bool is_saving;
	char console[LAST_WORDS];
	size_t n_console;
};

static void
say(const struct parking *p, const char *what)
{
	if (p->park->step)
		p->park->step(what);
}

/* The bell is the guest's console while it boots: keep the end of it. */
static void
hear_console(struct parking *p)
{
	char octets[LAST_WORDS / 2];
	ssize_t n = read(p->process.bell, octets, sizeof(octets));
	size_t keep = sizeof(p->console) - sizeof(octets);

	if (n <= 0)
		return;
	if (p->n_console > keep) {
		memmove(p->console, p->console + p->n_console - keep, keep);
		p->n_console = keep;
	}
	memcpy(p->console + p->n_console, octets, (size_t)n);
	p->n_console += (size_t)n;
}

static void
add_words(char *err, size_t err_size, const char *text, size_t n)
{
	size_t at = strlen(err);

	for (size_t i = 0; i < n && at + 1 < err_size; i++)
		if (text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'))
			err[at++] = text[i] == '\n' ? ' ' : text[i];
	err[at] = '\0';
}

static int
explain(const struct parking *p, int r, const char *what, char *err,
    size_t err_size)
{
	char words[LAST_WORDS];
	ssize_t n = pread(p->words, words, sizeof(words), 0);

	(void)snprintf(err, err_size, "%s; ", what);
	add_words(err, err_size, words, n > 0 ? (size_t)n : 0);
	add_words(err, err_size, p->console, p->n_console);
	return r;
}

/* A line of QMP, or octets of the console, or nothing for a while. */
static int
hear(struct parking *p, struct qmp_line *line, char *err, size_t err_size)
{
	struct pollfd fds[] = {{.fd = p->process.qmp, .events = POLLIN},
	    {.fd = p->process.bell, .events = POLLIN},
	    {.fd = p->process.pidfd, .events = POLLIN}};
	int r;

	if (mono_now().usec > p->end.usec)
		return explain(p, -ETIMEDOUT,
		    "the agent has not come to its mailbox in time", err,
		    err_size);
	(void)poll(fds, ARRAY_SIZE(fds), LOOK_MSEC);
	hear_console(p);
	r = qmp_next(&p->control, p->process.qmp, line);
	if (r == -EPIPE || (fds[2].revents & POLLIN) ||
	    (r == 0 && line->is_end))
		return explain(p, -ECHILD, "QEMU has ended", err, err_size);
	if (r == 0 && line->is_error)
		return explain(p, -EIO, line->text, err, err_size);
	return r;
}

static int
await_agent(struct parking *p, char *err, size_t err_size)
{
	struct qmp_line line;
	int r;

	p->box.order = FIRST_ORDER;
	while (!hostbox_is_parked(&p->box)) {
		r = hear(p, &line, err, err_size);
		if (r < 0 && r != -EAGAIN)
			return r;
	}
	r = hostbox_is_fit(&p->box, err, err_size);
	if (r < 0)
		return r;
	for (int i = 0; i < WARM_UP; i++) {
		hostbox_order(&p->box, MAILBOX_PING, 0);
		while (!(hostbox_look(&p->box) & HOSTBOX_ANSWER)) {
			r = hear(p, &line, err, err_size);
			if (r < 0 && r != -EAGAIN)
				return r;
		}
	}
	return 0;
}

static int
save_state(struct parking *p, char *err, size_t err_size)
{
	struct qmp_line line;
	int r = qmp_send(p->process.qmp, QMP_GETFD, p->state);

	if (r == 0)
		r = qmp_send(p->process.qmp, QMP_MIGRATE, -1);
	while (r == 0) {
		r = qmp_send(p->process.qmp, QMP_QUERY, -1);
		do {
			if (r == 0 || r == -EAGAIN)
				r = hear(p, &line, err, err_size);
		} while (r == -EAGAIN || (r == 0 && line.id != QMP_QUERY));
		if (r == 0 && strcmp(line.text, "completed") == 0)
			return 0;
		if (r == 0 && strcmp(line.text, "failed") == 0)
			return explain(p, -EIO,
			    "the devices' state can't be saved", err, err_size);
	}
	return r;
}

/* QEMU may open no path: what it boots from comes in memory. */
static int
in_memory(int dirfd, enum manifest_file file, int *ret)
{
	const char *name = manifest_file_name(file);
	CLEANUP(close_fd) int in = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	CLEANUP(close_fd) int out = memfd_create(name, MFD_CLOEXEC);
	struct stat st;
	int r;

	if (in < 0 || out < 0 || fstat(in, &st) < 0)
		return -errno;
	r = copy_range(in, 0, (uint64_t)st.st_size, out);
	if (r == 0)
		*ret = TAKE_FD(out);
	return r;
}

static int
start(struct parking *p, const struct qemu_machine *machine)
{
	CLEANUP(close_fd) int kernel = -1;
	CLEANUP(close_fd) int initrd = -1;
	CLEANUP(close_fd)
	int disk = openat(p->park->dirfd, "disk", O_RDONLY | O_CLOEXEC);
	struct qemu_start s = {.err_fd = p->words};
	struct qemu_args args;
	int r = in_memory(p->park->dirfd, MANIFEST_KERNEL, &kernel);

	if (r == 0)
		r = in_memory(p->park->dirfd, MANIFEST_INITRD, &initrd);
	if (r < 0)
		return r;
	memcpy(s.fds,
	    (const int[]){-1, -1, p->box.fd, p->ram, -1, disk, kernel, initrd},
	    sizeof(s.fds));
	qemu_args_make(&args, machine);
	r = qemu_start(&p->jail, &args, &s, &p->process);
	qemu_args_free(&args);
	return r;
}

static int
run(struct parking *p, const struct qemu_machine *machine, char *err,
    size_t err_size)
{
	int r = start(p, machine);

	if (r < 0) {
		(void)snprintf(
		    err, err_size, "%s: %s", machine->program, strerror(-r));
		return r;
	}
	r = qmp_send(p->process.qmp, QMP_CAPABILITIES, -1);
	if (r == 0)
		r = qmp_send(p->process.qmp, QMP_IGNORE_SHARED, -1);
	if (r == 0)
		r = await_agent(p, err, err_size);
	if (r == 0) {
		say(p, "save its memory and the state of its devices");
		r = save_state(p, err, err_size);
	}
	(void)kill(p->process.pid, SIGKILL);
	(void)waitpid(p->process.pid, NULL, 0);
	return r;
}

/* Pages of zeros become holes: memory that no clone need load. */
static int
write_sparse(int in, uint64_t bytes, int out)
{
	static const char zeros[PAGE];
	char page[PAGE];

	if (ftruncate(out, (off_t)bytes) < 0)
		return -errno;
	for (uint64_t at = 0; at < bytes; at += PAGE) {
		int r = pread_all(in, page, PAGE, at);

		if (r < 0)
			return r;
		if (memcmp(page, zeros, PAGE) == 0)
			continue;
		if (pwrite(out, page, PAGE, (off_t)at) != PAGE)
			return errno ? -errno : -EIO;
	}
	return fsync(out) < 0 ? -errno : 0;
}

static int
keep(int dirfd, enum manifest_file file, int fd)
{
	CLEANUP(close_fd)
	int out = openat(dirfd, manifest_file_name(file),
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	off_t bytes = lseek(fd, 0, SEEK_END);

	if (out < 0 || bytes < 0)
		return -errno;
	if (file == MANIFEST_RAM)
		return write_sparse(fd, (uint64_t)bytes, out);
	return copy_range(fd, 0, (uint64_t)bytes, out);
}

static int
note(const struct vmm_park *park, const struct qemu_machine *machine, char *err,
    size_t err_size)
{
	struct manifest m = {.mailbox = MAILBOX_VERSION,
	    .mem_mib = machine->mem_mib,
	    .tsc_khz = machine->tsc_khz,
	    .built_usec = wall_now().usec};
	int r;

	(void)snprintf(
	    m.reference, sizeof(m.reference), "%s", park->of.reference);
	(void)snprintf(m.backend, sizeof(m.backend), "%s", vmm_qemu.name);
	(void)snprintf(
	    m.accel, sizeof(m.accel), "%s", machine->is_kvm ? "kvm" : "tcg");
	(void)snprintf(m.recipe, sizeof(m.recipe), "%s", park->recipe);
	(void)qemu_machine_digest(machine, m.machine);
	r = qemu_version(machine->program, m.hypervisor, sizeof(m.hypervisor),
	    err, err_size);
	if (r == 0)
		r = manifest_complete(park->dirfd, &m);
	manifest_done(&m);
	return r;
}

static int
open_all(struct parking *p, const struct qemu_machine *machine)
{
	int r = hostbox_make(&p->box);

	if (r < 0)
		return r;
	p->ram = memfd_create("ram", MFD_CLOEXEC);
	p->state = memfd_create("state", MFD_CLOEXEC);
	p->words = memfd_create("words", MFD_CLOEXEC);
	if (p->ram < 0 || p->state < 0 || p->words < 0 ||
	    ftruncate(p->ram, (off_t)machine->mem_mib << 20) < 0)
		return -errno;
	return 0;
}

static void
close_all(struct parking *p)
{
	hostbox_drop(&p->box);
	close_fd(&p->ram);
	close_fd(&p->state);
	close_fd(&p->words);
	close_fd(&p->process.pidfd);
	close_fd(&p->process.bell);
	close_fd(&p->process.qmp);
	qemu_jail_done(&p->jail);
}

static int
try_park(const struct vmm_park *park, const struct qemu_machine *machine,
    char *err, size_t err_size)
{
	struct parking p = {.park = park,
	    .box.fd = -1,
	    .ram = -1,
	    .state = -1,
	    .words = -1,
	    .jail.ruleset = -1,
	    .process = {.pidfd = -1, .bell = -1, .qmp = -1},
	    .end.usec = mono_now().usec + park->patience_usec};
	int r = open_all(&p, machine);

	err[0] = '\0';
	if (r == 0)
		r = qemu_jail_make(
		    &p.jail, machine->program, machine->is_kvm, err, err_size);
	if (r == 0)
		p.jail.file_bytes = STATE_MAX;
	if (r == 0)
		r = run(&p, machine, err, err_size);
	if (r == 0)
		r = keep(park->dirfd, MANIFEST_RAM, p.ram);
	if (r == 0)
		r = keep(park->dirfd, MANIFEST_STATE, p.state);
	if (r == 0) {
		say(&p, "write the digests of its files");
		r = note(park, machine, err, err_size);
	}
	if (r < 0 && err[0] == '\0')
		(void)snprintf(err, err_size, "%s", strerror(-r));
	close_all(&p);
	return r;
}

/* Do programs of Windows do what they should?  (Boots that go wrong unseen for
 * those of Linux were seen under Xen alone.) */
static int
prove_it(const struct vmm_park *park, char *err, size_t err_size)
{
	const uint32_t runs[VMM_PROOFS] = {
	    [VMM_PROOF_WINDOWS] = park->proofs[VMM_PROOF_WINDOWS]};
	struct vmm *vmm;
	int r;

	if (runs[VMM_PROOF_WINDOWS] == 0)
		return 0;
	if (park->step)
		park->step("run a known program of Windows in clones of it");
	r = qemu_open_at(park->dirfd, &park->of, &vmm, err, err_size);
	if (r < 0)
		return r;
	r = prove_all(&vmm_qemu, vmm, runs, err, err_size);
	qemu_close(vmm);
	return r;
}

static int
park_well(const struct vmm_park *park, const struct qemu_machine *machine,
    char *err, size_t err_size)
{
	int r = try_park(park, machine, err, err_size);

	if (r == 0)
		r = prove_it(park, err, err_size);
	if (r < 0)
		(void)unlinkat(park->dirfd, MANIFEST_NAME, 0);
	return r;
}

int
qemu_park(const struct vmm_park *park, char *err, size_t err_size)
{
	struct qemu_machine machine = {
	    .program = park->of.program ? park->of.program : QEMU_PROGRAM,
	    .name = "sluice-reference",
	    .is_booted = true,
	    .mem_mib = park->mem_mib,
	    .is_kvm = qemu_has_kvm(),
	    .has_disk = faccessat(park->dirfd, "disk", R_OK, 0) == 0,
	    .tsc_khz = qemu_tsc_khz()};
	int r;

	r = park_well(park, &machine, err, err_size);
	if (r == 0 || !machine.is_kvm)
		return r;
	/* A KVM that is there and can't do it: go without. */
	machine.is_kvm = false;
	return park_well(park, &machine, err, err_size);
}
