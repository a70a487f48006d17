#include "flow/capture.h"

#include "common/io.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NSEC_PER_SEC INT64_C(1000000000)

struct capture {
	pcap_t *pcap;
	char *name;
	enum packet_link link;
	uint64_t kinds[PACKET_KINDS];
	uint64_t drops;
};

/* What the kernel keeps for us while we are busy. */
#define BUFFER_BYTES (32 * 1024 * 1024)
/* A packet is shown this late at most. */
#define LATENCY_MSEC 10
#define SNAP_BYTES   262144 /* more than any segment, merged ones too */
/* Of "(tcp port 65535 or ...)", twice. */
#define FILTER_MAX 1024

struct pass {
	struct capture *capture;
	capture_fn *fn;
	void *arg;
};

static int
link_of(int type, enum packet_link *ret)
{
	static const struct {
		int type;
		enum packet_link link;
	} links[] = {
	    {DLT_EN10MB, PACKET_ETHERNET},
	    {DLT_RAW, PACKET_RAW},
	    {DLT_IPV4, PACKET_RAW},
	    {DLT_IPV6, PACKET_RAW},
	    {DLT_LINUX_SLL, PACKET_SLL},
	    {DLT_LINUX_SLL2, PACKET_SLL2},
	    {DLT_NULL, PACKET_LOOP},
	    {DLT_LOOP, PACKET_LOOP},
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].type == type) {
			*ret = links[i].link;
			return 0;
		}
	return -ENOTSUP;
}

static int
take(pcap_t *pcap, const char *name, struct capture **ret, char *err,
    size_t err_size)
{
	const char *kind = pcap_datalink_val_to_name(pcap_datalink(pcap));
	struct capture *c;
	enum packet_link link;

	if (link_of(pcap_datalink(pcap), &link) < 0) {
		(void)snprintf(err, err_size,
		    "%s: its frames are %s (%d), which isn't read; capture on "
		    "Ethernet, loopback or any",
		    name, kind ? kind : "of a kind without name",
		    pcap_datalink(pcap));
		pcap_close(pcap);
		return -ENOTSUP;
	}
	c = xcalloc(1, sizeof(*c));
	c->pcap = pcap;
	c->name = xstrdup(name);
	c->link = link;
	*ret = c;
	return 0;
}

int
capture_open_file(
    const char *path, struct capture **ret, char *err, size_t err_size)
{
	char why[PCAP_ERRBUF_SIZE];
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
	pcap_t *pcap;

	if (!file) {
		const int r = -errno;

		(void)snprintf(err, err_size, "%s: %s", path, strerror(-r));
		return r;
	}
	pcap = pcap_fopen_offline_with_tstamp_precision(
	    file, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!pcap) {
		(void)snprintf(err, err_size,
		    "%s: not a capture in pcap or pcapng format: %s", path,
		    why);
		if (file != stdin)
			(void)fclose(file);
		return -EINVAL;
	}
	return take(pcap, path, ret, err, err_size);
}

static void
filter_text(
    char *buf, size_t size, const uint16_t *ports, size_t n_ports, bool tagged)
{
	size_t at = 0;

	/* Tagged packets lie four octets further on: "vlan" moves all that
	 * follows it. */
	for (int turn = 0; turn <= tagged; turn++)
		for (size_t i = 0; i < n_ports && at < size; i++)
			at += (size_t)snprintf(buf + at, size - at,
			    "%stcp port %u",
			    i > 0  ? " or "
			    : turn ? ") or (vlan and ("
				   : "(",
			    ports[i]);
	if (at < size)
		(void)snprintf(buf + at, size - at, tagged ? "))" : ")");
}

static int
open_error(int status)
{
	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
	case PCAP_ERROR_IFACE_NOT_UP:
		return -ENODEV;
	case PCAP_ERROR_PERM_DENIED:
		return -EPERM;
	default:
		return -EIO;
	}
}

