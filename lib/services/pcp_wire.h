/* SPDX-License-Identifier: BSD-3-Clause */
/* Port Control Protocol (RFC 6887) and NAT-PMP (RFC 6886), which share a port. Network byte order. */
#pragma once

#include <rte_byteorder.h>
#include <stdint.h>

#define PCP_PORT        5351
#define PCP_CLIENT_PORT 5350 /* where all clients hear announcements, at 224.0.0.1 */
#define PCP_LENGTH_MAX  1100 /* RFC 6887 section 7 */
#define PCP_RESPONSE    0x80 /* of `opcode` */

enum { PCP_VERSION = 2, NAT_PMP_VERSION = 0 };
enum pcp_opcode { PCP_ANNOUNCE, PCP_MAP, PCP_PEER };

enum pcp_result { /* RFC 6887 section 7.4 */
	PCP_SUCCESS,
	PCP_UNSUPP_VERSION,
	PCP_NOT_AUTHORIZED,
	PCP_MALFORMED_REQUEST,
	PCP_UNSUPP_OPCODE,
	PCP_UNSUPP_OPTION,
	PCP_MALFORMED_OPTION,
	PCP_NETWORK_FAILURE,
	PCP_NO_RESOURCES,
	PCP_UNSUPP_PROTOCOL,
	PCP_USER_EX_QUOTA,
	PCP_CANNOT_PROVIDE_EXTERNAL,
	PCP_ADDRESS_MISMATCH,
	PCP_EXCESSIVE_REMOTE_PEERS,
};

enum pcp_option { PCP_OPTION_THIRD_PARTY = 1, PCP_OPTION_PREFER_FAILURE, PCP_OPTION_FILTER };
#define PCP_OPTION_OPTIONAL 0x80 /* of a code: who does not know it goes on without */

struct pcp_address { /* IPv4 is ::ffff:a.b.c.d (section 5) */
	rte_be32_t high[3], v4;
} __attribute__((packed));

struct pcp_header {
	uint8_t version, opcode;
	uint8_t reserved, result; /* a request has 0 */
	rte_be32_t lifetime;
	union {
		struct pcp_address client; /* request */
		struct {
			rte_be32_t epoch;
			uint8_t zero[12];
		}; /* response */
	};
} __attribute__((packed));
_Static_assert(sizeof(struct pcp_header) == 24, "RFC 6887 section 7.1");

struct pcp_map {
	uint8_t nonce[12];
	uint8_t protocol, reserved[3];
	rte_be16_t inside_port, outside_port;
	struct pcp_address outside;
} __attribute__((packed));
_Static_assert(sizeof(struct pcp_map) == 36, "RFC 6887 section 11.1");

struct pcp_peer {
	struct pcp_map map;
	rte_be16_t remote_port;
	uint8_t reserved[2];
	struct pcp_address remote;
} __attribute__((packed));
_Static_assert(sizeof(struct pcp_peer) == 56, "RFC 6887 section 12.1");

struct pcp_option_header {
	uint8_t code, reserved;
	rte_be16_t length; /* of the data, which is padded to a multiple of 4 */
} __attribute__((packed));

enum nat_pmp_opcode { NAT_PMP_ADDRESS, NAT_PMP_MAP_UDP, NAT_PMP_MAP_TCP };
enum nat_pmp_result {
	NAT_PMP_SUCCESS,
	NAT_PMP_UNSUPP_VERSION,
	NAT_PMP_NOT_AUTHORIZED,
	NAT_PMP_NETWORK_FAILURE,
	NAT_PMP_NO_RESOURCES,
	NAT_PMP_UNSUPP_OPCODE,
};

struct nat_pmp_map_request {
	uint8_t version, opcode;
	rte_be16_t reserved;
	rte_be16_t inside_port, outside_port;
	rte_be32_t lifetime;
} __attribute__((packed));

struct nat_pmp_response {
	uint8_t version, opcode;
	rte_be16_t result;
	rte_be32_t epoch;
	union {
		rte_be32_t outside;
		struct {
			rte_be16_t inside_port, outside_port;
			rte_be32_t lifetime;
		};
	};
} __attribute__((packed));
#define NAT_PMP_RESPONSE_SHORT   8 /* an error without more to say */
#define NAT_PMP_RESPONSE_ADDRESS 12
#define NAT_PMP_RESPONSE_MAP     16
_Static_assert(sizeof(struct nat_pmp_response) == NAT_PMP_RESPONSE_MAP, "RFC 6886 section 3.3");
