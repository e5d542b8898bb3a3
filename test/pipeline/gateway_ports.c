/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway_ports.h"

#include "packet/packet_metadata.h"
#include <errno.h>
#include <rte_bus_vdev.h>
#include <rte_debug.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_thash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_BUFFERS  8191
#define CONTROL_BUFFERS 1023

static struct rte_ring *ring_make(
	unsigned serial, const char *side, uint16_t port, uint16_t queue, unsigned size)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "%s.%u.%u.%u", side, serial, port, queue);
	struct rte_ring *ring =
		rte_ring_create(name, size, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
	if (ring == NULL)
		rte_exit(EXIT_FAILURE, "no memory for the ring %s\n", name);
	return ring;
}

static struct rte_mempool *pool_make(unsigned serial, const char *kind, unsigned count)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "%s.%u", kind, serial);
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		name, count, 0, PACKET_PRIVATE_SIZE, RTE_PKTMBUF_HEADROOM + FRAME_MAX + 128, SOCKET_ID_ANY);
	if (pool == NULL)
		rte_exit(EXIT_FAILURE, "no memory for packets\n");
	return pool;
}

static void port_make(struct gateway_ports *ports, uint16_t at, const struct config_port *settings)
{
	struct rte_eth_conf none = { 0 };
	char name[32];

	snprintf(name, sizeof(name), "%u.%u", ports->serial, at);
	for (uint16_t q = 0; q < ports->queues; q++) {
		ports->port[at].rx[q] = ring_make(ports->serial, "rx", at, q, settings->rx_descriptors);
		ports->port[at].tx[q] = ring_make(ports->serial, "tx", at, q, settings->tx_descriptors);
	}
	int device = rte_eth_from_rings(
		name, ports->port[at].rx, ports->queues, ports->port[at].tx, ports->queues, 0);
	if (device < 0 || rte_eth_dev_configure((uint16_t)device, ports->queues, ports->queues, &none) < 0)
		rte_exit(EXIT_FAILURE, "cannot make a port of rings\n");
	ports->port[at].device = (uint16_t)device;
	for (uint16_t q = 0; q < ports->queues; q++)
		if (rte_eth_rx_queue_setup((uint16_t)device, q, 512, 0, NULL, ports->packets) < 0 ||
			rte_eth_tx_queue_setup((uint16_t)device, q, 512, 0, NULL) < 0)
			rte_exit(EXIT_FAILURE, "cannot set up a queue of a ring port\n");
	if (rte_eth_dev_start((uint16_t)device) < 0)
		rte_exit(EXIT_FAILURE, "cannot start a ring port\n");
}

struct gateway_ports *gateway_ports_create(const struct config *config, uint16_t queues)
{
	static unsigned serials;
	struct gateway_ports *ports = calloc(1, sizeof(*ports));

	if (ports == NULL || config->port_count > PORTS_MAX || queues > QUEUES_MAX)
		rte_exit(EXIT_FAILURE, "too many ports or queues\n");
	ports->serial = serials++;
	ports->queues = queues;
	ports->count = (uint16_t)config->port_count;
	ports->packets = pool_make(ports->serial, "packets", PACKET_BUFFERS);
	ports->control = pool_make(ports->serial, "control", CONTROL_BUFFERS);
	for (uint16_t i = 0; i < ports->count; i++)
		port_make(ports, i, &config->port[i]);
	return ports;
}

