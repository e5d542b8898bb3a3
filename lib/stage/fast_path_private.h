/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the fast path share: fast_path_look.c looks at the packets, fast_path.c sees them through. */
#pragma once

#include "stage/fast_path.h"
#include "stage/handoff.h"
#include "stage/nat_private.h"
#include "stage/overload.h"
#include <string.h>

#define OUTER_LENGTH ((uint16_t)sizeof(struct vxlan_outer))
#define L4_OFFSET    ((uint16_t)(L3_OFFSET + sizeof(struct rte_ipv4_hdr)))

/* Bits that stand for the address pairs of packets that are left to the stages. A pair that only shares its bit with one of
 * those takes the stages too, which is slower and no mistake. */
#define LEFT_PAIRS 256u

#define ADJACENCIES 4u /* a power of two */

/* The way to a next hop outside, as it is during this burst. */
struct adjacency {
	uint64_t
		key; /* number of the next hop in the FIB; where that is a connected prefix, the address too */
	uint64_t ethernet; /* destination and source MAC: the first eight bytes */
	uint32_t ethernet_rest;
	rte_be32_t mask; /* which bits of the destination the key has: all or none */
	struct tx_queue *tx;
	uint16_t mtu;
} __rte_cache_aligned;
#define ADJACENCY_NONE UINT64_MAX /* a key: numbers are smaller */

/* A packet between the passes. */
struct fast_packet {
	struct rte_mbuf **slot; /* in the burst */
	struct rte_ipv4_hdr *ip;
	union {
		const void *line;            /* of tags, where its session is looked for */
		struct nat_session *session; /* then that, or another one */
	};
	uint64_t hash;           /* by which it is looked for: of its endpoint on our side, or of its flow */
	uint64_t mac_key;        /* upwards: of its source, in the FDB */
	uint32_t kin;            /* nat_kin_word, with the segment 0 when it goes down */
	uint32_t tunnel;         /* upwards: by which it came */
	uint16_t length;         /* upwards: of the frame inside, as it was received */
	uint8_t l4;              /* PACKET_UDP, or of TCP the flags that are of NAT_STATE_FLAGS */
	uint16_t handed;         /* where there are several owners: handoff_flow_bit */
	struct nat_owner *owner; /* of its session, likewise */
} __rte_cache_aligned;
_Static_assert(sizeof(struct fast_packet) == 64, "one cache line");

#define PACKET_UDP 0x80u
_Static_assert((PACKET_UDP & NAT_STATE_FLAGS) == 0, "a bit of its own");

#define FAST_GROUP 16u /* packets whose lines are asked for together */

/* The packets of a burst that go one way. */
struct fast_way {
	struct fast_packet *next;  /* behind the last one */
	struct fast_packet *asked; /* behind the last one whose line has been asked for */
	uint64_t by_flow; /* bit mask: they were looked for by their flow, of an endpoint that is crowded */
	uint64_t second;  /* bit mask: their session is looked for in its second line */
	uint64_t several; /* bit mask: their first line says several sessions that it may be */
	uint64_t again;   /* bit mask: their session was not where it was looked for */
	uint64_t
		sibling; /* bit mask: of these, what is looked for by its flow, as its endpoint has several */
	uint64_t beside; /* bit mask: of those, what there may be a session of, which has been asked for */
	struct fast_packet packet[BURST_MAX];
};

/* A packet that would open a session, kept apart while the lcore is overloaded. */
struct fast_opener {
	struct rte_mbuf **slot;
	struct rte_ipv4_hdr *ip;
	uint32_t kin, tunnel; /* as in fast_packet */
	uint16_t length;
	uint8_t way;
};

