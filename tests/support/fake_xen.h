/*
 * tests/support/fake_xen.h - Xen's libraries without a hypervisor, by --wrap:
 * domains are counted, memory is a piece of ours, the guest's agent answers as
 * soon as its domain goes on, and any call can be made to fail.
 */
#ifndef SLUICE_TESTS_FAKE_XEN_H
#define SLUICE_TESTS_FAKE_XEN_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_XEN_REPORT "{\"event\":\"agent.start\"}\n"

/* No domain, no map, nothing fails. */
void fake_xen_begin(void);

/* The nth next call of that name fails with that errno. */
void fake_xen_fail(const char *name, unsigned int nth, int error);
/* The nth next call, whichever it is. */
void fake_xen_fail_nth(unsigned int nth, int error);
bool fake_xen_has_failed(void);
/* 1 if it was the end of a domain that failed, else 0. */
int fake_xen_failed_at_end(void);

/* That page of each map can't be mapped (its number among them; -1: all can).
 */
void fake_xen_bad_page(int page, int error);

/* All domains have gone down, and answer no more. */
void fake_xen_go_down(void);

int fake_xen_domains(void); /* how many there are */
int fake_xen_maps(void);

/* Octets of a state up to the end of its processor's record. */
uint32_t fake_xen_cpu_end(void);

#endif
