/*
 * tools/sluice/vm.c - `sluice vm SUB-COMMAND`: finds it and calls it.
 */
#include "tools/sluice/vm.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "tools/sluice/subs.h"

static const struct sub_command subs[] = {
    {"list", vm_list, "which clones are there, and what do they do?"},
    {"run", vm_run, "run a file in a clone, and say what it did"},
    {"report", vm_report, "what a file that came with a message did"},
    {"bench", vm_bench, "how fast are clones on this host, and how many?"},
    {"reference", vm_reference,
	"build, check or list what clones are made from"},
};

int
command_vm(int argc, char **argv)
{
	return subs_call("vm",
	    "Virtual machines in which attachments are run.\n", subs,
	    ARRAY_SIZE(subs), argc, argv);
}
