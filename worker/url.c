/*
 * worker/url.c - worker/url.h.
 */
#include "worker/url.h"

#include "worker/url_priv.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Before it is read it may be longer: line breaks, escapes, user names. */
#define RAW_MAX ((size_t)4 * URL_MAX)

static bool
is_slash(char c)
{
	return c == '/' || c == '\\';
}

/* Without the white space that browsers don't see.  Length, or -errno. */
static int
clean(const char *raw, size_t len, char *out)
{
	size_t n = 0;

	while (len > 0 && (unsigned char)raw[0] <= ' ') {
		raw++;
		len--;
	}
	while (len > 0 && (unsigned char)raw[len - 1] <= ' ')
		len--;
	for (size_t i = 0; i < len; i++) {
		if (raw[i] == '\t' || raw[i] == '\n' || raw[i] == '\r')
			continue;
		if (raw[i] == '\0')
			return -EINVAL;
		if (n == RAW_MAX)
			return -ENAMETOOLONG;
		out[n++] = raw[i];
	}
	out[n] = '\0';
	return (int)n;
}

/* Length of its scheme with the colon; 0: it has none. */
static size_t
scheme_len(const char *s)
{
	size_t n = 0;

	if (!isalpha((unsigned char)s[0]))
		return 0;
	while (isalnum((unsigned char)s[n]) || (s[n] && strchr("+-.", s[n])))
		n++;
	return s[n] == ':' ? n + 1 : 0;
}

/* Where the path of an address from url_read() begins. */
static const char *
path_of(const char *url)
{
	return strchr(strstr(url, "//") + 2, '/');
}

/* RFC 3986 5.2.2, but for "." and "..", which the asker takes out. */
static int
join(const char *base, const char *ref, char *out, size_t size)
{
	const char *path, *end;
	int keep, n;

	if (!base || !*ref || *ref == '#')
		return -EINVAL;
	path = path_of(base);
	end = path + strcspn(path, "?");
	if (is_slash(ref[0]) && is_slash(ref[1]))
		keep = (int)scheme_len(base);
	else if (is_slash(ref[0]))
		keep = (int)(path - base);
	else if (ref[0] == '?')
		keep = (int)(end - base);
	else
		keep = (int)((const char *)memrchr(
				 path, '/', (size_t)(end - path)) +
			     1 - base);
	n = snprintf(out, size, "%.*s%s", keep, base, ref);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

struct out {
	char *at;
	size_t n;
	bool is_full;
};

static void
put(struct out *o, char c)
{
	if (o->n == URL_MAX)
		o->is_full = true;
	else
		o->at[o->n++] = c;
}

static void
put_text(struct out *o, const char *text)
{
	while (*text)
		put(o, *text++);
}

/* What may not stand in an address as it is. */
static void
put_escaped(struct out *o, const char *at, size_t len, bool is_path)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)at[i];

		if (is_path && c == '\\') {
			put(o, '/');
		} else if (c > ' ' && c < 0x7f && !strchr("\"<>`{}|^\\", c)) {
			put(o, (char)c);
		} else {
			put(o, '%');
			put(o, hex[c >> 4]);
			put(o, hex[c & 15]);
		}
	}
}

size_t
url_decode(const char *at, size_t len, char *buf)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned int c;
		char two[3] = "";

		if (at[i] == '%' && i + 2 < len &&
		    isxdigit((unsigned char)at[i + 1]) &&
		    isxdigit((unsigned char)at[i + 2])) {
			two[0] = at[i + 1];
			two[1] = at[i + 2];
			c = (unsigned int)strtoul(two, NULL, 16);
			buf[n++] = (char)c;
			i += 2;
		} else {
			buf[n++] = at[i];
		}
	}
	buf[n] = '\0';
	return n;
}

/* [v6] in its own brackets. */
static int
read_v6(const char *host, size_t len, char *out, size_t size)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr in6;

	if (len < 3 || len - 2 >= sizeof(text) || host[len - 1] != ']')
		return -EINVAL;
	memcpy(text, host + 1, len - 2);
	text[len - 2] = '\0';
	if (inet_pton(AF_INET6, text, &in6) != 1)
		return -EINVAL;
	(void)inet_ntop(AF_INET6, &in6, text, sizeof(text));
	(void)snprintf(out, size, "[%s]", text);
	return 0;
}

static int
read_host(const char *at, size_t len, char *out, size_t size)
{
	char host[RAW_MAX + 1];
	struct in_addr in;
	size_t n = url_decode(at, len, host);

	if (n > 0 && host[0] == '[')
		return read_v6(host, n, out, size);
	if (n > 0 && host[n - 1] == '.')
		host[--n] = '\0';
	if (n == 0 || n > URL_HOST_MAX || n >= size || host[0] == '.' ||
	    host[n - 1] == '.' || memmem(host, n, "..", 2))
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		host[i] = (char)tolower((unsigned char)host[i]);
		if (!isalnum((unsigned char)host[i]) &&
		    !(host[i] && strchr("-._", host[i])))
			return -EINVAL;
	}
	/* One number, or octal and hexadecimal ones, are addresses as well. */
	if (inet_aton(host, &in))
		(void)inet_ntop(AF_INET, &in, out, (socklen_t)size);
	else
		(void)strcpy(out, host);
	return 0;
}

