/* What vmm/guest/calls.def names: one function a kind of call.  Private to
 * vmm/guest/. */
#ifndef SLUICE_VMM_GUEST_CALLS_PRIV_H
#define SLUICE_VMM_GUEST_CALLS_PRIV_H

#include "vmm/guest/watch_seccomp.h"

#define CALL_HANDLER(name) \
	int name(struct scene *scene, const struct call *call)

CALL_HANDLER(on_exec);
CALL_HANDLER(on_open);
CALL_HANDLER(on_unlink);
CALL_HANDLER(on_rename);
CALL_HANDLER(on_link);
CALL_HANDLER(on_chmod);

CALL_HANDLER(on_connect);
CALL_HANDLER(on_send);
CALL_HANDLER(on_bind);
CALL_HANDLER(on_listen);
CALL_HANDLER(on_socketcall);

CALL_HANDLER(on_ptrace);
CALL_HANDLER(on_inject);
CALL_HANDLER(on_kill);
CALL_HANDLER(on_tgkill);

CALL_HANDLER(on_nanosleep);
CALL_HANDLER(on_clock_nanosleep);
CALL_HANDLER(on_poll);
CALL_HANDLER(on_select);

CALL_HANDLER(on_system);
CALL_HANDLER(on_system_text);
CALL_HANDLER(on_setuid);
CALL_HANDLER(on_refused);

/* The path that the call's row points at, absolute. */
bool call_path(const struct call *call, char *ret);

#endif
