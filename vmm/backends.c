#include "vmm/backends.h"

#include "common/cleanup.h"
#include "vmm/qemu.h"
#include "vmm/vmm.h"
#include "vmm/xen.h"

const struct vmm_ops *const backends[] = {
#ifdef SLUICE_XEN
    &vmm_xen,
#endif
    &vmm_qemu, NULL};
const size_t backends_n = ARRAY_SIZE(backends) - 1;
