#include "vmm/prove.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/io.h"
#include "vmm/mailbox.h"
#include "vmm/report.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define HEAD_BYTES 512
#define REST_BYTES (256u << 10)
#define LETTERS    4096u /* of JScript, which is interpreted */
#define SUM_PRIME  65521u
#define SUM_STEP   31u
#define RUN_USEC   (20 * USEC_PER_SEC)
/* Of each stage, on a host that has other work. */
#define PATIENCE_USEC (60 * USEC_PER_SEC)
#define LOOK_MSEC     100
#define SHOWN         300 /* octets at the end of a bad report */

static const char shell_script[] =
    "#!/bin/sh\n"
    "set -- one 'two  three' ''\n"
    "[ $# = 3 ] && [ \"$2\" = 'two  three' ] || exit 3\n"
    "sum=$(tail -c +%d \"$0\" | sha256sum) || exit 4\n"
    "[ \"$sum\" = '%s  -' ] || exit 5\n"
    "exit %d\n";

static const char windows_script[] =
    "var letters = '%s', sum = 0;\r\n"
    "for (var i = 0; i < letters.length; i++)\r\n"
    "  sum = (sum * %u + letters.charCodeAt(i)) %% %u;\r\n"
    "if (sum != %u)\r\n"
    "  WScript.Quit(3);\r\n"
    "var shell = new ActiveXObject('WScript.Shell');\r\n"
    "var cmd = 'C:\\\\windows\\\\syswow64\\\\cmd.exe';\r\n"
    "if (shell.Run(cmd + ' /c exit 7', 0, true) != 7)\r\n"
    "  WScript.Quit(4);\r\n"
    "WScript.Quit(%d);\r\n";

static void
write_letters(char *at, size_t n)
{
	uint32_t x = 1;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		at[i] = (char)('A' + (x >> 24) % 26);
	}
}

/* The script, then letters that only it reads.  The caller's. */
static char *
shell_program(size_t *ret_n)
{
	char *octets = xcalloc(1, HEAD_BYTES + REST_BYTES);
	char *rest = octets + HEAD_BYTES, hex[DIGEST_HEX];
	struct digest digest;
	int n;

	write_letters(rest, REST_BYTES);
	digest = digest_memory(rest, REST_BYTES);
	memset(octets, '\n', HEAD_BYTES);
	n = snprintf(octets, HEAD_BYTES, shell_script, HEAD_BYTES + 1,
	    digest_hex(&digest, hex), PROVE_RIGHT);
	octets[n] = '\n';
	*ret_n = HEAD_BYTES + REST_BYTES;
	return octets;
}

static char *
windows_program(size_t *ret_n)
{
	char letters[LETTERS + 1] = "", *octets;
	uint32_t sum = 0;

	write_letters(letters, LETTERS);
	for (size_t i = 0; i < LETTERS; i++)
		sum = (sum * SUM_STEP + (uint32_t)letters[i]) % SUM_PRIME;
	octets = xasprintf(
	    windows_script, letters, SUM_STEP, SUM_PRIME, sum, PROVE_RIGHT);
	*ret_n = strlen(octets);
	return octets;
}

static const struct {
	const char *name;
	char *(*make)(size_t *ret_n);
} programs[VMM_PROOFS] = {
    [VMM_PROOF_SHELL] = {"proof.sh", shell_program},
    [VMM_PROOF_WINDOWS] = {"proof.js", windows_program},
};

int
prove_program(enum vmm_proof by, struct vmm_sample *ret)
{
	size_t n;
	CLEANUP(free_ptr) char *octets = programs[by].make(&n);
	CLEANUP(close_fd) int fd = memfd_new("proof");
	int r = fd < 0 ? fd : write_all(fd, octets, n);

	if (r < 0)
		return r;
	*ret = (struct vmm_sample){.fd = TAKE_FD(fd),
	    .bytes = n,
	    .name = programs[by].name,
	    .type = ""};
	return 0;
}

