/*
 * queues/received.h - from which end of a connection a message came, as our
 * own sendmail wrote it down.
 */
#ifndef SLUICE_QUEUES_RECEIVED_H
#define SLUICE_QUEUES_RECEIVED_H

#include <stdbool.h>
#include <stdint.h>

struct qf;

#define RECEIVED_ADDRESS 46 /* octets of an address as text, with its NUL */

/*
 * The client's address and port out of the topmost Received field, which is
 * sendmail's: it writes it above all that a message brings.  They have a line
 * of that field to themselves, "(client [ADDRESS] port PORT)", the second
 * (etc/in.mc); what a client can choose stands on other lines.  The address
 * must be that of the qf's "$_".
 *
 * ret_address  in inet_ntop(3)'s form
 *
 * false, and nothing written: anything is otherwise (another sendmail.mc, mail
 * from no connection); it says nothing then, rather than what a sender says.
 * Fuzzed by tests/fuzz/fuzz_qf.c.
 */
bool received_client(const struct qf *qf, char ret_address[RECEIVED_ADDRESS],
    uint16_t *ret_port);

#endif