/* What the packets of a burst share. */
struct fast_burst {
	struct lcore_context *context;
	const struct data_plane *plane;
	struct nat_owner *owner; /* this lcore */
	const struct nat *nat;
	const struct port_interface *port; /* that they came in by */
	const struct fast_pattern *pattern;
	struct rte_mbuf **packets;
	uint16_t count;
	uint32_t tick;
	uint32_t fdb_changes;
	bool finishes;       /* there may be half-finished checksums */
	bool others;         /* there may be packets of sessions of other owners */
	bool crowded;        /* some endpoint is (nat_crowded.h) */
	uint32_t neighbours; /* capacity of the table */
	struct neighbour *neighbour;
	struct fdb_entry *fdb;
	const struct segment *segment;
	const struct tunnel *tunnel;
	struct tunnel_state *tunnel_state;
	uint64_t bytes;               /* of the packets that are not left */
	bool leaves;                  /* there are packets for the stages: */
	uint64_t left[FAST_MAX / 64]; /* which, as bit masks */
	uint32_t openers;             /* packets that are kept apart */
	uint32_t refused;             /* packets that would have opened one session too many */
	bool unlike; /* the buffer of one of those is not as buffer_is_alone, beside the first one of the burst */
	bool overloaded; /* the lcore is */
	uint64_t left_pairs[LEFT_PAIRS / 64];
	uint64_t
		again; /* bits that stand for the flows of other owners of which packets are looked for again */
	struct adjacency adjacency[ADJACENCIES];
	struct fast_way way[NAT_WAYS];
	struct fast_opener opener[BURST_MAX]; /* neither left nor done with */
	struct rte_mbuf *refusal[FAST_MAX];
	struct nat_packet wanted[BURST_MAX]; /* those of `again`; of `beside` only the endpoint and by_flow */
	uint16_t handed;                     /* packets that are handed over, or held */
	uint16_t strangers;                  /* of these, those that this burst hands over */
	uint16_t stranger_owner[BURST_MAX];
	struct rte_mbuf *stranger[BURST_MAX];
};

/* Who has the packet's session, if there is one. */
static __rte_always_inline struct nat_owner *owner_of_packet(
	const struct fast_burst *burst, const struct fast_packet *packet, const bool many)
{
	return many ? packet->owner : burst->owner;
}

static inline struct fast_packet *fast_packet_of(struct fast_burst *burst, uint32_t i, const enum nat_way way)
{
	return &burst->way[way].packet[i];
}

/* The packet's bit in the masks of its way. */
static inline uint64_t fast_packet_bit(const struct fast_way *way, const struct fast_packet *packet)
{
	return UINT64_C(1) << (packet - way->packet);
}

static inline bool is_ours(const struct fast_burst *burst, const struct fast_packet *packet)
{
	return !burst->others || packet->owner == burst->owner;
}

