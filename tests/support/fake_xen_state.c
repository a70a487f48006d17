/*
 * The state of a domain's processor and devices: header, processor, its
 * registers, interrupts, caches, end.
 */
#include "tests/support/fake_xen.h"

#include <string.h>

#include <xenctrl.h>

#include <xen/hvm/save.h>

#define XSAVE      16
#define XSAVE_SIZE 64

static uint32_t
add(uint8_t *buf, uint32_t at, uint16_t code, uint32_t n)
{
	const bool is_odd = code && code == fake_xen_host.odd_record;
	struct hvm_save_descriptor d = {.typecode = code, .length = n};

	if (is_odd && fake_xen_host.odd_bytes == 0)
		return at;
	if (is_odd)
		n = d.length = fake_xen_host.odd_bytes;
	if (buf)
		memcpy(buf + at, &d, sizeof(d));
	return at + (uint32_t)sizeof(d) + n;
}

static uint32_t
make_state(uint8_t *buf, uint32_t *ret_cpu_end)
{
	uint32_t at =
	    add(buf, 0, HVM_SAVE_CODE(HEADER), HVM_SAVE_LENGTH(HEADER));

	at = add(buf, at, HVM_SAVE_CODE(CPU), HVM_SAVE_LENGTH(CPU));
	*ret_cpu_end = at;
	at = add(buf, at, XSAVE, XSAVE_SIZE);
	at = add(
	    buf, at, HVM_SAVE_CODE(LAPIC_REGS), HVM_SAVE_LENGTH(LAPIC_REGS));
	at = add(buf, at, HVM_SAVE_CODE(MTRR), HVM_SAVE_LENGTH(MTRR));
	return add(buf, at, HVM_SAVE_CODE(END), 0);
}

uint32_t
fake_xen_cpu_end(void)
{
	uint32_t end;

	(void)make_state(NULL, &end);
	return end;
}

WRAP(int, xc_domain_hvm_getcontext, xc_interface *x, uint32_t domain,
    uint8_t *buf, uint32_t size)
{
	uint32_t end;

	(void)x, (void)domain, (void)size;
	if (fake_xen_fails("xc_domain_hvm_getcontext"))
		return -1;
	if (!buf && fake_xen_host.state_bytes)
		return fake_xen_host.state_bytes < 0
			   ? 0
			   : fake_xen_host.state_bytes;
	return (int)make_state(buf, &end);
}

WRAP(int, xc_domain_hvm_setcontext, xc_interface *x, uint32_t domain,
    uint8_t *buf, uint32_t size)
{
	(void)x, (void)domain, (void)buf, (void)size;
	CALL(xc_domain_hvm_setcontext);
}
