/*
 * tools/sluice/vm.h - the sub-commands of `sluice vm`, one file each.
 */
#ifndef SLUICE_TOOLS_VM_H
#define SLUICE_TOOLS_VM_H

#include "tools/sluice/command.h"

command_main vm_bench;
command_main vm_list;
command_main vm_report;
command_main vm_run;
command_main vm_reference;

#endif