static int
activate(pcap_t *pcap)
{
	(void)pcap_set_snaplen(pcap, SNAP_BYTES);
	(void)pcap_set_timeout(pcap, LATENCY_MSEC);
	(void)pcap_set_buffer_size(pcap, BUFFER_BYTES);
	/* What card and kernel don't do, libpcap turns into microseconds. */
	if (pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO) != 0)
		return PCAP_ERROR;
	return pcap_activate(pcap);
}

static int
set_filter(pcap_t *pcap, const uint16_t *ports, size_t n_ports)
{
	char text[FILTER_MAX], why[PCAP_ERRBUF_SIZE];
	struct bpf_program program;
	int r;

	/* Loopback and "any" know no tags. */
	for (int tagged = 1; tagged >= 0; tagged--) {
		filter_text(text, sizeof(text), ports, n_ports, tagged);
		r = pcap_compile(pcap, &program, text, 1, PCAP_NETMASK_UNKNOWN);
		if (r == 0)
			break;
	}
	if (r < 0)
		return PCAP_ERROR;
	r = pcap_setfilter(pcap, &program);
	pcap_freecode(&program);
	return r < 0 ? r : pcap_setnonblock(pcap, 1, why);
}

int
capture_open_live(const char *interface, const uint16_t *ports, size_t n_ports,
    struct capture **ret, char *err, size_t err_size)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_create(interface, why);
	int r;

	if (!pcap) {
		(void)snprintf(err, err_size, "%s: %s", interface, why);
		return -EIO;
	}
	r = activate(pcap);
	if (r >= 0)
		r = set_filter(pcap, ports, n_ports);
	if (r < 0) {
		(void)snprintf(err, err_size, "%s: %s (%s)", interface,
		    pcap_statustostr(r), pcap_geterr(pcap));
		pcap_close(pcap);
		return open_error(r);
	}
	return take(pcap, interface, ret, err, err_size);
}

int
capture_fd(const struct capture *c)
{
	return pcap_get_selectable_fd(c->pcap);
}

uint64_t
capture_drops(struct capture *c)
{
	struct pcap_stat stat;

	/* libpcap's count wraps at 32 bits. */
	if (pcap_stats(c->pcap, &stat) == 0)
		c->drops += stat.ps_drop - (uint32_t)c->drops;
	return c->drops;
}

struct capture *
capture_close(struct capture *c)
{
	if (!c)
		return NULL;
	pcap_close(c->pcap);
	free(c->name);
	free(c);
	return NULL;
}

static void
on_frame(u_char *arg, const struct pcap_pkthdr *header, const u_char *frame)
{
	const struct pass *pass = (const void *)arg;
	struct capture *c = pass->capture;
	struct packet packet;
	enum packet_kind kind;

	/* The fraction is in nanoseconds, as was asked for at opening. */
	packet.nsec = (int64_t)header->ts.tv_sec % (INT64_MAX / NSEC_PER_SEC) *
			  NSEC_PER_SEC +
		      (int64_t)header->ts.tv_usec;
	kind = packet_read(c->link, frame, header->caplen, &packet);
	c->kinds[kind]++;
	if (kind == PACKET_TCP)
		pass->fn(pass->arg, &packet);
}

static int
fail(struct capture *c, char *err, size_t err_size)
{
	const char *why = pcap_geterr(c->pcap);

	(void)snprintf(err, err_size, "%s: %s", c->name, why);
	if (strstr(why, "disappeared"))
		return -ENODEV;
	return strstr(why, "truncated") ? -ENODATA : -EIO;
}

int
capture_read(struct capture *c, int n, capture_fn *fn, void *arg, char *err,
    size_t err_size)
{
	struct pass pass = {c, fn, arg};
	const int r = pcap_dispatch(c->pcap, n, on_frame, (u_char *)&pass);

	return r < 0 ? fail(c, err, err_size) : r;
}

const uint64_t *
capture_kinds(const struct capture *c)
{
	return c->kinds;
}
