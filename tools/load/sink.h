/* tools/load/sink.h - "sluice-traffic sink". */
#ifndef LOAD_SINK_H
#define LOAD_SINK_H

/* Read the command line and serve until told to stop.  Returns the exit
 * code. */
int sink_main(int argc, char **argv);

#endif
