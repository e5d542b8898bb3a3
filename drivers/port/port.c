/* SPDX-License-Identifier: BSD-3-Clause */
#include "port/port_private.h"

#include "base/log.h"
#include "port/pcap_file.h"
#include "port/socket_finder.h"
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What the kernel puts before a frame in a PACKET_MMAP slot (TPACKET_V2), rounded up, and a VLAN tag behind it. */
#define PACKET_SLOT_OVERHEAD 128u
#define PACKET_SLOT_DEFAULT  2048u

static bool on_kernel_interface(const struct device_string *string)
{
	return string->interface[0] != '\0';
}

/* af_packet copies each frame into a slot of fixed size; a power of two, so that slots fill blocks. */
static unsigned packet_slot_size(const struct device_string *string, uint16_t mtu)
{
	unsigned size = PACKET_SLOT_DEFAULT;
	char given[16];

	if (device_string_argument(string, "framesz", given, sizeof(given)))
		return (unsigned)strtoul(given, NULL, 10);
	while (size < mtu + RTE_ETHER_HDR_LEN + PACKET_SLOT_OVERHEAD)
		size *= 2;
	return size;
}

uint16_t port_buffer_size(const struct port_settings *settings)
{
	unsigned frame = settings->mtu + RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN + RTE_VLAN_HLEN;
	struct device_string string;

	/* The af_packet driver wants room for a whole slot. */
	if (device_string_parse(settings->device, &string) == 0 && string.kind == DEVICE_AF_PACKET)
		frame = packet_slot_size(&string, settings->mtu);
	return (uint16_t)(RTE_PKTMBUF_HEADROOM + RTE_MAX(frame, (unsigned)RTE_MBUF_DEFAULT_DATAROOM));
}

uint32_t port_buffers_kept(const struct port_settings *settings)
{
	struct device_string string;

	return device_string_parse(settings->device, &string) == 0 ? pcap_device_buffers(&string) : 0;
}

/* Arguments the user left open and the defaults of the driver are not right for. */
static int complete_arguments(struct device_string *string, const struct port_settings *settings)
{
	int rc = 0;

	if (string->kind == DEVICE_AF_PACKET) {
		unsigned slot = packet_slot_size(string, settings->mtu);
		rc |= device_string_default(string, "framesz", slot);
		rc |= device_string_default(string, "blocksz", RTE_MAX(slot, 4096u));
		/* The driver's 512 are full after half a millisecond of a fast sender. Whole blocks of slots. */
		rc |= device_string_default(
			string, "framecnt", RTE_ALIGN_CEIL(settings->rx_descriptors, 16u));
		rc |= device_string_default(string, "qpairs", settings->rx_queues);
	} else if (string->kind == DEVICE_AF_XDP) {
		rc |= device_string_default(string, "queue_count", settings->rx_queues);
	}
	return rc;
}

static int prepare_kernel_interface(struct port *port, const struct port_settings *settings)
{
	int rc = kernel_interface_open(&port->kernel, port->name, port->string.interface);

	if (rc == 0)
		rc = kernel_interface_bring_up(&port->kernel, port->name, settings->mtu);
	/* An AF_XDP socket brings an XDP program of its own. */
	if (rc == 0 && port->string.kind == DEVICE_AF_PACKET)
		kernel_interface_keep_packets_whole(&port->kernel, port->name);
	return rc;
}

static int attach_device(struct port *port)
{
	const char *name = port->string.name;
	int rc;

	if (device_is_virtual(&port->string)) {
		if (rte_eth_dev_get_port_by_name(name, &port->device) == 0) {
			log_error("port %s: device name %s is another port's already", port->name, name);
			return -EEXIST;
		}
		rc = rte_eal_hotplug_add("vdev", name, port->string.arguments);
		if (rc < 0) {
			log_error("port %s: device %s with arguments \"%s\" does not come up: %s", port->name,
				name, port->string.arguments, strerror(-rc));
			return rc;
		}
		port->attached = true;
	}
	rc = rte_eth_dev_get_port_by_name(name, &port->device);
	if (rc < 0) {
		log_error("port %s: DPDK has no device %s%s", port->name, name,
			port->attached ? "" : ": is it there, and bound to vfio-pci?");
		return rc;
	}
	port->attached = true;
	return 0;
}

/* A locally administered address that stays the same from start to start. */
static void mac_of_name(const char *name, struct rte_ether_addr *mac)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	*mac = (struct rte_ether_addr){ { 0x02, 0x76, (uint8_t)(hash >> 24), (uint8_t)(hash >> 16),
		(uint8_t)(hash >> 8), (uint8_t)hash } };
}

