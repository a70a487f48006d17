#include "vmm/guest/dns.h"

#include <arpa/inet.h>
#include <string.h>

#define HEAD     12
#define TYPE_A   1
#define TYPE_MX  15
#define TTL      60
#define POINTER  0xc0 /* a name that was there before: RFC 1035 4.1.4 */
#define RESPONSE 0x80
#define RECURSES 0x80

/* The name at offset 12 as text; returns the offset behind it, 0: bad. */
static size_t
read_name(const unsigned char *ask, size_t n, char name[DNS_NAME_MAX])
{
	size_t at = HEAD, used = 0;

	while (at < n && ask[at] != 0) {
		size_t label = ask[at++];

		if (label > 63 || label > n - at ||
		    used + label + 2 > DNS_NAME_MAX)
			return 0;
		if (used > 0)
			name[used++] = '.';
		memcpy(name + used, ask + at, label);
		used += label;
		at += label;
	}
	name[used] = '\0';
	return at < n ? at + 1 : 0;
}

/* Name, type, class, time to live, length of what follows. */
static size_t
put_head(unsigned char *at, unsigned type, unsigned bytes)
{
	const unsigned char head[] = {POINTER, HEAD, 0, (unsigned char)type, 0,
	    1, 0, 0, 0, TTL, 0, (unsigned char)bytes};

	memcpy(at, head, sizeof(head));
	return sizeof(head);
}

size_t
dns_answer(const unsigned char *ask, size_t n, char name[DNS_NAME_MAX],
    unsigned char reply[DNS_REPLY_MAX])
{
	static const unsigned char mail[] = {0, 10, POINTER, HEAD};
	size_t end;
	unsigned type;

	if (n < HEAD || (ask[2] & RESPONSE) || ask[4] != 0 || ask[5] != 1)
		return 0;
	end = read_name(ask, n, name);
	if (end == 0 || n - end < 4)
		return 0;
	type = (unsigned)ask[end] << 8 | ask[end + 1];
	end += 4;
	memcpy(reply, ask, end);
	reply[2] |= RESPONSE;
	reply[3] = RECURSES;
	memset(reply + 6, 0, HEAD - 6); /* what else was asked along is not */
	if (type == TYPE_A) {
		reply[7] = 1;
		end += put_head(reply + end, TYPE_A, 4);
		(void)inet_pton(AF_INET, DNS_ADDRESS, reply + end);
		end += 4;
	} else if (type == TYPE_MX) {
		reply[7] = 1;
		end += put_head(reply + end, TYPE_MX, sizeof(mail));
		memcpy(reply + end, mail, sizeof(mail));
		end += sizeof(mail);
	}
	return end;
}
