#include "vmm/backends.h"

#include "common/cleanup.h"
#include "vmm/qemu.h"
#include "vmm/vmm.h"

const struct vmm_ops *const backends[] = {&vmm_qemu, NULL};
const size_t backends_n = ARRAY_SIZE(backends) - 1;
