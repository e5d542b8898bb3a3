/* SPDX-License-Identifier: BSD-3-Clause */
/* Bringing a port up: from a device string to a DPDK device that receives and sends, and back. Whatever it changes
 * on a kernel interface on the way is put back by port_stop. Management thread only, but for port_interrupt_*. */
#pragma once

#include "packet/packet_metadata.h"
#include "port/device_string.h"
#include "port/kernel_interface.h"
#include <rte_ether.h>
#include <rte_mempool.h>
#include <stdbool.h>
#include <stdint.h>

#define PORT_QUEUES_MAX 64

struct port_settings {
	const char *name;   /* of the port, for messages; stays while the port runs */
	const char *device; /* device string */
	uint16_t mtu;
	bool has_mac;
	struct rte_ether_addr mac;
	uint16_t rx_queues;
	uint16_t tx_queues; /* wanted; a device may offer fewer */
	uint16_t rx_descriptors, tx_descriptors;
	bool all_groups; /* multicast of any group */
	bool sleeps;     /* lcores will sleep on it: look for RX interrupts or files */
};

/* How a lcore may sleep until a queue has packets. */
struct port_wake {
	int fd; /* -1: there is nothing to sleep on */
	bool interrupt; /* an RX interrupt: edge triggered, armed by port_interrupt_enable; else a plain readable file */
};

struct port {
	const char *name;
	uint16_t device; /* DPDK port id */
	uint16_t mtu;
	struct rte_ether_addr mac;
	uint16_t rx_queues, tx_queues;
	bool partial_checksums; /* may deliver half-finished L4 checksums (packet/checksum.h) */
	bool rx_ip_checksum, rx_l4_checksum;
	struct port_wake wake[PORT_QUEUES_MAX]; /* by RX queue */

	struct device_string string;
	struct kernel_interface kernel; /* index 0: not on a kernel interface */
	bool attached, started, interrupts;
};

/* Bytes of data room that a buffer needs, headroom included, for what the port receives. */
uint16_t port_buffer_size(const struct port_settings *settings);

/* Buffers of the pool that the device keeps for itself, beside what its queues hold. */
uint32_t port_buffers_kept(const struct port_settings *settings);

/* 0 or -errno; the reason is logged, and nothing is left behind. The pool's private area is PACKET_PRIVATE_SIZE. */
int port_start(struct port *port, const struct port_settings *settings, struct rte_mempool *pool);
void port_stop(struct port *port);

bool port_link_up(const struct port *port);
/* The kernel interface it was brought up on no longer exists, though another may have its name. */
bool port_is_gone(const struct port *port);

/* The packet lcore, around its sleep. */
void port_interrupt_enable(uint16_t device, uint16_t queue);
void port_interrupt_disable(uint16_t device, uint16_t queue);