static inline uint64_t load64(const void *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint32_t pair_bit(const struct rte_ipv4_hdr *ip)
{
	uint64_t addresses = nat_address_pair(&ip->src_addr);

	return (uint32_t)(addresses * UINT64_C(0x9e3779b97f4a7c15) >> 56) % LEFT_PAIRS;
}
static inline void pair_note(uint64_t pairs[LEFT_PAIRS / 64], const struct rte_ipv4_hdr *ip)
{
	uint32_t bit = pair_bit(ip);

	pairs[bit / 64] |= UINT64_C(1) << bit % 64;
}
static inline bool pair_is_noted(const uint64_t pairs[LEFT_PAIRS / 64], const struct rte_ipv4_hdr *ip)
{
	uint32_t bit = pair_bit(ip);

	return pairs[bit / 64] >> bit % 64 & 1;
}

static inline bool follows_left(const struct fast_burst *burst, const struct rte_ipv4_hdr *ip)
{
	return unlikely(burst->leaves) && pair_is_noted(burst->left_pairs, ip);
}

static inline bool source_is_possible(const struct fast_burst *burst, rte_be32_t source)
{
	for (uint16_t i = 0; i < burst->port->address_count; i++)
		if (unlikely(source == burst->port->address[i].address))
			return false;
	return !ipv4_source_impossible(source);
}

/* A frame of `length` bytes has come out of the tunnel. */
static inline void tunnel_count_rx(struct tunnel_state *tunnels, uint32_t number, uint32_t length)
{
	struct interface_counters *counters = &tunnels[number].counters;

	counters->rx_packets++;
	counters->rx_bytes += length;
}

/* Keeps a packet apart. */
static inline void fast_path_keep_apart(struct fast_burst *burst, const struct fast_opener *opener)
{
	burst->opener[burst->openers++] = *opener;
}

static inline rte_be32_t *known_public(struct lcore_context *context, rte_be32_t address)
{
	return &context->known_public[rte_be_to_cpu_32(address) % KNOWN_PUBLIC];
}

/* Where a packet from outside goes: address and port. */
static inline uint64_t public_end(const struct rte_ipv4_hdr *ip)
{
	return (uint64_t)ip->dst_addr << 32 | nat_port_pair((const rte_be16_t *)(ip + 1)) >> 16;
}

static inline uint64_t *known_shared(struct lcore_context *context, uint64_t end)
{
	return &context->known_shared[end * UINT64_C(0x9e3779b97f4a7c15) >> (64 - KNOWN_SHARED_BITS)];
}

/* Leaves a packet of the burst to the stages, and what follows it. `ip`: of its flow, or what stands in its place. */
void fast_path_leave(struct fast_burst *burst, struct rte_mbuf **slot, const struct rte_ipv4_hdr *ip);

/* The way to a next hop if it has been found in this burst, or NULL. */
static __rte_always_inline const struct adjacency *adjacency_known(
	const struct fast_burst *burst, uint32_t number, rte_be32_t destination)
{
	const struct adjacency *adjacency = &burst->adjacency[number % ADJACENCIES];
	uint64_t key = (uint64_t)number << 32 | (destination & adjacency->mask);

	return likely(adjacency->key == key) ? adjacency : NULL;
}

/* The way to a next hop (number in the FIB) of kind VIA or CONNECTED, or NULL. */
const struct adjacency *fast_path_adjacency(
	struct fast_burst *burst, uint32_t number, rte_be32_t destination);
/* The same of a session whose packets go by a way not met yet in this burst, or that none is known of. */
const struct adjacency *fast_path_adjacency_of_session(
	struct fast_burst *burst, const struct fast_packet *packet, struct nat_session *session);
/* The number of the next hop to the session's remote, by the FIB; 0: none that leads outside. Its owner notes it. */
uint32_t fast_path_next_hop(
	const struct fast_burst *burst, const struct fast_packet *packet, struct nat_session *session);

/* The last pass of a packet that goes up; false: it is to be left. */
bool fast_path_finish_up(struct fast_burst *burst, struct fast_packet *packet, struct nat_session *session);

/* The last pass of a packet, once more, with another session. */
void fast_path_finish(struct fast_burst *burst, uint32_t i, enum nat_way way);

/* Is one of these packets (bit mask) of the same flow, by whatever hash it is looked for now? */
bool fast_path_follows(
	struct fast_burst *burst, const struct fast_packet *packet, uint64_t others, enum nat_way way);

/* From now on a packet is looked for by its flow, which was by its endpoint: by which hash, and in which line. */
void fast_path_look_by_flow(const struct fast_burst *burst, struct fast_packet *packet, enum nat_way way);

/* After the last pass: packets whose session was not where it was looked for first. */
void fast_path_finish_again(struct fast_burst *burst, enum nat_way way);

/* Opens sessions for the packets `fresh` (bit mask) that go up, begin a flow and have none, and sees them through, or leaves
 * them. `bound`: some session may have their endpoint. */
void fast_path_open(struct fast_burst *burst, uint64_t fresh, uint64_t bound);

/* A packet that the owner of its session has to have is noted for it, or held, or left. */
void fast_path_strange(struct fast_burst *burst, const struct fast_packet *packet, enum nat_way way);
/* At the end of the burst: hands them over. */
void fast_path_strangers_send(struct fast_burst *burst, interface_id port);

/* The first pass: takes those of the packets `from` to `end` that may go this way, and leaves the others. */
void fast_path_look(struct fast_burst *burst, uint16_t from, uint16_t end);

/* What nearly all buffers are: whole ones in one segment each, that nobody else holds. */
static const struct header_pattern buffer_alone = {
	.value = { [offsetof(struct rte_mbuf, refcnt)] = 1, [offsetof(struct rte_mbuf, nb_segs)] = 1 },
	.mask = { [offsetof(struct rte_mbuf, refcnt)] = 0xff,
		0xff,
		[offsetof(struct rte_mbuf, nb_segs)] = 0xff,
		0xff,
		[offsetof(struct rte_mbuf, ol_flags) + 7] =
			(RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL) >> 56 },
};

/* And all of one pool, that of `other`. */
static inline bool buffer_is_alone(const struct rte_mbuf *m, const struct rte_mbuf *other)
{
	return header_matches((const uint8_t *)m, &buffer_alone) && m->pool == other->pool;
}

/* A packet would open a session: it is left, or refused as one too many. */
static inline void fast_path_admit(struct fast_burst *burst, const struct fast_opener *opener)
{
	struct lcore_context *context = burst->context;

	if (unlikely(overload_admits(
		    context, (enum nat_way)opener->way, (uint16_t)opener->kin, opener->ip->src_addr))) {
		context->admitted++;
		fast_path_leave(burst, opener->slot, opener->ip);
		return;
	}
	if (opener->way == NAT_UP)
		tunnel_count_rx(burst->tunnel_state, opener->tunnel, opener->length);
	if (unlikely(!buffer_is_alone(*opener->slot, burst->packets[0])))
		burst->unlike = true;
	burst->refusal[burst->refused++] = *opener->slot;
}

/* Of the packets that are kept apart, refuses those that are too many, and leaves the others. Frees what is refused. */
void fast_path_shed(struct fast_burst *burst);
