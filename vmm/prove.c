#include "vmm/prove.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/io.h"
#include "vmm/mailbox.h"
#include "vmm/report.h"
#include "vmm/vmm.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define HEAD_BYTES 512
#define REST_BYTES (256u << 10)
#define RIGHT      42 /* its status; no shell and no signal gives it */
#define RUN_USEC   (20 * USEC_PER_SEC)
/* Of each stage, on a host that has other work. */
#define PATIENCE_USEC (60 * USEC_PER_SEC)
#define LOOK_MSEC     100
#define SHOWN         300 /* octets at the end of a bad report */

static const char script[] =
    "#!/bin/sh\n"
    "set -- one 'two  three' ''\n"
    "[ $# = 3 ] && [ \"$2\" = 'two  three' ] || exit 3\n"
    "sum=$(tail -c +%d \"$0\" | sha256sum) || exit 4\n"
    "[ \"$sum\" = '%s  -' ] || exit 5\n"
    "exit %d\n";

/* The script, then letters that only it reads. */
static void
write_program(char *octets)
{
	char *rest = octets + HEAD_BYTES, hex[DIGEST_HEX];
	struct digest digest;
	uint32_t x = 1;
	int n;

	for (size_t i = 0; i < REST_BYTES; i++) {
		x = x * 1664525 + 1013904223;
		rest[i] = (char)('A' + (x >> 24) % 26);
	}
	digest = digest_memory(rest, REST_BYTES);
	memset(octets, '\n', HEAD_BYTES);
	n = snprintf(octets, HEAD_BYTES, script, HEAD_BYTES + 1,
	    digest_hex(&digest, hex), RIGHT);
	octets[n] = '\n';
}

static int
make_sample(struct vmm_sample *ret)
{
	CLEANUP(free_ptr) char *octets = xcalloc(1, HEAD_BYTES + REST_BYTES);
	CLEANUP(close_fd) int fd = memfd_new("proof");
	int r = fd < 0 ? fd : 0;

	write_program(octets);
	if (r == 0)
		r = write_all(fd, octets, HEAD_BYTES + REST_BYTES);
	if (r < 0)
		return r;
	*ret = (struct vmm_sample){.fd = TAKE_FD(fd),
	    .bytes = HEAD_BYTES + REST_BYTES,
	    .name = "proof.sh",
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
		fault = code && strtol(code, NULL, 10) == RIGHT
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
prove(const struct vmm_ops *ops, struct vmm *vmm, uint32_t runs,
    uint32_t *ret_good, char *err, size_t err_size)
{
	struct vmm_sample sample;
	uint32_t good = 0;
	int r = make_sample(&sample), fd = r < 0 ? -1 : sample.fd;

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
