/* SPDX-License-Identifier: BSD-3-Clause */
/* Behind which tunnel the host of a session lives, by what its neighbour notes of it, and by the FDB after each change to that.
 * So nearly every packet reads one line for its host, to which the session has a hint. */
#pragma once

#include "stage/fast_path_private.h"

/* The neighbour of the session's inside host, found anew: the hint has gone stale. */
static __rte_noinline uint32_t neighbour_mend(
	const struct fast_burst *burst, struct nat_session *session, uint64_t key)
{
	session->neighbour = key_table_find(burst->plane->neighbours->index, key);
	return session->neighbour;
}

static inline uint32_t inside_neighbour(const struct fast_burst *burst, struct nat_session *session)
{
	uint64_t key = neighbour_key_inside(session->segment, session->inside);
	uint32_t at = session->neighbour;

	if (unlikely(at >= burst->neighbours ||
		     atomic_load_explicit(&burst->neighbour[at].key, memory_order_acquire) != key))
		return neighbour_mend(burst, session, key);
	return at;
}

static inline uint64_t place_of(const struct fast_burst *burst, uint32_t tunnel, uint32_t entry)
{
	return neighbour_place(burst->fdb_changes, tunnel, entry);
}

/* The FDB has been asked where the neighbour's MAC is. */
static inline void place_note(
	const struct fast_burst *burst, struct neighbour *neighbour, uint32_t tunnel, uint32_t entry)
{
	atomic_store_explicit(&neighbour->place, place_of(burst, tunnel, entry), memory_order_release);
}

/* The FDB entry of the MAC that a packet came from: nearly always that of the session's host, to which the hint leads; else by
 * its hash: the hint is none yet or stale, or the host has several MACs. Or INDEX_NONE. */
static uint32_t source_entry(
	const struct fast_burst *burst, const struct fast_packet *packet, struct nat_session *session)
{
	uint32_t hint = inside_neighbour(burst, session),
		 at = hint == INDEX_NONE
			      ? INDEX_NONE
			      : atomic_load_explicit(&burst->neighbour[hint].fdb, memory_order_relaxed);

	if (at != INDEX_NONE &&
		atomic_load_explicit(&burst->fdb[at].key, memory_order_acquire) == packet->mac_key)
		return at;
	return fdb_find(burst->plane->fdb, packet->mac_key);
}

/* Has the neighbour the MAC that the packet came from? */
static inline bool is_mac_of(const struct neighbour *neighbour, const struct fast_packet *packet)
{
	return (atomic_load_explicit(&neighbour->mac, memory_order_acquire) ^ packet->mac_key) << 16 == 0;
}

/* Asks the FDB whether the MAC that a packet came from is where it speaks from, and notes that it was heard; false: it is not. */
static __rte_noinline bool source_hear(
	struct fast_burst *burst, const struct fast_packet *packet, struct nat_session *session)
{
	uint32_t at = source_entry(burst, packet, session), hint = session->neighbour;

	if (at == INDEX_NONE ||
		atomic_load_explicit(&burst->fdb[at].location, memory_order_relaxed) != packet->tunnel)
		return false;
	fdb_touch(&burst->fdb[at].last_seen, burst->tick);
	struct neighbour *neighbour = &burst->neighbour[hint];
	if (hint < burst->neighbours && is_mac_of(neighbour, packet) &&
		atomic_load_explicit(&neighbour->fdb, memory_order_relaxed) == at) {
		fdb_touch(&neighbour->last_heard, burst->tick);
		place_note(burst, neighbour, packet->tunnel, at);
	}
	return true;
}

/* Stores into the FDB without reading it: of an entry that is not in the cache nobody has to wait. */
static inline void stamp(_Atomic uint16_t *of_entry, _Atomic uint16_t *of_neighbour, uint32_t tick)
{
	atomic_store_explicit(of_entry, (uint16_t)tick, memory_order_relaxed);
	atomic_store_explicit(of_neighbour, (uint16_t)tick, memory_order_relaxed);
}

