/*
 * tools/sluice/command.h - the sub-commands, one file each.
 *
 * argv[0] is "sluice COMMAND", so that --help and complaints name it.  Each
 * returns the exit status of the process.
 */
#ifndef SLUICE_TOOLS_COMMAND_H
#define SLUICE_TOOLS_COMMAND_H

/* Exit statuses of every command (sluice(8), EXIT STATUS). */
#define STATUS_FINE    0
#define STATUS_BAD     1   /* the answer is bad news */
#define STATUS_UNKNOWN 2   /* there is no answer */
#define STATUS_USAGE   100 /* wrong usage or configuration */
#define STATUS_SYSTEM  111 /* the system failed, try again */

typedef int command_main(int argc, char **argv);

command_main command_run;
command_main command_wake;
command_main command_gate;
command_main command_status;
command_main command_queue;
command_main command_trace;
command_main command_explain;
command_main command_audit;
command_main command_scan;
command_main command_selftest;
command_main command_config;
command_main command_vm;
command_main command_model;
command_main command_flow;
command_main command_setup;

#endif
