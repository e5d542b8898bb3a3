/* SPDX-License-Identifier: BSD-3-Clause */
/* IGMP version 2 (RFC 2236 section 2), in an IPv4 header with the Router Alert option (RFC 2113). */
#pragma once

#include <rte_ether.h>
#include <rte_ip.h>
#include <stdint.h>

struct igmp_message {
	uint8_t type;              /* enum igmp_type */
	uint8_t max_response_time; /* tenths of a second; 0 from a version 1 querier */
	uint16_t checksum;
	rte_be32_t group; /* 0: a general query */
} __attribute__((packed));
_Static_assert(sizeof(struct igmp_message) == 8, "RFC 2236 section 2");

enum igmp_type { IGMP_QUERY = 0x11, IGMP_REPORT_V1 = 0x12, IGMP_REPORT_V2 = 0x16, IGMP_LEAVE = 0x17 };

struct igmp_frame {
	struct rte_ether_hdr ethernet;
	struct rte_ipv4_hdr ip;
	rte_be32_t router_alert;
	struct igmp_message igmp;
} __attribute__((packed));
_Static_assert(sizeof(struct igmp_frame) == 46, "Ethernet, IPv4 with one option, IGMP");

#define IP_OPTION_ROUTER_ALERT RTE_BE32(0x94040000)
#define IGMP_ALL_ROUTERS       RTE_BE32(0xe0000002)