static int
await(const struct vmm_ops *ops, struct vm *vm, enum vmm_event wanted)
{
	const struct mono end = {mono_now().usec + PATIENCE_USEC};
	enum vmm_event event;

	while (mono_now().usec < end.usec) {
		struct pollfd p = {.fd = ops->event_fd(vm), .events = POLLIN};

		while (ops->next(vm, &event) == 0)
			if (event == wanted || event == VMM_DIED)
				return event == wanted ? 0 : -ECHILD;
		(void)poll(&p, 1, LOOK_MSEC);
	}
	return -ETIMEDOUT;
}

/* Was its last event the right end of the right program?  Else words. */
static const char *
fault_in(const char *report, size_t n)
{
	static struct guest_event event;
	const char *line = report, *end;
	const char *fault = "no end in its report";

	for (; (end = memchr(line, '\n', n - (size_t)(line - report)));
	     line = end + 1) {
		const char *code;

		if (report_read(line, (size_t)(end - line), &event) < 0)
			return "its report is not in order";
		if (event.kind != GUEST_AGENT_END)
			continue;
		code = event.field[FIELD_CODE];
		fault = code && strtol(code, NULL, 10) == PROVE_RIGHT
			    ? NULL
			    : "it ended by another status";
	}
	return fault;
}

static int
judge(const struct vmm_ops *ops, struct vm *vm, char *err, size_t err_size)
{
	CLEANUP(free_ptr) char *report = xcalloc(1, MAILBOX_REPORT_MAX);
	size_t n = ops->collect(vm, 0, report, MAILBOX_REPORT_MAX);
	const char *fault = fault_in(report, n);

	if (!fault)
		return 0;
	(void)snprintf(err, err_size, "a program went wrong: %s: %.*s", fault,
	    (int)(n > SHOWN ? SHOWN : n), report + (n > SHOWN ? n - SHOWN : 0));
	for (char *c = err; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = ' '; /* its lines, and what a guest writes */
	return -EREMOTEIO;
}

static int
run(const struct vmm_ops *ops, struct vm *vm, const struct vmm_sample *sample,
    char *err, size_t err_size)
{
	int r = await(ops, vm, VMM_PARKED);

	if (r == 0)
		r = ops->inject(vm, sample);
	if (r == 0)
		r = ops->run_start(vm, RUN_USEC);
	if (r == 0)
		r = await(ops, vm, VMM_ENDED);
	return r < 0 ? r : judge(ops, vm, err, err_size);
}

static int
run_clone(const struct vmm_ops *ops, struct vmm *vmm,
    const struct vmm_sample *sample, char *err, size_t err_size)
{
	struct vm *vm;
	int r = ops->clone(vmm, 0, &vm), gone;

	if (r < 0)
		return r;
	r = run(ops, vm, sample, err, err_size);
	gone = ops->destroy(vm);
	if (gone == 0)
		gone = await(ops, vm, VMM_GONE);
	return r < 0 ? r : gone;
}

int
prove(const struct vmm_ops *ops, struct vmm *vmm, enum vmm_proof by,
    uint32_t runs, uint32_t *ret_good, char *err, size_t err_size)
{
	struct vmm_sample sample;
	uint32_t good = 0;
	int r = prove_program(by, &sample), fd = r < 0 ? -1 : sample.fd;

	err[0] = '\0';
	while (r == 0 && good < runs) {
		r = run_clone(ops, vmm, &sample, err, err_size);
		good += r == 0;
	}
	/* A guest that dies of it is as bad as one that says wrong things. */
	if (r == -ECHILD)
		r = -EREMOTEIO;
	if (r < 0 && !err[0])
		(void)snprintf(err, err_size, "a clone of it: %s",
		    r == -EREMOTEIO ? "went down" : strerror(-r));
	close_fd(&fd);
	*ret_good = good;
	return r;
}

int
prove_all(const struct vmm_ops *ops, struct vmm *vmm,
    const uint32_t runs[VMM_PROOFS], char *err, size_t err_size)
{
	uint32_t all = 0;
	int r = 0;

	for (int by = 0; by < VMM_PROOFS && r == 0; by++) {
		uint32_t good;
		char why[512];

		r = prove(ops, vmm, (enum vmm_proof)by, runs[by], &good, why,
		    sizeof(why));
		all += good;
		if (r < 0)
			(void)snprintf(err, err_size,
			    "after %u good runs: %s: %s", all,
			    programs[by].name, why);
	}
	return r;
}