/* Where in host[:port] the colon before the port is, or its end. */
static size_t
port_at(const char *at, size_t len)
{
	const char *bracket = memchr(at, ']', len);
	const size_t from = bracket ? (size_t)(bracket - at) : 0;
	const char *colon = memchr(at + from, ':', len - from);

	return colon ? (size_t)(colon - at) : len;
}

static int
read_port(const char *at, size_t len, bool is_https, struct out *o)
{
	unsigned long port = 0;
	char text[8];

	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)at[i]))
			return -EINVAL;
		port = 10 * port + (unsigned long)(at[i] - '0');
		if (port > UINT16_MAX)
			return -EINVAL;
	}
	if (len == 0 || port == (is_https ? 443 : 80))
		return 0;
	(void)snprintf(text, sizeof(text), ":%lu", port);
	put_text(o, text);
	return 0;
}

static int
read_authority(const char *at, size_t len, bool is_https, struct out *o)
{
	const char *user = memrchr(at, '@', len);
	char host[URL_HOST_MAX + 1];
	size_t host_len;
	int r;

	if (user) {
		len -= (size_t)(user + 1 - at);
		at = user + 1;
	}
	host_len = port_at(at, len);
	r = read_host(at, host_len, host, sizeof(host));
	if (r < 0)
		return r;
	put_text(o, host);
	return host_len < len ? read_port(at + host_len + 1, len - host_len - 1,
				    is_https, o)
			      : 0;
}

static int
read_absolute(const char *s, char *out)
{
	struct out o = {.at = out};
	const bool is_https = strncasecmp(s, "https:", 6) == 0;
	size_t n;
	int r;

	if (!is_https && strncasecmp(s, "http:", 5) != 0)
		return -EINVAL;
	s += is_https ? 6 : 5;
	while (is_slash(*s))
		s++;
	put_text(&o, is_https ? "https://" : "http://");
	n = strcspn(s, "/\\?#");
	r = read_authority(s, n, is_https, &o);
	if (r < 0)
		return r;
	s += n;
	if (!is_slash(*s))
		put(&o, '/');
	n = strcspn(s, "?#");
	put_escaped(&o, s, n, true);
	if (s[n] == '?')
		put_escaped(&o, s + n, strcspn(s + n, "#"), false);
	out[o.n] = '\0';
	return o.is_full ? -ENAMETOOLONG : 0;
}

int
url_read(const char *base, const char *raw, size_t len, char *out)
{
	char text[RAW_MAX + 1], joined[RAW_MAX + URL_MAX + 1];
	char result[URL_MAX + 1];
	const char *absolute = text;
	int r = clean(raw, len, text);

	if (r < 0)
		return r;
	if (scheme_len(text) == 0) {
		r = join(base, text, joined, sizeof(joined));
		if (r < 0)
			return r;
		absolute = joined;
	}
	r = read_absolute(absolute, result);
	if (r == 0)
		(void)strcpy(out, result);
	return r;
}

void
url_host(const char *url, char *host, uint16_t *ret_port)
{
	const char *at = strstr(url, "//") + 2;
	const size_t len = (size_t)(path_of(url) - at);
	const size_t n = port_at(at, len);
	const bool is_v6 = at[0] == '[';

	*ret_port = strncmp(url, "https", 5) == 0 ? 443 : 80;
	if (n < len)
		*ret_port = (uint16_t)strtoul(at + n + 1, NULL, 10);
	memcpy(host, at + is_v6, n - 2 * (size_t)is_v6);
	host[n - 2 * (size_t)is_v6] = '\0';
}

size_t
url_name(const char *url, char *buf, size_t size)
{
	const char *path = path_of(url), *at;
	char name[URL_MAX + 1];
	size_t len = strcspn(path, "?;");

	at = (const char *)memrchr(path, '/', len) + 1;
	(void)url_decode(at, len - (size_t)(at - path), name);
	(void)snprintf(buf, size, "%s", name);
	return strlen(buf);
}

bool
url_is_file(const char *url)
{
	char name[URL_MAX + 1];
	size_t len = url_name(url, name, sizeof(name));
	const char *dot;

	/* Windows leaves them out of a name. */
	while (len > 0 && (name[len - 1] == '.' || name[len - 1] == ' '))
		len--;
	dot = memrchr(name, '.', len);
	return dot && dot > name &&
	       url_ext_is_file(dot + 1, len - (size_t)(dot + 1 - name));
}

/* One component: a path's, or a key or value of a query. */
static const char *
component_act(const char *at, size_t len, bool is_name)
{
	char text[URL_MAX + 1];
	size_t n = url_decode(at, len, text);
	const char *dot = is_name ? memrchr(text, '.', n) : NULL;

	if (memchr(text, '@', n))
		return "it has a mail address";
	if (dot)
		n = (size_t)(dot - text);
	return url_has_token(text, n) ? "it has a token" : NULL;
}

const char *
url_is_act(const char *url)
{
	const char *at = path_of(url);
	char lower[URL_MAX + 1];
	const char *why = NULL;
	bool is_query = false;
	size_t n = url_decode(url, strlen(url), lower);

	for (size_t i = 0; i < n; i++)
		lower[i] =
		    lower[i] ? (char)tolower((unsigned char)lower[i]) : ' ';
	if (url_has_act(lower))
		return "it has a word that means an act";
	while (!why && *at) {
		const size_t len = strcspn(++at, "/?&=;");

		why = component_act(
		    at, len, !is_query && (at[len] == '?' || !at[len]));
		at += len;
		is_query |= *at == '?';
	}
	return why;
}
