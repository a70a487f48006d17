/*
 * tests/support/fake_xen.h - Xen's libraries without a hypervisor, by --wrap:
 * a dom0, domains that are counted, one memory for all of them, a store of
 * xenstored's kind (fake_xenstore.c), a guest's agent that answers as soon as
 * its domain goes on.  Any call can be made to fail.
 */
#ifndef SLUICE_TESTS_FAKE_XEN_H
#define SLUICE_TESTS_FAKE_XEN_H

#include <stdbool.h>
#include <stdint.h>

/* Memory of a guest; the mailbox lies above it. */
#define FAKE_XEN_MIB 4u
/* What vmm/prove.h takes for the right end. */
#define FAKE_XEN_REPORT "{\"ev\":\"agent.end\",\"how\":\"exit\",\"code\":42}\n"

/* A dom0 that can do all, without domains; nothing fails. */
void fake_xen_begin(void);

/* What the host is like; begin() sets it. */
struct fake_xen_host {
	const char *type;         /* /sys/hypervisor/type; NULL: none */
	const char *capabilities; /* /proc/xen/capabilities; NULL: none */
	uint32_t can;             /* XEN_SYSCTL_PHYSCAP_... */
	uint64_t free_pages, outstanding_pages;
	int no_sharing;      /* errno of memory sharing; 0: it has that */
	int state_bytes;     /* that Xen says a state has; 0: as many as it has,
				-1: none */
	uint16_t odd_record; /* which record of a state is odd; 0: none */
	uint32_t odd_bytes;  /* it has so many octets; 0: it isn't there */
	const char *odd_report; /* of one run... */
	int odd_run;            /* ...of the next ones; -1: of all; 0: none */
	const char *lacking;    /* what each agent says that it lacks */
	bool is_silent;         /* the agent of a guest never comes */
	bool is_mute;           /* it comes, and answers nothing */
	bool is_last_word;      /* it answers, and its domain goes down */
};
extern struct fake_xen_host fake_xen_host;

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

/* All domains have gone down, and answer no more; and the reverse. */
void fake_xen_go_down(void);
void fake_xen_come_up(void);

int fake_xen_domains(void); /* how many there are */
int fake_xen_maps(void);    /* that are there */
int fake_xen_opened(void);  /* handles of the libraries */
/* A domain with that handle; its number. */
uint32_t fake_xen_add(const unsigned char *handle);
/* The guest's memory, FAKE_XEN_MIB. */
unsigned char *fake_xen_memory(void);

/* Octets of a state up to the end of its processor's record. */
uint32_t fake_xen_cpu_end(void);

/* --- fake_xenstore.c */

/* Empty it; and what lies at a path, NULL: nothing. */
void fake_xenstore_begin(void);
const char *fake_xenstore_at(const char *path);
int fake_xenstore_nodes(void); /* how many there are */
void fake_xenstore_put(const char *path, const char *text);

/* --- For the files of the fake alone. */

/* Is the call of that name to fail?  Then errno is set. */
bool fake_xen_fails(const char *name);

#define CALL(name) return fake_xen_fails(#name) ? -1 : 0

/* What --wrap puts in the place of each call. */
#define WRAP(type, name, ...) \
	type __wrap_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

#endif
