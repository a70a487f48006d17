#include "tools/sluice/gate_wire.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define NAME     "gate " /* the map's name in etc/in.mc, and a blank */
#define NAME_LEN (sizeof(NAME) - 1)
/* 2^63 - 1 has as many; sendmail keeps sizes in a signed long. */
#define DIGITS_MAX 19

/*
 * The number in front of the colon.  ret_head: octets up to its text.
 * Two digits at most, and no leading zero, as netstrings are.
 */
static int
text_length(const char *buf, size_t len, size_t *ret_head, size_t *ret_len)
{
	size_t n = 0, i = 0;

	for (; i < len && isdigit((unsigned char)buf[i]); i++) {
		if (i == 2 || (i == 1 && buf[0] == '0'))
			return -EBADMSG;
		n = 10 * n + (size_t)(buf[i] - '0');
	}
	if (i == len)
		return -EAGAIN;
	if (i == 0 || buf[i] != ':' || n < NAME_LEN ||
	    n > NAME_LEN + DIGITS_MAX)
		return -EBADMSG;
	*ret_head = i + 1;
	*ret_len = n;
	return 0;
}

static bool
take_number(const char *digits, size_t n, uint64_t *ret_number)
{
	uint64_t number = 0; /* 19 digits can't exceed it */

	for (size_t i = 0; i < n; i++) {
		if (!isdigit((unsigned char)digits[i]))
			return false;
		number = 10 * number + (uint64_t)(digits[i] - '0');
	}
	*ret_number = number;
	return true;
}

int
gate_question(const char *buf, size_t len, uint64_t *ret_bytes)
{
	size_t head, n;
	int r = text_length(buf, len, &head, &n);

	if (r < 0)
		return r;
	if (len < head + n + 1)
		return -EAGAIN;
	if (memcmp(buf + head, NAME, NAME_LEN) != 0 || buf[head + n] != ',' ||
	    !take_number(buf + head + NAME_LEN, n - NAME_LEN, ret_bytes))
		return -EBADMSG;
	return (int)(head + n + 1);
}

const char *
gate_reply(enum gate_answer answer)
{
	switch (answer) {
	case GATE_BUSY:
		return "7:OK BUSY,";
	case GATE_FULL:
		return "7:OK FULL,";
	case GATE_TAKE:
		break;
	}
	return "9:NOTFOUND ,"; /* nothing speaks against it */
}
