/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports whose two sides are rings: net_ring devices for the gateway, the rings themselves for the test. */
#pragma once

#include "frame.h"
#include "management/config.h"
#include "port/port_steering.h"
#include <rte_mbuf.h>
#include <rte_ring.h>

#define PORTS_MAX  4
#define QUEUES_MAX 2
#define RSS_TABLE  128 /* entries */
#define RSS_KEY    52  /* bytes */

struct gateway_ports {
	uint16_t count, queues;
	unsigned serial;
	struct {
		uint16_t device;
		struct rte_ring *rx[QUEUES_MAX], *tx[QUEUES_MAX];
		struct {
			bool on;
			enum port_rss kind;
			uint32_t key[RSS_KEY / 4];
			uint16_t queue[RSS_TABLE];
		} rss;
	} port[PORTS_MAX];
	struct rte_mempool *packets, *control;
};

/* Exits on failure. The rings have as many places as the configuration gives descriptors. */
struct gateway_ports *gateway_ports_create(const struct config *config, uint16_t queues);
/* Returns how many buffers were not given back. */
unsigned gateway_ports_destroy(struct gateway_ports *ports);
/* As struct steering_device says: from then on, packets come to the queue that the hash of DPDK's RSS in software says. The
 * ports take no rules. */
int gateway_ports_by_rss(void *ports, uint16_t port, enum port_rss kind, uint8_t *key, uint8_t key_size,
	const uint16_t *queue, uint16_t table_size);
int gateway_ports_by_rules(void *ports, uint16_t port, const struct port_steering_rule *rules, uint32_t count,
	char *reason, size_t size);
/* All packets of a flow take one receive queue, as with RSS. False when it is full. */
bool gateway_ports_send(struct gateway_ports *ports, uint16_t port, const struct frame *frame,
	uint16_t headroom, bool two_buffers);
/* The next frame that was sent on the port, taken off its rings; false when there is none. */
bool gateway_ports_receive(struct gateway_ports *ports, uint16_t port, struct frame *frame);
