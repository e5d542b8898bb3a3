/* SPDX-License-Identifier: BSD-3-Clause */
/* IPFIX messages (RFC 7011 section 3), and those information elements of IANA's registry that RFC 8158 section 5.2 logs
 * NAT with. All in network byte order. */
#pragma once

#include <rte_byteorder.h>
#include <stdint.h>

#define IPFIX_VERSION         10
#define IPFIX_SET_TEMPLATE    2
#define IPFIX_TEMPLATE_FIRST  256
#define IPFIX_VARIABLE_LENGTH 65535

struct ipfix_message_header {
	rte_be16_t version;
	rte_be16_t length; /* of the message, this header included */
	rte_be32_t export_time;
	rte_be32_t sequence; /* data records sent before this message */
	rte_be32_t domain;
} __attribute__((packed));
_Static_assert(sizeof(struct ipfix_message_header) == 16, "RFC 7011 section 3.1");

struct ipfix_set_header {
	rte_be16_t id;     /* 2: templates; from 256 on: data of that template */
	rte_be16_t length; /* of the set, this header included */
} __attribute__((packed));
_Static_assert(sizeof(struct ipfix_set_header) == 4, "RFC 7011 section 3.3.2");

struct ipfix_template_header {
	rte_be16_t id, fields;
} __attribute__((packed));
_Static_assert(sizeof(struct ipfix_template_header) == 4, "RFC 7011 section 3.4.1");

struct ipfix_field {
	rte_be16_t element, length;
} __attribute__((packed));
_Static_assert(sizeof(struct ipfix_field) == 4, "RFC 7011 section 3.2");

enum ipfix_element {
	IPFIX_PROTOCOL_IDENTIFIER = 4,
	IPFIX_SOURCE_TRANSPORT_PORT = 7,
	IPFIX_SOURCE_IPV4_ADDRESS = 8,
	IPFIX_DESTINATION_TRANSPORT_PORT = 11,
	IPFIX_DESTINATION_IPV4_ADDRESS = 12,
	IPFIX_POST_NAT_SOURCE_IPV4_ADDRESS = 225,
	IPFIX_POST_NAPT_SOURCE_TRANSPORT_PORT = 227,
	IPFIX_NAT_EVENT = 230,
	IPFIX_INGRESS_VRFID = 234,
	IPFIX_NAT_POOL_NAME = 284,
	IPFIX_OBSERVATION_TIME_MILLISECONDS = 323,
	IPFIX_LAYER2_SEGMENT_ID = 351,
	IPFIX_PORT_RANGE_START = 361,
	IPFIX_PORT_RANGE_END = 362,
	IPFIX_NAT_QUOTA_EXCEEDED_EVENT = 466,
	IPFIX_NAT_THRESHOLD_EVENT = 467,
	IPFIX_ADDRESS_POOL_HIGH_THRESHOLD = 476,
};

/* layer2SegmentId: the encapsulation in the highest byte, the VNI in the lowest three. */
#define IPFIX_LAYER2_VXLAN (UINT64_C(1) << 56)

enum ipfix_nat_event { /* RFC 8158 section 5.3 */
	IPFIX_NAT44_SESSION_CREATE = 4,
	IPFIX_NAT44_SESSION_DELETE = 5,
	IPFIX_NAT44_BIB_CREATE = 8,
	IPFIX_NAT44_BIB_DELETE = 9,
	IPFIX_NAT_PORTS_EXHAUSTED = 12,
	IPFIX_NAT_QUOTA_EXCEEDED = 13,
	IPFIX_NAT_PORT_BLOCK_ALLOCATION = 16,
	IPFIX_NAT_PORT_BLOCK_DEALLOCATION = 17,
	IPFIX_NAT_THRESHOLD = 18,
};

enum ipfix_quota_exceeded { IPFIX_QUOTA_SESSION_ENTRIES = 1, IPFIX_QUOTA_ENTRIES_PER_USER = 3 };
enum ipfix_threshold { IPFIX_THRESHOLD_POOL_HIGH = 1 };
