/*
 * vmm/guest/dns.h - answers to questions for names (RFC 1035): every name
 * has the same address, every domain takes mail.  Pure.
 */
#ifndef SLUICE_VMM_GUEST_DNS_H
#define SLUICE_VMM_GUEST_DNS_H

#include <stddef.h>

#define DNS_ADDRESS   "203.0.113.7" /* RFC 5737: nobody's */
#define DNS_NAME_MAX  256
#define DNS_REPLY_MAX 512 /* RFC 1035 4.2.1 */

/*
 * Answer the question in n octets at ask.  Writes its name without the last
 * dot, octets as they are, and the reply.  Returns the reply's length, or 0:
 * that is no question.
 */
size_t dns_answer(const unsigned char *ask, size_t n, char name[DNS_NAME_MAX],
    unsigned char reply[DNS_REPLY_MAX]);

#endif
