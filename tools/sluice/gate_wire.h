/*
 * tools/sluice/gate_wire.h - what sendmail asks the gate, and the answers.
 *
 * A socketmap (sendmail's op manual, "K socket"): the question is a netstring
 * of the map's name, one blank and the key, here the octets that the client
 * has declared with SIZE=; 0 or nothing: it hasn't.  The answer is a netstring
 * of a status and a value, which etc/in.mc turns into the reply to MAIL.
 */
#ifndef SLUICE_TOOLS_GATE_WIRE_H
#define SLUICE_TOOLS_GATE_WIRE_H

#include "tools/sluice/gate_rule.h"

#include <stddef.h>
#include <stdint.h>

/* The longest question: "24:gate ", 19 digits of a 63-bit number, ",". */
#define GATE_QUESTION_MAX 28

/*
 * Take one question from the len octets at buf.
 * ret_bytes  what was declared; 0: nothing was
 * Returns how many octets it took (above 0); -EAGAIN: its end is still to
 * come; -EBADMSG: this can't become a question.
 */
int gate_question(const char *buf, size_t len, uint64_t *ret_bytes);

/* The whole netstring; valid for ever. */
const char *gate_reply(enum gate_answer answer);

#endif
