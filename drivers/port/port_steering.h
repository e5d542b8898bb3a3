/* SPDX-License-Identifier: BSD-3-Clause */
/* Telling a device which packets to bring to which queue: by RSS or by rules of rte_flow. Management thread, once the port
 * has started and before packets are taken. */
#pragma once

#include "port/port.h"

struct port_steering_facts { /* what the device says of itself */
	bool software;       /* a virtual device: packets come as the kernel or a peer spreads them */
	bool inner_source;   /* RSS by the source address of inner headers */
	bool destination;    /* RSS by destination address and port of TCP and UDP */
	uint16_t table_size; /* entries of the indirection table, a power of two; 0: none that can be set */
	uint8_t key_size;    /* bytes */
};
void port_steering_facts(const struct port *port, struct port_steering_facts *facts);

#define PORT_RSS_TABLE_MAX 2048u /* entries */
enum port_rss { PORT_RSS_INNER_SOURCE, PORT_RSS_DESTINATION };
/* `queue`: of each entry of the indirection table. 0 or -errno. */
int port_steer_by_rss(const struct port *port, enum port_rss kind, uint8_t *key, uint8_t key_size,
	const uint16_t *queue, uint16_t table_size);

struct port_steering_rule { /* TCP or UDP to these destinations come to the queue */
	rte_be32_t address, address_mask;
	rte_be16_t port, port_mask;
	uint8_t protocol; /* 0: any protocol, whatever the port */
	uint16_t queue;
	uint32_t priority; /* the lower goes first */
};
/* All of them or none. 0 or -errno, with what the device says in `reason`. They go when the port stops. */
int port_steer_by_rules(const struct port *port, const struct port_steering_rule *rules, uint32_t count,
	char *reason, size_t size);
