/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/kernel_interface.h"

#include "base/log.h"
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int control(const struct kernel_interface *interface, unsigned long request, struct ifreq *argument)
{
	memcpy(argument->ifr_name, interface->name, sizeof(argument->ifr_name));
	return ioctl(interface->socket, request, argument) < 0 ? -errno : 0;
}

static int ethtool_value(const struct kernel_interface *interface, uint32_t command, uint32_t *value)
{
	struct ethtool_value request = { .cmd = command, .data = *value };
	struct ifreq argument = { .ifr_data = (void *)&request };
	int rc = control(interface, SIOCETHTOOL, &argument);

	*value = request.data;
	return rc;
}

static bool driver_is_veth(const struct kernel_interface *interface)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq argument = { .ifr_data = (void *)&info };

	return control(interface, SIOCETHTOOL, &argument) == 0 && strcmp(info.driver, "veth") == 0;
}

int kernel_interface_open(struct kernel_interface *interface, const char *port, const char *name)
{
	struct ifreq argument;
	int rc;

	memset(interface, 0, sizeof(*interface));
	snprintf(interface->name, sizeof(interface->name), "%s", name);
	interface->guard.link = -1;
	/* Protocol 0: this socket never receives. */
	interface->socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (interface->socket < 0) {
		rc = -errno;
		log_error("port %s: cannot open a packet socket: %s%s", port, strerror(errno),
			rc == -EPERM ? " (CAP_NET_RAW is needed)" : "");
		return rc;
	}
	interface->index = if_nametoindex(name);
	rc = interface->index == 0 ? -ENODEV : control(interface, SIOCGIFHWADDR, &argument);
	if (rc < 0) {
		log_error("port %s: there is no interface \"%s\" in this network namespace", port, name);
		close(interface->socket);
		interface->index = 0;
		return rc;
	}
	memcpy(&interface->mac, argument.ifr_hwaddr.sa_data, sizeof(interface->mac));
	interface->is_veth = driver_is_veth(interface);
	return 0;
}

static int set_up(struct kernel_interface *interface, const char *port)
{
	struct ifreq argument;
	int rc = control(interface, SIOCGIFFLAGS, &argument);

	if (rc < 0 || argument.ifr_flags & IFF_UP)
		return rc;
	argument.ifr_flags |= IFF_UP;
	rc = control(interface, SIOCSIFFLAGS, &argument);
	if (rc < 0) {
		log_error("port %s: interface %s is down and cannot be set up: %s", port, interface->name,
			strerror(-rc));
		return rc;
	}
	interface->before.was_down = true;
	log_info("port %s: interface %s was down; it is up while vxgate runs", port, interface->name);
	return 0;
}

int kernel_interface_bring_up(struct kernel_interface *interface, const char *port, uint16_t mtu)
{
	struct ifreq argument;
	int rc = control(interface, SIOCGIFMTU, &argument);

	if (rc == 0 && argument.ifr_mtu < mtu) {
		unsigned had = (unsigned)argument.ifr_mtu;
		argument.ifr_mtu = mtu;
		rc = control(interface, SIOCSIFMTU, &argument);
		if (rc < 0) {
			log_error("port %s: mtu %u is more than the %u of interface %s, which cannot be "
				  "raised: %s",
				port, mtu, had, interface->name, strerror(-rc));
			return rc;
		}
		interface->before.mtu = had;
		log_info("port %s: interface %s has MTU %u instead of %u while vxgate runs", port,
			interface->name, mtu, had);
	}
	return rc < 0 ? rc : set_up(interface, port);
}

static void merging_off(struct kernel_interface *interface, const char *port)
{
	uint32_t value = 0, off = 0;

	if (ethtool_value(interface, ETHTOOL_GGRO, &value) == 0 && value != 0) {
		if (ethtool_value(interface, ETHTOOL_SGRO, &off) == 0)
			interface->before.merged = true;
		else
			log_warning(
				"port %s: interface %s merges packets (GRO) and that cannot be switched off; "
				"merged ones are lost",
				port, interface->name);
	}
	value = 0;
	if (ethtool_value(interface, ETHTOOL_GFLAGS, &value) == 0 && value & ETH_FLAG_LRO) {
		value &= ~(uint32_t)ETH_FLAG_LRO;
		if (ethtool_value(interface, ETHTOOL_SFLAGS, &value) == 0)
			interface->before.merged_hardware = true;
		else
			log_warning(
				"port %s: interface %s merges packets (LRO) and that cannot be switched off; "
				"merged ones are lost",
				port, interface->name);
	}
}

void kernel_interface_keep_packets_whole(struct kernel_interface *interface, const char *port)
{
	int rc = xdp_guard_attach(&interface->guard, interface->index);
	bool others = rc == -EBUSY || rc == -EEXIST; /* keeps the peer from segments as well as ours does */

	if (rc < 0)
		log_warning(
			"port %s: cannot keep the kernel from reassembling fragments on %s (%s); they are "
			"lost when they do not fit the MTU",
			port, interface->name, others ? "it has an XDP program already" : strerror(-rc));
	if (interface->is_veth && !others && !interface->guard.in_driver)
		log_warning("port %s: cannot keep the peer of %s from sending segments larger than its MTU; "
			    "they are lost: ethtool -K PEER tso off gso off",
			port, interface->name);
	merging_off(interface, port); /* after the guard, which may switch it on */
}

int kernel_interface_accept(struct kernel_interface *interface, bool all_macs, bool all_groups)
{
	const struct {
		bool wanted;
		unsigned short type;
	} membership[] = { { all_macs, PACKET_MR_PROMISC }, { all_groups, PACKET_MR_ALLMULTI } };

	for (size_t i = 0; i < sizeof(membership) / sizeof(membership[0]); i++) {
		struct packet_mreq request = { .mr_ifindex = (int)interface->index,
			.mr_type = membership[i].type };
		/* Not the interface's own flag: the kernel ends a membership with its socket, whatever happens. */
		if (membership[i].wanted && setsockopt(interface->socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP,
						    &request, sizeof(request)) < 0)
			return -errno;
	}
	return 0;
}

bool kernel_interface_running(const struct kernel_interface *interface)
{
	struct ifreq argument;

	return control(interface, SIOCGIFFLAGS, &argument) == 0 && argument.ifr_flags & IFF_RUNNING;
}

void kernel_interface_close(struct kernel_interface *interface)
{
	struct ifreq argument;
	uint32_t value = 1;

	if (interface->index == 0)
		return;
	xdp_guard_detach(&interface->guard);
	if (interface->before.merged)
		ethtool_value(interface, ETHTOOL_SGRO, &value);
	if (interface->before.merged_hardware && ethtool_value(interface, ETHTOOL_GFLAGS, &value) == 0) {
		value |= ETH_FLAG_LRO;
		ethtool_value(interface, ETHTOOL_SFLAGS, &value);
	}
	if (interface->before.was_down && control(interface, SIOCGIFFLAGS, &argument) == 0) {
		argument.ifr_flags &= (short)~IFF_UP;
		control(interface, SIOCSIFFLAGS, &argument);
	}
	if (interface->before.mtu != 0) {
		argument.ifr_mtu = (int)interface->before.mtu;
		control(interface, SIOCSIFMTU, &argument);
	}
	close(interface->socket);
	interface->index = 0;
}
