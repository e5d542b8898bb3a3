/* SPDX-License-Identifier: BSD-3-Clause */
/* DHCP and BOOTP messages (RFC 2131 section 2, RFC 951), network byte order. */
#pragma once

#include <rte_byteorder.h>
#include <stdint.h>

#define DHCP_SERVER_PORT 67 /* of relays too */
#define DHCP_CLIENT_PORT 68

enum { DHCP_REQUEST = 1, DHCP_REPLY = 2 }; /* `operation` */
enum { DHCP_ETHERNET = 1, DHCP_ETHERNET_LENGTH = 6 };

#define DHCP_BROADCAST RTE_BE16(0x8000) /* of `flags`: the client cannot receive unicast yet */
#define DHCP_COOKIE    RTE_BE32(0x63825363)

struct dhcp_message {
	uint8_t operation, hardware_type, hardware_length, hops;
	rte_be32_t transaction;
	rte_be16_t seconds, flags;
	rte_be32_t client, yours, next_server, relay; /* ciaddr, yiaddr, siaddr, giaddr */
	uint8_t hardware[16];                         /* chaddr */
	uint8_t server_name[64], file[128];
	rte_be32_t cookie; /* BOOTP without options has anything here */
	uint8_t options[];
} __attribute__((packed));
_Static_assert(sizeof(struct dhcp_message) == 240, "RFC 2131");

/* What each BOOTP message has at least (RFC 951), and what agents pad to (RFC 1542 section 2.1). */
#define DHCP_LENGTH_MIN 300

enum dhcp_option { DHCP_OPTION_PAD = 0, DHCP_OPTION_AGENT = 82, DHCP_OPTION_END = 255 };
enum dhcp_agent_option { DHCP_AGENT_CIRCUIT_ID = 1, DHCP_AGENT_REMOTE_ID = 2 }; /* RFC 3046 section 3 */
