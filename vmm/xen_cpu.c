#include "vmm/xen_host_priv.h"
#include "vmm/xen_priv.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <xen/hvm/save.h>

/* Of vmx or svm, the devices and 8 KiB of AVX registers it is 12 KiB. */
#define STATE_MAX (1u << 20)
/* The AVX registers: struct hvm_hw_cpu_xsave, of variable length. */
#define CODE_XSAVE CPU_XSAVE_CODE

#define CPU_ROOM (sizeof(struct hvm_save_descriptor) + HVM_SAVE_LENGTH(CPU))

#define LVT0          0x350 /* of the local APIC's registers */
#define LVT0_EXTINT   0x700u
#define MTRR_ON       (1u << 11)
#define MTRR_WB       6u
#define CR0_PG_ET_PE  0x80000011u
#define CR4_PAE       0x20u
#define EFER_LME_LMA  0x500u
#define RFLAGS_ONE    2u
#define DR6_RESET     0xffff0ff0u
#define DR7_RESET     0x400u
#define CODE_SELECTOR 0x10 /* as Linux' boot protocol wants it */
#define DATA_SELECTOR 0x18
#define CODE_64       0xa9bu /* access rights: long mode, present, read */
#define DATA_FLAT     0xc93u
#define TASK_BUSY     0x8bu
#define TASK_LIMIT    0x67u

void
xen_state_done(struct xen_state *state)
{
	free(state->octets);
	*state = (struct xen_state){.octets = NULL};
}

static int
fault(int n)
{
	return n < 0 && errno ? -errno : -EIO;
}

int
xen_state_get(struct xen_host *host, uint32_t domain, struct xen_state *ret)
{
	int n = xc_domain_hvm_getcontext(host->xch, domain, NULL, 0);
	unsigned char *octets;

	if (n <= 0)
		return fault(n);
	if ((uint32_t)n > STATE_MAX)
		return -EFBIG;
	octets = xcalloc(1, (size_t)n);
	n = xc_domain_hvm_getcontext(host->xch, domain, octets, (uint32_t)n);
	if (n <= 0) {
		int r = fault(n);

		free(octets);
		return r;
	}
	*ret = (struct xen_state){.octets = octets, .n = (uint32_t)n};
	return 0;
}

/* A record of the only processor with its descriptor, or NULL. */
static unsigned char *
find(const struct xen_state *state, uint16_t code, uint32_t *ret_n)
{
	struct hvm_save_descriptor d;
	uint32_t at = 0;

	while (state->n - at >= sizeof(d)) {
		memcpy(&d, state->octets + at, sizeof(d));
		if (d.length > state->n - at - sizeof(d))
			return NULL;
		if (d.typecode == code && d.instance == 0) {
			*ret_n = (uint32_t)sizeof(d) + d.length;
			return state->octets + at;
		}
		at += (uint32_t)sizeof(d) + d.length;
	}
	return NULL;
}

static void
append(struct xen_state *to, const void *octets, uint32_t n)
{
	memcpy(to->octets + to->n, octets, n);
	to->n += n;
}

/* Those records of a state, as a state, with room for one of a processor.  Its
 * header comes first, or Xen takes nothing. */
static int
select_records(const struct xen_state *whole, const uint16_t *codes, size_t n,
    struct xen_state *ret)
{
	const struct hvm_save_descriptor end = {.typecode = HVM_SAVE_CODE(END)};
	struct xen_state part = {
	    .octets = xcalloc(1, whole->n + sizeof(end) + CPU_ROOM)};

	for (size_t i = 0; i < n; i++) {
		uint32_t bytes;
		const unsigned char *record = find(whole, codes[i], &bytes);

		if (record) {
			append(&part, record, bytes);
		} else if (codes[i] != CODE_XSAVE) {
			xen_state_done(&part);
			return -EBADMSG;
		}
	}
	append(&part, &end, sizeof(end));
	*ret = part;
	return 0;
}

int
xen_state_cpu(const struct xen_state *whole, struct xen_state *ret)
{
	/* Without the second, the first would clear the AVX registers. */
	static const uint16_t codes[] = {
	    HVM_SAVE_CODE(HEADER), HVM_SAVE_CODE(CPU), CODE_XSAVE};

	return select_records(whole, codes, ARRAY_SIZE(codes), ret);
}

int
xen_cpu_get(struct xen_host *host, uint32_t domain, struct xen_state *ret)
{
	CLEANUP(xen_state_done) struct xen_state whole = {.octets = NULL};
	int r = xen_state_get(host, domain, &whole);

	return r < 0 ? r : xen_state_cpu(&whole, ret);
}

