/*
 * flow/capture.h - packets from a file or an interface, by libpcap.
 *
 * No type and no number of libpcap's gets out of capture.c.
 */
#ifndef SLUICE_FLOW_CAPTURE_H
#define SLUICE_FLOW_CAPTURE_H

#include "flow/packet.h"

struct capture;

/*
 * Open a file, pcap or pcapng, "-" is standard input.
 *
 * ret_capture  set on success; the caller's, who calls capture_close()
 * err          on failure: what is wrong, with the file's name
 *
 * Returns 0; -EINVAL: it is no capture; -ENOTSUP: its frames are of a kind
 * that isn't read; or -errno as open(2).  Blocks on the file.
 */
int capture_open_file(
    const char *path, struct capture **ret_capture, char *err, size_t err_size);

/*
 * Open an interface, or "any", for packets of these TCP ports, tagged for a
 * VLAN or not; needs CAP_NET_RAW.  Reading doesn't block then, and
 * capture_fd() becomes readable when there are packets.
 *
 * Returns 0; -ENODEV: no such interface, or it is down: try again later;
 * -EPERM: not allowed; -ENOTSUP as above; or -EIO for anything else.
 */
int capture_open_live(const char *interface, const uint16_t *ports,
    size_t n_ports, struct capture **ret_capture, char *err, size_t err_size);

/* Borrowed. */
int capture_fd(const struct capture *capture);

/* Packets that the kernel had no room for since capture_open_live(). */
uint64_t capture_drops(struct capture *capture);

struct capture *capture_close(struct capture *capture);

/*
 * For each of at most n packets that are there call fn with a segment;
 * packets of other kinds are counted alone.
 *
 * Returns how many there were, 0 at the end of a file and while an interface
 * is silent; -ENODATA: the file is cut off, -EIO: it is damaged, or the
 * interface fails; -ENODEV: the interface is gone.  err says it in words.
 * Blocks on a file.
 */
typedef void capture_fn(void *arg, const struct packet *packet);
int capture_read(struct capture *capture, int n, capture_fn *fn, void *arg,
    char *err, size_t err_size);

/* How many packets of each kind there were. */
const uint64_t *capture_kinds(const struct capture *capture);

#endif