/* Is the MAC that a packet came from where it speaks from? The FDB is asked when it has changed; else what the neighbour notes of
 * it says so. */
static __rte_always_inline bool source_is_in_place(
	struct fast_burst *burst, const struct fast_packet *packet, struct nat_session *session)
{
	uint32_t hint = session->neighbour;

	if (unlikely(hint >= burst->neighbours))
		return source_hear(burst, packet, session);
	struct neighbour *neighbour = &burst->neighbour[hint];
	uint64_t noted = atomic_load_explicit(&neighbour->place, memory_order_acquire);
	bool is_mac = is_mac_of(neighbour, packet);
	uint32_t entry = atomic_load_explicit(&neighbour->fdb, memory_order_relaxed);

	/* Of a MAC in another segment the tunnel is another one. */
	if (likely(is_mac && noted == place_of(burst, packet->tunnel, entry))) {
		if (unlikely(atomic_load_explicit(&neighbour->last_heard, memory_order_relaxed) !=
			     (uint16_t)burst->tick))
			stamp(&burst->fdb[entry].last_seen, &neighbour->last_heard, burst->tick);
		return true;
	}
	return source_hear(burst, packet, session);
}

/* Asks the FDB where the neighbour's MAC is, of which with the segment `key` is made. The tunnel, or INDEX_NONE. */
static __rte_noinline uint32_t neighbour_seek(
	struct fast_burst *burst, struct neighbour *neighbour, uint64_t key)
{
	uint32_t at = atomic_load_explicit(&neighbour->fdb, memory_order_relaxed);
	struct fdb_entry *entry = &burst->fdb[at];

	if (at == INDEX_NONE || atomic_load_explicit(&entry->key, memory_order_acquire) != key)
		return INDEX_NONE; /* no entry has the MAC 0 of a neighbour that is not resolved */
	uint32_t tunnel = atomic_load_explicit(&entry->location, memory_order_acquire);
	/* The entry may be another one than was noted in this tick. */
	if (atomic_load_explicit(&neighbour->last_used, memory_order_relaxed) == (uint16_t)burst->tick)
		atomic_store_explicit(
			&neighbour->last_used, (uint16_t)(burst->tick - 1), memory_order_relaxed);
	if (tunnel < NEIGHBOUR_PLACE_MAX)
		place_note(burst, neighbour, tunnel, at);
	return tunnel;
}

/* The tunnel behind which the neighbour is, and with its segment the key of its MAC in the FDB; or INDEX_NONE. As
 * source_is_in_place. */
static __rte_always_inline uint32_t tunnel_of_neighbour(
	struct fast_burst *burst, struct neighbour *neighbour, uint16_t segment, uint64_t *key)
{
	uint64_t place = atomic_load_explicit(&neighbour->place, memory_order_acquire),
		 mac = atomic_load_explicit(&neighbour->mac, memory_order_acquire);
	uint32_t entry = atomic_load_explicit(&neighbour->fdb, memory_order_relaxed);

	*key = fdb_key_of_bits(segment, mac);
	if (likely((place & ~NEIGHBOUR_PLACE_TUNNEL) == place_of(burst, 0, entry) && mac != 0))
		return neighbour_place_tunnel(place);
	return neighbour_seek(burst, neighbour, *key);
}

/* Notes that a packet goes to the neighbour of which tunnel_of_neighbour has told the tunnel. */
static __rte_always_inline void neighbour_note_sent(struct fast_burst *burst, struct neighbour *neighbour)
{
	uint32_t entry = atomic_load_explicit(&neighbour->fdb, memory_order_relaxed);

	if (unlikely(atomic_load_explicit(&neighbour->last_used, memory_order_relaxed) !=
			     (uint16_t)burst->tick &&
		     entry != INDEX_NONE))
		stamp(&burst->fdb[entry].last_sent, &neighbour->last_used, burst->tick);
}
