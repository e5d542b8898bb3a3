/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of a port that is DPDK's: queues, offloads, interrupts. */
#include "port/port_private.h"

#include "base/log.h"
#include <errno.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <string.h>

static uint16_t least(uint16_t a, uint16_t b)
{
	return a < b ? a : b;
}

/* Sets port->rx_queues, tx_queues: what is wanted, within what the device has. */
static int choose_queues(
	struct port *port, const struct port_settings *settings, const struct rte_eth_dev_info *info)
{
	uint16_t most = least(info->max_rx_queues, PORT_QUEUES_MAX);

	if (settings->rx_queues > most) {
		log_error("port %s: %u RX queues wanted, the device has %u", port->name, settings->rx_queues,
			most);
		return -ENOTSUP;
	}
	port->rx_queues = settings->rx_queues;
	port->tx_queues = least(settings->tx_queues, least(info->max_tx_queues, PORT_QUEUES_MAX));
	return 0;
}

/* The MTU to tell the driver. On hardware it is a promise; the virtual drivers only name limits of the paper kind
 * (af_packet: 1500), their buffers are sized elsewhere. */
static int choose_mtu(const struct port *port, const struct port_settings *settings,
	const struct rte_eth_dev_info *info, uint32_t *mtu)
{
	uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN, most = info->max_mtu;

	if (info->max_rx_pktlen > overhead && info->max_rx_pktlen - overhead < most)
		most = info->max_rx_pktlen - overhead;
	*mtu = settings->mtu;
	if (*mtu <= most)
		return 0;
	if (!device_is_virtual(&port->string)) {
		log_error("port %s: mtu %u wanted, the device allows %u", port->name, settings->mtu, most);
		return -ENOTSUP;
	}
	*mtu = most;
	return 0;
}

static void choose_offloads(struct port *port, const struct rte_eth_dev_info *info, struct rte_eth_conf *conf)
{
	const uint64_t l4 = RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
	const uint64_t hashed = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP;

	/* A device that hands over half-finished checksums cannot have checked them. */
	if (!port->partial_checksums) {
		port->rx_ip_checksum = info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
		port->rx_l4_checksum = (info->rx_offload_capa & l4) == l4;
	}
	if (port->rx_ip_checksum)
		conf->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
	if (port->rx_l4_checksum)
		conf->rxmode.offloads |= l4;
	if (port->rx_queues > 1 && info->flow_type_rss_offloads & hashed) {
		conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf->rx_adv_conf.rss_conf.rss_hf = info->flow_type_rss_offloads & hashed;
	}
}

static int set_up_queues(struct port *port, const struct port_settings *settings, struct rte_mempool *pool)
{
	uint16_t rx = settings->rx_descriptors, tx = settings->tx_descriptors;
	int socket = rte_eth_dev_socket_id(port->device);
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(port->device, &rx, &tx);

	for (uint16_t queue = 0; rc == 0 && queue < port->rx_queues; queue++)
		rc = rte_eth_rx_queue_setup(port->device, queue, rx, (unsigned)socket, NULL, pool);
	for (uint16_t queue = 0; rc == 0 && queue < port->tx_queues; queue++)
		rc = rte_eth_tx_queue_setup(port->device, queue, tx, (unsigned)socket, NULL);
	return rc;
}

static int start_with(struct port *port, const struct port_settings *settings, struct rte_mempool *pool,
	struct rte_eth_conf *conf, bool interrupts)
{
	int rc;

	conf->intr_conf.rxq = interrupts;
	rc = rte_eth_dev_configure(port->device, port->rx_queues, port->tx_queues, conf);
	if (rc == 0)
		rc = set_up_queues(port, settings, pool);
	if (rc == 0)
		rc = rte_eth_dev_start(port->device);
	port->started = rc == 0;
	port->interrupts = rc == 0 && interrupts;
	return rc;
}

/* Gives fragments back the EtherType that xdp_guard.h has taken from them. */
static uint16_t fragments_unmark(uint16_t device, uint16_t queue, struct rte_mbuf **packets, uint16_t count,
	uint16_t room, void *context)
{
	(void)device, (void)queue, (void)room, (void)context;
	for (uint16_t i = 0; i < count; i++) {
		struct rte_ether_hdr *frame = rte_pktmbuf_mtod(packets[i], struct rte_ether_hdr *);
		if (frame->ether_type == RTE_BE16(XDP_GUARD_FRAGMENT))
			frame->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	}
	return count;
}

static int receive_fragments(const struct port *port)
{
	for (uint16_t queue = 0; queue < port->rx_queues; queue++)
		if (rte_eth_add_rx_callback(port->device, queue, fragments_unmark, NULL) == NULL)
			return -rte_errno;
	return 0;
}

/* The other virtual drivers take the request and have nothing behind it. */
static bool may_interrupt(const struct port *port)
{
	switch (port->string.kind) {
	case DEVICE_PCI:
	case DEVICE_TAP:
	case DEVICE_OTHER:
		return true;
	default:
		return false;
	}
}

int ethernet_device_start(struct port *port, const struct port_settings *settings, struct rte_mempool *pool)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = { 0 };
	int rc = rte_eth_dev_info_get(port->device, &info);

	if (rc == 0)
		rc = choose_queues(port, settings, &info);
	if (rc == 0)
		rc = choose_mtu(port, settings, &info, &conf.rxmode.mtu);
	if (rc < 0)
		return rc;
	choose_offloads(port, &info, &conf);
	rc = -ENOTSUP;
	if (settings->sleeps && may_interrupt(port))
		rc = start_with(port, settings, pool, &conf, true);
	if (rc < 0) /* some devices have no RX interrupts and say so here */
		rc = start_with(port, settings, pool, &conf, false);
	if (rc == 0 && port->string.kind == DEVICE_AF_PACKET && port->kernel.guard.link >= 0)
		rc = receive_fragments(port);
	if (rc < 0)
		log_error("port %s: device %s does not start: %s", port->name, port->string.name,
			strerror(-rc));
	return rc;
}

void ethernet_device_stop(struct port *port)
{
	if (port->started)
		rte_eth_dev_stop(port->device);
	port->started = false;
}

void port_interrupt_enable(uint16_t device, uint16_t queue)
{
	/* -ENOTSUP where the file is readable by itself (net_tap): nothing to arm. */
	rte_eth_dev_rx_intr_enable(device, queue);
}

void port_interrupt_disable(uint16_t device, uint16_t queue)
{
	rte_eth_dev_rx_intr_disable(device, queue);
}
