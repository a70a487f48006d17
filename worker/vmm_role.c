/*
 * The vmm role: has files run by sluice-vmm and reads what they did.
 */
#include "common/conf.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/proc.h"
#include "common/sandbox.h"
#include "worker/roles.h"
#include "worker/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#define ENGINES_FD PROC_FIRST_FD

int
vmm_role(const struct conf *conf)
{
	static const struct wire_vm_state state = {.text = "no back end"};
	struct ipc_msg *msg = xcalloc(1, sizeof(*msg));
	struct pollfd readable = {ENGINES_FD, POLLIN, 0};
	char err[256] = "";
	int r = sandbox_enter(ROLE_VMM, conf, err, sizeof(err));

	if (r < 0)
		log_error("start failed: sandbox: %s", err);
	else
		r = ipc_send(
		    ENGINES_FD, WIRE_VM_STATE, &state, sizeof(state), NULL, 0);
	while (r == 0 || r == -EAGAIN) {
		if (poll(&readable, 1, -1) < 0 && errno != EINTR)
			break;
		r = ipc_recv(ENGINES_FD, msg);
		if (r == 0)
			ipc_drop_fds(msg);
	}
	free(msg);
	return r == -EPIPE ? 0 : 111;
}
