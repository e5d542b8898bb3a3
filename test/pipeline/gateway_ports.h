/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports whose two sides are rings: net_ring devices for the gateway, the rings themselves for the test. */
#pragma once

#include "frame.h"
#include "management/config.h"
#include <rte_mbuf.h>
#include <rte_ring.h>

#define PORTS_MAX  4
#define QUEUES_MAX 2

struct gateway_ports {
	uint16_t count, queues;
	unsigned serial;
	struct {
		uint16_t device;
		struct rte_ring *rx[QUEUES_MAX], *tx[QUEUES_MAX];
	} port[PORTS_MAX];
	struct rte_mempool *packets, *control;
};

/* Exits on failure. The rings have as many places as the configuration gives descriptors. */
struct gateway_ports *gateway_ports_create(const struct config *config, uint16_t queues);
/* Returns how many buffers were not given back. */
unsigned gateway_ports_destroy(struct gateway_ports *ports);
/* All packets of a flow take one receive queue, as with RSS. False when it is full. */
bool gateway_ports_send(struct gateway_ports *ports, uint16_t port, const struct frame *frame,
	uint16_t headroom, bool two_buffers);
/* The next frame that was sent on the port, taken off its rings; false when there is none. */
bool gateway_ports_receive(struct gateway_ports *ports, uint16_t port, struct frame *frame);
