/* SPDX-License-Identifier: BSD-3-Clause */
/* A session: one flow through a binding, both directions in one cache line.
 *
 * Sessions that share inside and outside endpoint are one binding. Each session is found by two keys, one a side: by the inside
 * one in the owner's index, by the outside one in the row where its record lies. The first session of a binding is found by the
 * bare endpoints: (segment, protocol, inside address and port) and (protocol, outside address and port). So it doubles as
 * the binding, a flow that is alone on its endpoint (nearly every flow of a client) costs one lookup either way, and the table has
 * no second kind of record. The others are found by endpoint and remote. When the first one ends, the next one takes its place,
 * and its record.
 *
 * A session stands apart, found by its flow alone, when its inside endpoint goes out by another outside endpoint than
 * this session's: two forwards that lead to one inside endpoint, or a static binding beside a forward.
 *
 * All addresses and ports are in network byte order. For ICMP the port is the identifier and the remote port is 0.
 *
 * Written by the owner lcore, which alone begins and ends sessions and changes their state. Other lcores that receive packets of the
 * session see them through without it (stage/fast_path.c): they read tags and record as they find them, and note in the record
 * the idle time, the traffic, the sequence number and the hint to the neighbour, one aligned store each. What they find is whole: a
 * record with a protocol is, and one that has ended is not used again while they may be at it (nat_retired.h); only the
 * next session of a binding takes over the record of its first one, and both have the same endpoints. What they miss, as an
 * entry is moved under their eyes, they ask the owner about. Packets of one direction of a flow come by one lcore, which its
 * devices see to; where they come by two at once, its counts may be wrong. */
#pragma once

#include "packet/flow_hash.h"
#include "table/nat_tcp_state.h"
#include <rte_byteorder.h>
#include <rte_common.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum nat_kind { NAT_KIND_DYNAMIC, NAT_KIND_STATIC, NAT_KIND_FORWARD };

enum nat_session_flag {
	NAT_SESSION_FIRST = 1 << 0,   /* of its binding */
	NAT_SESSION_APART = 1 << 1,   /* of no binding that its inside endpoint would use */
	NAT_SESSION_CARRIED = 1 << 2, /* part of its traffic is in the owner's carry table */
};

struct nat_session {
	/* In this order, so that what a packet carries side by side is compared in one piece. */
	rte_be32_t inside, remote, outside;
	rte_be16_t inside_port, remote_port, outside_port;
	uint16_t segment;
	uint8_t protocol;  /* 0: no session */
	uint8_t state;     /* enum nat_state */
	uint8_t kind : 2;  /* enum nat_kind */
	uint8_t flags : 6; /* enum nat_session_flag */
	uint8_t next_hop; /* towards the remote: its number in the FIB, which does not change; 0: not known here */
	uint16_t ip_delta; /* of the IP header checksum, upwards; downwards its complement */
	uint16_t l4_delta;
	uint32_t last_seen;         /* tick */
	uint64_t traffic[NAT_WAYS]; /* packets and bytes of either way, see nat_traffic.h */
	uint32_t neighbour;         /* of the inside host: a hint, see neighbour.h */
	uint32_t next;              /* session of the same binding, or INDEX_NONE */
	uint32_t previous;          /* the same; in the first one instead how many sessions the binding has */
	uint16_t sequence[NAT_WAYS]; /* TCP: upper half of the latest sequence number, see nat_tcp_window.h */
} __rte_cache_aligned;
_Static_assert(sizeof(struct nat_session) == 64, "one cache line");
_Static_assert(offsetof(struct nat_session, protocol) == offsetof(struct nat_session, segment) + 2 &&
		       offsetof(struct nat_session, state) == offsetof(struct nat_session, protocol) + 1,
	"nat_session_kin reads them at once");

/* What tells sessions apart: the protocol, and on each side two endpoints. */
struct nat_flow {
	rte_be32_t inside, remote, outside;
	rte_be16_t inside_port, remote_port, outside_port;
	uint16_t segment;
	uint8_t protocol;
};

/* Segment and protocol as one word: also how four bytes of the record read, but for the state. */
static inline uint32_t nat_kin_word(uint16_t segment, uint8_t protocol)
{
	return (uint32_t)protocol << 16 | segment;
}

static inline uint64_t nat_inside_hash_word(
	const struct flow_hash_key *key, uint32_t kin, rte_be32_t ip, rte_be16_t port)
{
	return flow_hash(key, (uint64_t)port << 32 | ip, kin);
}

/* An outside endpoint as it stands in a packet that comes down, from its destination address on: the port of the remote, which
 * lies between address and port, does not count. */
#define NAT_OUTSIDE_END_MASK RTE_BE64(UINT64_C(0xffffffff0000ffff))

static inline uint64_t nat_outside_end(rte_be32_t ip, rte_be16_t port)
{
	const struct {
		rte_be32_t ip;
		rte_be16_t remote_port, port;
	} end = { ip, 0, port };
	uint64_t word;

	memcpy(&word, &end, sizeof(word));
	return word;
}

/* The second word is none that segment and protocol can make, so that the two sides never mix. */
static inline uint64_t nat_outside_hash_word(const struct flow_hash_key *key, uint32_t kin, uint64_t end)
{
	return flow_hash(key, end, UINT64_C(1) << 63 | kin);
}

static inline uint64_t nat_inside_hash(
	const struct flow_hash_key *key, uint16_t segment, uint8_t protocol, rte_be32_t ip, rte_be16_t port)
{
	return nat_inside_hash_word(key, nat_kin_word(segment, protocol), ip, port);
}

static inline uint64_t nat_outside_hash(
	const struct flow_hash_key *key, uint8_t protocol, rte_be32_t ip, rte_be16_t port)
{
	return nat_outside_hash_word(key, nat_kin_word(0, protocol), nat_outside_end(ip, port));
}

/* From the hash of an endpoint of ours and the remote one. */
static inline uint64_t nat_flow_hash(
	const struct flow_hash_key *key, uint64_t endpoint_hash, rte_be32_t remote, rte_be16_t remote_port)
{
	return flow_hash(key, endpoint_hash, (uint64_t)remote_port << 32 | remote);
}

/* Addresses and ports as they stand in a packet, source then destination, read at once. */
static inline uint64_t nat_address_pair(const rte_be32_t *first)
{
	uint64_t pair;

	memcpy(&pair, first, sizeof(pair));
	return pair;
}

static inline uint32_t nat_port_pair(const rte_be16_t *first)
{
	uint32_t pair;

	memcpy(&pair, first, sizeof(pair));
	return pair;
}

static inline uint32_t nat_session_kin(const struct nat_session *session)
{
	uint32_t word;

	memcpy(&word, &session->segment, sizeof(word));
	return rte_le_to_cpu_32(word) & 0xffffff;
}

/* The protocol is read before all else: of a record that has none, which is not whole, the rest may change at any time. */
static inline bool nat_session_is_up(
	const struct nat_session *session, uint32_t kin, uint64_t addresses, uint32_t ports)
{
	uint32_t of_session = nat_session_kin(session);

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return nat_address_pair(&session->inside) == addresses &&
	       nat_port_pair(&session->inside_port) == ports && of_session == kin;
}

/* `kin` with segment 0. */
static inline bool nat_session_is_down(
	const struct nat_session *session, uint32_t kin, uint64_t addresses, uint32_t ports)
{
	uint8_t protocol = session->protocol;

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return nat_address_pair(&session->remote) == addresses &&
	       nat_port_pair(&session->remote_port) == ports && protocol == kin >> 16;
}
