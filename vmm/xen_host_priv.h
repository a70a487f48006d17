/*
 * vmm/xen_host_priv.h - what those few files have in common that call
 * libxenctrl and libxenforeignmemory: vmm/xen_host.c, xen_domain.c, xen_cpu.c.
 */
#ifndef SLUICE_VMM_XEN_HOST_PRIV_H
#define SLUICE_VMM_XEN_HOST_PRIV_H

#include <xenctrl.h>
#include <xenforeignmemory.h>
#include <xentoollog.h>

struct xen_store;

struct xen_host {
	xc_interface *xch;
	xenforeignmemory_handle *memory;
	struct xen_store *store;
	xentoollog_logger silent;
	uint32_t khz;
	unsigned int users;
};

#endif
