/* The guest's loopback device: net_prepare() of vmm/guest/sink.h. */
#include "vmm/guest/sink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"

#define LOOPBACK "lo"

static int
device_up(void)
{
	CLEANUP(close_fd)
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq device = {.ifr_name = LOOPBACK};

	if (fd < 0)
		return -errno;
	device.ifr_flags = IFF_UP | IFF_RUNNING;
	return ioctl(fd, SIOCSIFFLAGS, &device) < 0 ? -errno : 0;
}

/* ip route add local default dev lo */
static int
all_is_local(unsigned char family)
{
	CLEANUP(close_fd)
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct {
		struct nlmsghdr head;
		struct rtmsg route;
		struct rtattr attribute;
		uint32_t device;
	} ask = {
	    .head = {.nlmsg_len = sizeof(ask),
		.nlmsg_type = RTM_NEWROUTE,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK},
	    .route = {.rtm_family = family,
		.rtm_table = RT_TABLE_LOCAL,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = RT_SCOPE_HOST,
		.rtm_type = RTN_LOCAL},
	    .attribute = {.rta_len = RTA_LENGTH(sizeof(uint32_t)),
		.rta_type = RTA_OIF},
	    .device = if_nametoindex(LOOPBACK),
	};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
	} answer;

	if (fd < 0 || send(fd, &ask, sizeof(ask), 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), MSG_TRUNC) < 0)
		return -errno;
	return answer.error.error;
}

int
net_prepare(void)
{
	int r = device_up();

	if (r == 0)
		r = all_is_local(AF_INET);
	(void)all_is_local(AF_INET6); /* a kernel may be without */
	return r;
}
