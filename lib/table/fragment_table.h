/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtual reassembly: what the first fragment of a datagram says of its ports, kept for the others, which have none. A
 * fragment passes at once when the first one has been seen; before that it waits, within bounds. Nothing is put together
 * here: the receiver does that (RFC 791 section 3.2).
 *
 * What has come of a datagram is kept as ranges, so that no byte of it passes twice (RFC 1858 section 4): the first that
 * came wins. A datagram that has passed as a whole is forgotten at once, so that its identification can come again.
 *
 * Bounds. Datagrams whose first fragment is awaited and those that pass have one half of the table each; when a half is
 * full, its oldest datagram makes room: a flood of fragments shortens the time that they may take to milliseconds, but
 * fragments that come in order and one after the other need no more. Packets that wait are bounded by number and bytes, the
 * oldest leaving. One source has an eighth of each bound, so that only many can take it all.
 *
 * A table belongs to one lcore, but for fragment_table_forgotten. Time is in ticks (base/clock.h). */
#pragma once

#include "packet/flow_hash.h"
#include "packet/packet_metadata.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAGMENT_DATAGRAMS       8192u /* of an owner at a time */
#define FRAGMENT_WAITING_PACKETS 512u  /* in all, of an owner */
#define FRAGMENT_WAITING_BYTES   (1u << 20)
#define FRAGMENT_SHARE           8u  /* one source has this part of each bound */
#define FRAGMENT_WAIT_S          2u  /* for the first fragment */
#define FRAGMENT_LIFE_S          15u /* for the rest; RFC 791 section 3.2 */

/* One fragment, as its IP header says. Addresses in network byte order, the identification as it stands. */
struct fragment {
	rte_be32_t source, destination;
	uint16_t id;
	interface_id ingress; /* segments may have the same addresses */
	uint8_t protocol;
	bool last;         /* MF clear; `from` 0 is the first */
	uint16_t from, to; /* its payload in units of 8 bytes; `to` is rounded up in the last */
	uint32_t ports;    /* of the first: what the others are to be told */
};

enum fragment_result {
	FRAGMENT_PASSES,
	FRAGMENT_WAITS,    /* the table has the packet now */
	FRAGMENT_OVERLAPS, /* some of it has come already, or it goes beyond the last */
	FRAGMENT_NO_ROOM,  /* its datagram is in more pieces than can be followed */
	FRAGMENT_SHARE_USED,
};

enum fragment_discard { FRAGMENT_EVICTED, FRAGMENT_TIMED_OUT, FRAGMENT_DISCARDS };

struct fragment_table;

/* `entries`: datagrams at a time, a power of two; NULL when there is no memory. */
struct fragment_table *fragment_table_create(uint32_t entries, const struct flow_hash_key *key);
void fragment_table_destroy(struct fragment_table *table); /* frees what waits */
size_t fragment_table_bytes(uint32_t entries);

/* What becomes of a fragment; with FRAGMENT_PASSES `*ports` are those of its datagram. */
enum fragment_result fragment_table_take(struct fragment_table *table, const struct fragment *fragment,
	struct rte_mbuf *packet, uint32_t now, uint32_t *ports);

/* Once a turn: lets what is too old go. True when there is something to fetch by the two functions below. */
bool fragment_table_expire(struct fragment_table *table, uint32_t now);
/* The next packet whose first fragment has come meanwhile, in the order of their coming, with the ports in its metadata;
 * NULL: none. */
struct rte_mbuf *fragment_table_release(struct fragment_table *table);
/* The next packet that waited in vain; NULL: none. */
struct rte_mbuf *fragment_table_discard(struct fragment_table *table, enum fragment_discard *why);

uint32_t fragment_table_waiting(
	const struct fragment_table *table); /* packets, released and discarded ones included */
uint32_t fragment_table_datagrams(const struct fragment_table *table);
/* Datagrams of the half that pass which made room for newer ones, since the start: no packet is dropped by that, but later
 * ones of these may be. Any thread. */
uint64_t fragment_table_forgotten(const struct fragment_table *table);
