/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP to and from our own addresses, for the services of the segments. */
#pragma once

#include "slowpath/slowpath_private.h"
#include <rte_udp.h>

#define UDP_LOCAL_MAX 1472u /* bytes of a message: what fits 1500 */

struct udp_headers {
	struct rte_ipv4_hdr ip;
	struct rte_udp_hdr udp;
} __attribute__((packed));

struct udp_addresses {
	rte_be32_t source, destination;
	uint16_t source_port, destination_port; /* host byte order */
};

/* A datagram that came in, its lengths and its checksum checked. */
struct udp_local {
	rte_be32_t source, destination;
	uint16_t source_port, destination_port; /* host byte order */
	const uint8_t *data;
	uint16_t length; /* of the data */
};

/* What came to an address of ours, or to all of a segment. The packet is the callee's. */
void udp_input(struct slowpath *slowpath, struct rte_mbuf *m, uint16_t header_length, uint16_t length);
void broadcast_input(struct slowpath *slowpath, struct rte_mbuf *m);

/* Fills in all of both headers, with checksums, for `length` bytes that follow them. */
void udp_headers_fill(struct udp_headers *headers, const struct udp_addresses *addresses, uint16_t length);
/* A whole packet, ready to be injected towards a next hop; NULL when the pool is empty (counted). */
struct rte_mbuf *udp_packet(
	struct slowpath *slowpath, const struct udp_addresses *addresses, const void *data, uint16_t length);

/* ---- the services: false when the datagram is none of theirs ---- */
/* port_control_input.c */
bool port_control_input(struct slowpath *slowpath, struct rte_mbuf *m, const struct udp_local *udp);
bool dhcp_input(
	struct slowpath *slowpath, struct rte_mbuf *m, const struct udp_local *udp); /* dhcp_input.c */
