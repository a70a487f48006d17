#include "vmm/qemu_priv.h"

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/io.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * What decoded x86 code may use: as much as Debian's and usual Windows
 * programs test for, nothing that TCG is slow at.  No hypervisor's bit: many
 * a program looks for it and then behaves.
 */
#define TCG_CPU "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+rdrand,-hypervisor"
/* 64 MiB of translated code are more than a run of a minute makes. */
#define TCG_ACCEL "tcg,thread=multi,tb-size=64"

static void add(struct qemu_args *args, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
add(struct qemu_args *args, const char *fmt, ...)
{
	va_list ap;

	assert(args->argc + 1 < (int)ARRAY_SIZE(args->argv));
	va_start(ap, fmt);
	if (vasprintf(&args->argv[args->argc++], fmt, ap) < 0)
		abort();
	va_end(ap);
	args->argv[args->argc] = NULL;
}

/* What a clone shares with its reference: the state of devices fits no
 * others. */
static void
add_machine(struct qemu_args *args, const struct qemu_machine *m)
{
	const unsigned int box_mib = MAILBOX_BYTES >> 20;

	add(args, "-accel");
	add(args, "%s", m->is_kvm ? "kvm" : TCG_ACCEL);
	add(args, "-cpu");
	add(args, "%s", m->is_kvm ? "host" : TCG_CPU);
	add(args, "-machine");
	add(args, "microvm,acpi=on,rtc=off,pit=on,pic=on,mem-merge=off,"
		  "dump-guest-core=off");
	add(args, "-m");
	add(args, "%u", m->mem_mib + box_mib);
	add(args, "-numa");
	add(args, "node,nodeid=0,cpus=0,memdev=ram");
	add(args, "-numa");
	add(args, "node,nodeid=1,memdev=box");
	add(args, "-object");
	add(args,
	    "memory-backend-file,id=box,size=%uM,share=on,"
	    "mem-path=/proc/self/fd/%d",
	    box_mib, QEMU_FD_MAILBOX);
	add(args, "-chardev");
	add(args, "socket,id=bell,fd=%d", QEMU_FD_BELL);
	add(args, "-serial");
	add(args, "chardev:bell");
	if (!m->has_disk)
		return;
	add(args, "-add-fd");
	add(args, "set=1,fd=%d", QEMU_FD_DISK);
	add(args, "-blockdev");
	add(args, "file,node-name=disk,filename=/dev/fdset/1,read-only=on,"
		  "locking=off,cache.direct=off");
	add(args, "-device");
	add(args, "virtio-blk-device,drive=disk");
}

static void
add_ram(struct qemu_args *args, const struct qemu_machine *m)
{
	add(args, "-object");
	add(args,
	    "memory-backend-file,id=ram,size=%uM,share=%s,"
	    "mem-path=/proc/self/fd/%d",
	    m->mem_mib, m->is_booted ? "on" : "off", QEMU_FD_RAM);
}

/*
 * tsc_early_khz to lpj: the guest need not measure its clock, which goes wrong
 * on a busy host.  mem: the mailbox is beyond the kernel's memory.  panic:
 * -no-reboot makes the end of QEMU of it, as of a reboot (by a triple fault:
 * there is no keyboard's controller).
 */
static void
add_kernel(struct qemu_args *args, const struct qemu_machine *m)
{
	add(args, "-kernel");
	add(args, "/proc/self/fd/%d", QEMU_FD_KERNEL);
	add(args, "-initrd");
	add(args, "/proc/self/fd/%d", QEMU_FD_INITRD);
	add(args, "-append");
	add(args,
	    "console=ttyS0 quiet loglevel=3 panic=-1 reboot=t mitigations=off "
	    "nokaslr "
	    "nr_cpus=1 nowatchdog rcupdate.rcu_cpu_stall_suppress=1 "
	    "random.trust_cpu=on tsc_early_khz=%u tsc=reliable "
	    "no_timer_check lpj=%llu mem=%uM mailbox=0x%llx",
	    m->tsc_khz, 4ull * m->tsc_khz, m->mem_mib,
	    (unsigned long long)m->mem_mib << 20);
}

void
qemu_args_make(struct qemu_args *ret, const struct qemu_machine *machine)
{
	ret->argc = 0;
	add(ret, "%s", machine->program);
	add(ret, "-name");
	add(ret, "%s", machine->name);
	add_machine(ret, machine);
	add_ram(ret, machine);
	add(ret, "-nodefaults");
	add(ret, "-no-user-config");
	add(ret, "-no-reboot");
	add(ret, "-display");
	add(ret, "none");
	add(ret, "-monitor");
	add(ret, "none");
	add(ret, "-chardev");
	add(ret, "socket,id=qmp,fd=%d", QEMU_FD_QMP);
	add(ret, "-mon");
	add(ret, "chardev=qmp,mode=control");
	add(ret, "-sandbox");
	add(ret, "on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
		 "resourcecontrol=deny");
	if (machine->is_booted) {
		add_kernel(ret, machine);
	} else {
		/* x-ignore-shared can be set by QMP alone: defer. */
		add(ret, "-incoming");
		add(ret, "defer");
	}
}

void
qemu_args_free(struct qemu_args *args)
{
	for (int i = 0; i < args->argc; i++)
		free(args->argv[i]);
	args->argc = 0;
}

char *
qemu_machine_digest(const struct qemu_machine *machine, char *buf)
{
	struct qemu_args args = {.argc = 0};
	CLEANUP(free_ptr) char *text = xstrdup("");
	struct digest digest;

	add_machine(&args, machine);
	for (int i = 0; i < args.argc; i++) {
		char *longer = xasprintf("%s%s\n", text, args.argv[i]);

		free(text);
		text = longer;
	}
	qemu_args_free(&args);
	digest = digest_memory(text, strlen(text));
	return digest_hex(&digest, buf);
}
