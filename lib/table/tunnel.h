/* SPDX-License-Identifier: BSD-3-Clause */
/* Tunnels: one for each (segment, VTEP), also the permission of that VTEP to speak for that segment, and the
 * adjacency towards it: all bytes to put before an inner frame, and the new inner Ethernet header but for its
 * destination, as one 64-byte line.
 *
 * Threads: the management lcore writes; packet lcores read under the version (a seqlock: odd while it is written). */
#pragma once

#include "packet/packet_metadata.h"
#include "packet/vxlan_wire.h"
#include "table/key_table.h"
#include <rte_pause.h>
#include <stdbool.h>

struct tunnel_header {
	struct vxlan_outer
		outer; /* lengths, IP checksum (of the rest) and UDP source port are put in per packet */
	struct rte_ether_hdr inner; /* source: the gateway's MAC; destination: per packet */
} __attribute__((packed, aligned(64)));
_Static_assert(sizeof(struct tunnel_header) == 64, "one cache line");

struct tunnel {
	struct tunnel_header header;
	_Atomic uint32_t version; /* never 0 */
	uint16_t segment;
	interface_id port;   /* underlay port by which the VTEP is reached; INTERFACE_NONE: no route */
	rte_be32_t vtep;     /* address of the VTEP, or of the group */
	rte_be32_t next_hop; /* underlay neighbour: the VTEP itself or a router */
	_Atomic bool ready;  /* the next hop's MAC is known and the header is whole */
	bool flood;          /* gets the broadcast of the segment (head-end replication) */
	bool configured;     /* from the configuration, not discovered */
	uint8_t reserved1;
	uint16_t mtu; /* of the IP packets inside; set with the header */
	uint8_t reserved[42];
};
_Static_assert(sizeof(struct tunnel) == 128, "two cache lines");

struct tunnel_table {
	struct key_table *index; /* tunnel_key -> index */
	struct tunnel *tunnel;   /* [capacity]; never freed while running */
	uint32_t capacity;
	uint32_t count;
};

struct tunnel_table *tunnel_table_create(uint32_t capacity);
struct memory_need tunnel_table_need(uint32_t capacity);
void tunnel_table_destroy(struct tunnel_table *table);
int64_t tunnel_add(
	struct tunnel_table *table, uint16_t segment, rte_be32_t vtep); /* index, -EEXIST, -ENOSPC */

struct tunnel_source {
	struct rte_ether_addr port_mac, next_hop_mac, gateway_mac;
	rte_be32_t address; /* our VTEP address */
	rte_be16_t udp_port;
	uint32_t vni;
	uint16_t mtu;
	uint8_t ttl;
};
/* Writes the header under the version and marks the tunnel ready. */
void tunnel_set_header(struct tunnel *tunnel, const struct tunnel_source *source);
void tunnel_set_unready(struct tunnel *tunnel);

static inline uint64_t tunnel_key(uint16_t segment, rte_be32_t vtep)
{
	return UINT64_C(1) << 63 | (uint64_t)segment << 32 | vtep;
}
static inline uint32_t tunnel_find(const struct tunnel_table *table, uint16_t segment, rte_be32_t vtep)
{
	return key_table_find(table->index, tunnel_key(segment, vtep));
}

/* A header on its way from the table into a frame, small enough for registers. */
typedef uint64_t tunnel_half __attribute__((vector_size(32), aligned(1)));
struct tunnel_copy {
	tunnel_half half[2];
};

/* Takes the header; false if the row is not, or no more, of this version, which is one that was once read complete: then that it
 * is still the same one afterwards is enough. */
static __rte_always_inline bool tunnel_take_header(
	const struct tunnel *tunnel, uint32_t version, struct tunnel_copy *copy)
{
	const tunnel_half *half = (const void *)&tunnel->header;

	copy->half[0] = half[0];
	copy->half[1] = half[1];
	atomic_thread_fence(memory_order_acquire);
	return likely(atomic_load_explicit(&tunnel->version, memory_order_relaxed) == version);
}

/* Writes it to where the frame begins, 64 bytes. */
static __rte_always_inline void tunnel_put_header(const struct tunnel_copy *copy, void *frame)
{
	tunnel_half *half = frame;

	half[0] = copy->half[0];
	half[1] = copy->half[1];
}

/* Copies the header to where the frame begins, 64 bytes; false when the tunnel is not ready. */
static inline bool tunnel_read_header(const struct tunnel *tunnel, void *out)
{
	uint32_t before;

	do {
		while ((before = atomic_load_explicit(&tunnel->version, memory_order_acquire)) & 1)
			rte_pause();
		__builtin_memcpy(out, &tunnel->header, sizeof(tunnel->header));
		atomic_thread_fence(memory_order_acquire);
	} while (unlikely(atomic_load_explicit(&tunnel->version, memory_order_relaxed) != before));
	return atomic_load_explicit(&tunnel->ready, memory_order_relaxed);
}
