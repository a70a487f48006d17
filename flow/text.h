/*
 * flow/text.h - a flow as one line, for people and for programs.
 */
#ifndef SLUICE_FLOW_TEXT_H
#define SLUICE_FLOW_TEXT_H

#include "flow/table.h"

#include <stdio.h>

/* "192.0.2.1", "2001:db8::1", the first for ::ffff:192.0.2.1 as well.  Writes
 * to buf, returns buf; FLOW_ADDRESS_TEXT octets suffice. */
#define FLOW_ADDRESS_TEXT 46
char *flow_address_text(const uint8_t address[16], char *buf, size_t size);

/* The reverse.  0, or -EINVAL for anything else. */
int flow_address_parse(const char *text, uint8_t ret_address[16]);

/*
 * One line, an object of JSON or (is_json false) words NAME=VALUE: the ends,
 * start (seconds since 1970), state and end, and the features.
 */
void flow_print(
    const struct flow *flow, enum flow_end end, bool is_json, FILE *out);

#endif
