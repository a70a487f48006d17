#include "vmm/backends.h"

#include "common/cleanup.h"
#include "vmm/qemu.h"
#include "vmm/vmm.h"
#include "vmm/xen.h"

#include <stdio.h>
#include <string.h>

const struct vmm_ops *const backends[] = {
#ifdef SLUICE_XEN
    &vmm_xen,
#endif
    &vmm_qemu, NULL};
const size_t backends_n = ARRAY_SIZE(backends) - 1;

const struct vmm_ops *
backends_find(const char *name)
{
	for (size_t i = 0; i < backends_n; i++)
		if (strcmp(backends[i]->name, name) == 0)
			return backends[i];
	return NULL;
}

const struct vmm_ops *
backends_choose(const char *name, const struct vmm_options *options, char *why,
    size_t why_size)
{
	const bool any = strcmp(name, "auto") == 0;

	(void)snprintf(why, why_size, "%s is not built in", name);
	for (size_t i = 0; i < backends_n; i++) {
		const struct vmm_ops *ops = backends[i];
		char text[192] = "";

		if (!any && strcmp(ops->name, name) != 0)
			continue;
		if (ops->probe(options, text, sizeof(text)) == 0) {
			(void)snprintf(why, why_size, "%s", text);
			return ops;
		}
		(void)snprintf(why, why_size, "%s: %s", ops->name, text);
	}
	return NULL;
}