int
xen_state_put(
    struct xen_host *host, uint32_t domain, const struct xen_state *state)
{
	if (xc_domain_hvm_setcontext(
		host->xch, domain, state->octets, state->n) == 0)
		return 0;
	return errno == EINVAL ? -EBADMSG : errno ? -errno : -EIO;
}

/* What a BIOS would have done: memory is cached, and the old interrupt
 * controller, to which the timer belongs, gets through the local APIC. */
static void
be_bios(HVM_SAVE_TYPE(MTRR) * mtrr, HVM_SAVE_TYPE(LAPIC_REGS) * lapic)
{
	const uint32_t lvt0 = LVT0_EXTINT;

	mtrr->msr_mtrr_def_type = MTRR_WB | MTRR_ON;
	memcpy(&lapic->data[LVT0], &lvt0, sizeof(lvt0));
}

static void
begin_at(
    HVM_SAVE_TYPE(CPU) * cpu, uint64_t entry, uint64_t tables, uint64_t params)
{
	*cpu = (HVM_SAVE_TYPE(CPU)){.rip = entry,
	    .rsi = params,
	    .rsp = tables, /* nothing is pushed before the kernel has its own */
	    .rflags = RFLAGS_ONE,
	    .cr0 = CR0_PG_ET_PE,
	    .cr3 = tables,
	    .cr4 = CR4_PAE,
	    .msr_efer = EFER_LME_LMA,
	    .dr6 = DR6_RESET,
	    .dr7 = DR7_RESET,
	    .cs_sel = CODE_SELECTOR,
	    .ds_sel = DATA_SELECTOR,
	    .es_sel = DATA_SELECTOR,
	    .ss_sel = DATA_SELECTOR,
	    .cs_limit = UINT32_MAX,
	    .ds_limit = UINT32_MAX,
	    .es_limit = UINT32_MAX,
	    .ss_limit = UINT32_MAX,
	    .tr_limit = TASK_LIMIT,
	    .cs_arbytes = CODE_64,
	    .ds_arbytes = DATA_FLAT,
	    .es_arbytes = DATA_FLAT,
	    .ss_arbytes = DATA_FLAT,
	    .tr_arbytes = TASK_BUSY};
}

/* Its octets behind the descriptor, if it is that long; else NULL. */
static void *
body(const struct xen_state *state, uint16_t code, size_t n)
{
	uint32_t bytes;
	unsigned char *record = find(state, code, &bytes);

	assert(record); /* add_cpu() has it in there */
	if (bytes < sizeof(struct hvm_save_descriptor) + n)
		return NULL;
	return record + sizeof(struct hvm_save_descriptor);
}

/* A record of a processor that has none: of one that has never run Xen saves
 * nothing. */
static int
add_cpu(const struct xen_state *from, uint64_t entry, uint64_t tables,
    uint64_t params, struct xen_state *ret)
{
	static const uint16_t codes[] = {HVM_SAVE_CODE(HEADER),
	    HVM_SAVE_CODE(LAPIC_REGS), HVM_SAVE_CODE(MTRR)};
	const struct hvm_save_descriptor d = {
	    .typecode = HVM_SAVE_CODE(CPU), .length = HVM_SAVE_LENGTH(CPU)};
	const struct hvm_save_descriptor end = {.typecode = HVM_SAVE_CODE(END)};
	HVM_SAVE_TYPE(CPU) cpu;
	struct xen_state all;
	int r = select_records(from, codes, ARRAY_SIZE(codes), &all);

	if (r < 0)
		return r;
	begin_at(&cpu, entry, tables, params);
	all.n -= (uint32_t)sizeof(end);
	append(&all, &d, sizeof(d));
	append(&all, &cpu, sizeof(cpu));
	append(&all, &end, sizeof(end));
	*ret = all;
	return 0;
}

int
xen_cpu_begin(struct xen_host *host, uint32_t domain, uint64_t entry,
    uint64_t tables, uint64_t params)
{
	CLEANUP(xen_state_done) struct xen_state whole = {.octets = NULL};
	CLEANUP(xen_state_done) struct xen_state part = {.octets = NULL};
	void *lapic, *mtrr;
	int r = xen_state_get(host, domain, &whole);

	if (r == 0)
		r = add_cpu(&whole, entry, tables, params, &part);
	if (r < 0)
		return r;
	lapic =
	    body(&part, HVM_SAVE_CODE(LAPIC_REGS), HVM_SAVE_LENGTH(LAPIC_REGS));
	mtrr = body(&part, HVM_SAVE_CODE(MTRR), HVM_SAVE_LENGTH(MTRR));
	if (!lapic || !mtrr)
		return -EBADMSG;
	be_bios(mtrr, lapic);
	return xen_state_put(host, domain, &part);
}