/* Decides the port's MAC and sees to it that frames for it come in. */
static int settle_mac(struct port *port, const struct port_settings *settings)
{
	struct rte_ether_addr own;
	int rc = rte_eth_macaddr_get(port->device, &own);

	if (rc < 0)
		return rc;
	port->mac = settings->has_mac ? settings->mac : own;
	if (!settings->has_mac && port->string.kind == DEVICE_TAP)
		port->mac.addr_bytes[5] ^= 1; /* the kernel's end of the tap has the device's */
	if (rte_is_zero_ether_addr(&port->mac))
		mac_of_name(port->name, &port->mac);
	bool other = !rte_is_same_ether_addr(&port->mac, &own);
	if (port->kernel.index != 0)
		return kernel_interface_accept(&port->kernel, other, settings->all_groups);
	if (settings->all_groups)
		rte_eth_allmulticast_enable(
			port->device); /* where it is not supported, all frames come anyway */
	if (!other)
		return 0;
	if (!device_is_virtual(&port->string) &&
		rte_eth_dev_default_mac_addr_set(port->device, &port->mac) == 0)
		return 0;
	rc = rte_eth_promiscuous_enable(port->device);
	return rc == -ENOTSUP && device_is_virtual(&port->string) ? 0 : rc;
}

static void find_wake_sources(
	struct port *port, const struct port_settings *settings, const struct open_files *before)
{
	int sockets[PORT_QUEUES_MAX];
	int domain = port->string.kind == DEVICE_AF_XDP ? AF_XDP : AF_PACKET;
	size_t found = 0;

	if (port->kernel.index != 0)
		found = socket_find_new(before, domain, port->kernel.index, sockets, PORT_QUEUES_MAX);
	for (size_t i = 0; i < found && port->string.kind == DEVICE_AF_PACKET; i++)
		packet_socket_ignore_outgoing(sockets[i]);
	for (uint16_t queue = 0; queue < port->rx_queues; queue++) {
		struct port_wake *wake = &port->wake[queue];
		wake->fd = -1;
		if (!settings->sleeps)
			continue;
		if (port->interrupts) {
			wake->fd = rte_eth_dev_rx_intr_ctl_q_get_fd(port->device, queue);
			wake->interrupt = wake->fd >= 0;
		}
		if (wake->fd < 0 && queue < found)
			wake->fd = sockets[queue];
	}
}

int port_start(struct port *port, const struct port_settings *settings, struct rte_mempool *pool)
{
	struct open_files before;
	int rc;

	memset(port, 0, sizeof(*port));
	port->name = settings->name;
	port->mtu = settings->mtu;
	rc = device_string_parse(settings->device, &port->string);
	if (rc == 0)
		rc = complete_arguments(&port->string, settings);
	if (rc < 0) {
		log_error(
			"port %s: \"%s\" is no device string that DPDK takes", port->name, settings->device);
		return rc;
	}
	port->partial_checksums = on_kernel_interface(&port->string);
	if (on_kernel_interface(&port->string))
		rc = prepare_kernel_interface(port, settings);
	open_files_list(&before);
	if (rc == 0)
		rc = attach_device(port);
	if (rc == 0)
		rc = ethernet_device_start(port, settings, pool);
	if (rc == 0) {
		rc = settle_mac(port, settings);
		if (rc < 0)
			log_error("port %s: cannot receive for its MAC: %s", port->name, strerror(-rc));
	}
	if (rc == 0)
		find_wake_sources(port, settings, &before);
	else
		port_stop(port);
	return rc;
}

void port_stop(struct port *port)
{
	struct rte_eth_dev_info info;

	ethernet_device_stop(port);
	if (port->attached) {
		struct rte_device *device =
			rte_eth_dev_info_get(port->device, &info) == 0 ? info.device : NULL;
		rte_eth_dev_close(port->device);
		if (device != NULL)
			rte_dev_remove(device);
		port->attached = false;
	}
	kernel_interface_close(&port->kernel);
}

bool port_is_gone(const struct port *port)
{
	char name[IF_NAMESIZE];

	return port->kernel.index != 0 && if_indextoname((unsigned)port->kernel.index, name) == NULL;
}

bool port_link_up(const struct port *port)
{
	struct rte_eth_link link;

	/* The drivers on kernel interfaces say "up" whatever the cable does. */
	if (port->kernel.index != 0)
		return kernel_interface_running(&port->kernel);
	return rte_eth_link_get_nowait(port->device, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}