static void ring_free(struct rte_ring *ring)
{
	void *m;

	while (rte_ring_dequeue(ring, &m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(ring);
}

unsigned gateway_ports_destroy(struct gateway_ports *ports)
{
	for (uint16_t i = 0; i < ports->count; i++) {
		char name[RTE_ETH_NAME_MAX_LEN];

		rte_eth_dev_get_name_by_port(ports->port[i].device, name);
		rte_eth_dev_stop(ports->port[i].device);
		rte_vdev_uninit(name);
		for (uint16_t q = 0; q < ports->queues; q++) {
			ring_free(ports->port[i].rx[q]);
			ring_free(ports->port[i].tx[q]);
		}
	}
	unsigned lost = rte_mempool_in_use_count(ports->packets) + rte_mempool_in_use_count(ports->control);
	rte_mempool_free(ports->packets);
	rte_mempool_free(ports->control);
	free(ports);
	return lost;
}

static struct rte_mbuf *buffer_of(struct gateway_ports *ports, const uint8_t *bytes, uint16_t length)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(ports->packets);

	if (m == NULL)
		rte_exit(EXIT_FAILURE, "the test's packet pool is empty\n");
	memset(packet_metadata(m), 0xa5, sizeof(struct packet_metadata)); /* as left by the last packet */
	memcpy(rte_pktmbuf_append(m, length), bytes, length);
	return m;
}

int gateway_ports_by_rss(void *ports, uint16_t port, enum port_rss kind, uint8_t *key, uint8_t key_size,
	const uint16_t *queue, uint16_t table_size)
{
	struct gateway_ports *of = ports;

	if (key_size != RSS_KEY || table_size != RSS_TABLE)
		rte_exit(EXIT_FAILURE, "a key or table of the wrong size\n");
	of->port[port].rss.on = true;
	of->port[port].rss.kind = kind;
	memcpy(of->port[port].rss.key, key, key_size);
	memcpy(of->port[port].rss.queue, queue, table_size * sizeof(queue[0]));
	return 0;
}

int gateway_ports_by_rules(void *ports, uint16_t port, const struct port_steering_rule *rules, uint32_t count,
	char *reason, size_t size)
{
	(void)ports, (void)port, (void)rules, (void)count;
	snprintf(reason, size, "rings take none");
	return -ENOTSUP;
}

/* What RSS does not look at, ICMP from outside say, goes where a hash of 0 does. */
static uint16_t queue_of_rss(const struct gateway_ports *ports, uint16_t port, const struct frame *frame,
	const struct frame_view *view)
{
	uint32_t tuple[3] = { 0 }, hash = 0;

	if (ports->port[port].rss.kind == PORT_RSS_INNER_SOURCE) {
		tuple[0] = frame_get32(frame, (uint16_t)(view->ip + 12));
	} else if (view->l4 != 0 && !view->fragment && (view->protocol == 6 || view->protocol == 17)) {
		tuple[1] = frame_get32(frame, (uint16_t)(view->ip + 16));
		tuple[2] = frame_get16(frame, (uint16_t)(view->l4 + 2));
	}
	hash = rte_softrss(tuple, 3, (const uint8_t *)ports->port[port].rss.key);
	return ports->port[port].rss.queue[hash % RSS_TABLE];
}

/* Fragments have no ports, so they are spread by address alone. */
static uint16_t queue_of(const struct gateway_ports *ports, uint16_t port, const struct frame *frame)
{
	struct frame_view view;
	uint32_t hash;

	if (frame_check(frame, 4789, &view) != NULL || view.ip == 0)
		return 0;
	if (ports->port[port].rss.on)
		return queue_of_rss(ports, port, frame, &view);
	hash = frame_get32(frame, (uint16_t)(view.ip + 12)) ^ frame_get32(frame, (uint16_t)(view.ip + 16));
	if (view.l4 != 0 && !view.fragment)
		hash ^= frame_get32(frame, view.l4);
	hash ^= hash >> 16;
	return (uint16_t)((hash ^ hash >> 8) % ports->queues);
}

bool gateway_ports_send(struct gateway_ports *ports, uint16_t port, const struct frame *frame,
	uint16_t headroom, bool two_buffers)
{
	uint16_t first = two_buffers ? frame->length / 2 : frame->length;
	struct rte_mbuf *m = buffer_of(ports, frame->bytes, first);

	if (two_buffers)
		rte_pktmbuf_chain(
			m, buffer_of(ports, &frame->bytes[first], (uint16_t)(frame->length - first)));
	if (headroom != 0) {
		memmove((char *)m->buf_addr + headroom, rte_pktmbuf_mtod(m, void *), first);
		m->data_off = headroom;
	}
	m->port = ports->port[port].device;
	if (rte_ring_enqueue(ports->port[port].rx[queue_of(ports, port, frame)], m) == 0)
		return true;
	rte_pktmbuf_free(m);
	return false;
}

bool gateway_ports_receive(struct gateway_ports *ports, uint16_t port, struct frame *frame)
{
	for (uint16_t q = 0; q < ports->queues; q++) {
		void *sent;

		if (rte_ring_dequeue(ports->port[port].tx[q], &sent) != 0)
			continue;
		struct rte_mbuf *m = sent;
		if (m->pkt_len > FRAME_MAX || m->nb_segs != 1 || m->pkt_len != m->data_len)
			rte_exit(EXIT_FAILURE, "a frame of %u bytes in %u buffers left the gateway\n",
				m->pkt_len, m->nb_segs);
		frame->length = m->data_len;
		memcpy(frame->bytes, rte_pktmbuf_mtod(m, void *), m->data_len);
		rte_pktmbuf_free(m);
		return true;
	}
	return false;
}
