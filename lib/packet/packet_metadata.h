/* SPDX-License-Identifier: BSD-3-Clause */
/* What the stages know of a packet, one cache line in the private area of each mbuf. Written by the stage that
 * finds a fact out, read by the stages after it; travels with the packet through rings.
 *
 * At every stage the data of the mbuf starts with an Ethernet header without VLAN tag, so the IP header is always
 * at offset 14: vxlan_decap removes the outer headers, vxlan_encap puts new ones before the inner frame. */
#pragma once

#include <rte_byteorder.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

/* A layer 3 interface: a port (0 to PORT_MAX-1) or a segment (PORT_MAX + segment index). */
typedef uint16_t interface_id;
#define PORT_MAX       32u
#define SEGMENT_MAX    32768u
#define INTERFACE_NONE UINT16_MAX

static inline int interface_is_segment(interface_id id)
{
	return id >= PORT_MAX && id != INTERFACE_NONE;
}
static inline interface_id interface_of_segment(uint16_t segment)
{
	return (interface_id)(PORT_MAX + segment);
}
static inline uint16_t segment_of_interface(interface_id id)
{
	return (uint16_t)(id - PORT_MAX);
}

#define L3_OFFSET  ((uint16_t)sizeof(struct rte_ether_hdr)) /* 14 */
#define INDEX_NONE UINT32_MAX

enum packet_flag {
	PACKET_FROM_TUNNEL = 1 << 0, /* came in VXLAN: tunnel and ingress are those of the segment */
	PACKET_PARTIAL_CHECKSUM =
		1 << 1,                 /* the port may deliver half-finished L4 checksums (see checksum.h) */
	PACKET_FRAGMENT = 1 << 2,       /* a fragment: more to come, or an offset */
	PACKET_LATER_FRAGMENT = 1 << 3, /* a fragment without the L4 header */
	PACKET_LOCAL_ORIGIN = 1 << 4,   /* made by the management side, injected */
	PACKET_TO_SELF = 1 << 5,        /* for an address of the gateway itself unless NAT wants it */
	PACKET_NAT_MISS = 1 << 6,       /* NAT looked and had nothing for it */
	PACKET_INNER_READY = 1 << 7,    /* injected: tunnel is set and the inner Ethernet header is whole */
};

/* What mac_lookup has to see to once the way out is known. */
enum packet_fit {
	FIT_TCP_SYN = 1 << 0, /* TCP with SYN: its MSS option is clamped */
	FIT_TOO_BIG = 1 << 1, /* larger than the MTU of the way out, and may be fragmented */
};

enum nat_direction {
	NAT_NONE,
	NAT_FROM_INSIDE,
	NAT_FROM_OUTSIDE,
	NAT_HAIRPIN =
		1 << 2, /* beside NAT_FROM_INSIDE: to a public address, so it comes back in after that */
};

/* Why a packet goes to the management lcore (see slowpath/slowpath.h). */
enum punt_reason {
	PUNT_ARP,
	PUNT_LOCAL,       /* for one of our own addresses: ICMP echo and so on */
	PUNT_UNRESOLVED,  /* egress and next_hop are set, but the neighbour's MAC is not known */
	PUNT_TTL_EXPIRED, /* answer with ICMP time exceeded */
	PUNT_NO_ROUTE,    /* answer with ICMP destination unreachable, network */
	PUNT_TOO_BIG,     /* answer with ICMP fragmentation needed; meta->mtu is the MTU to tell */
	PUNT_IGMP,
	PUNT_BROADCAST, /* other broadcast and multicast within a segment (RARP among them) */
	PUNT_NAT_REFUSED, /* no new session for it: answer with ICMP administratively prohibited; already counted */
	PUNT_NAT_SYN, /* from outside, unsolicited: answer if nobody inside opens the connection; already counted */
	PUNT_REASONS
};

struct packet_metadata {
	interface_id ingress;  /* port, or segment once the tunnel is removed */
	interface_id egress;   /* set by route, or by nat_gateway for what comes from outside */
	rte_be32_t next_hop;   /* the IPv4 address to resolve on egress */
	uint32_t neighbour;    /* hint: index in the neighbour table, or INDEX_NONE */
	uint32_t tunnel;       /* ingress tunnel; after mac_lookup the egress tunnel */
	uint32_t fdb;          /* FDB entry of the destination MAC, for encapsulation */
	uint32_t flow_hash;    /* for the UDP source port of the tunnel and for spreading; 0 is not set */
	uint16_t mtu;          /* with PUNT_TOO_BIG */
	uint8_t flags;         /* enum packet_flag */
	uint8_t nat;           /* enum nat_direction */
	uint8_t protocol;      /* of the IP header */
	uint8_t l4_offset;     /* from the start of the frame; 0 when there is no L4 header here */
	uint8_t punt;          /* enum punt_reason */
	uint8_t ingress_port;  /* the port it physically came in by, also for what came in a tunnel */
	uint16_t owner;        /* index of the owner lcore, with VERDICT_HANDOFF */
	uint16_t inject_stage; /* with PACKET_LOCAL_ORIGIN: enum inject_target (slowpath/slowpath.h) */
	uint8_t resolutions;   /* how often the slow path sent it on with its next hop resolved */
	uint8_t fit;           /* enum packet_fit */
	bool ports_known;      /* of a fragment: `ports` are those of its datagram */
	uint8_t reserved[5];
	uint32_t
		ports; /* source and destination as they stand in a packet; of ICMP the identifier on our side alone */
	uint32_t reserved2;
	uint64_t spare;
};
_Static_assert(sizeof(struct packet_metadata) == 64, "packet metadata is one cache line");

/* Private area of every mbuf of the packet pools. */
#define PACKET_PRIVATE_SIZE sizeof(struct packet_metadata)

static inline struct packet_metadata *packet_metadata(struct rte_mbuf *m)
{
	return (struct packet_metadata *)(m + 1);
}
