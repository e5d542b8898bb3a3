/* SPDX-License-Identifier: BSD-3-Clause */
/* The forwarding database: (segment, MAC) -> the tunnel behind which it lives.
 *
 * Threads: the management lcore inserts and removes. A packet lcore does three things, each one aligned store:
 * it follows a move (location), and it notes when the MAC was last heard and last sent to, at most once a tick. So
 * the very next packet after the first frame from a new VTEP leaves for it, with no detour through management.
 * An index is valid as long as the entry's key is the expected one: check it after every hop that carried it. */
#pragma once

#include "base/clock.h"
#include "packet/packet_metadata.h"
#include "table/key_table.h"
#include <rte_ether.h>

struct fdb_entry {
	_Atomic uint64_t key;       /* fdb_key; 0: free. Written by management */
	_Atomic uint32_t location;  /* tunnel index. Written by management, and by packet lcores on a move */
	_Atomic uint16_t last_seen; /* low 16 bits of the tick of its last frame. Packet lcores */
	_Atomic uint16_t last_sent; /* low 16 bits of the tick of the last frame to it. Packet lcores */
};
_Static_assert(sizeof(struct fdb_entry) == 16, "four entries a cache line");

/* What only the management side needs of an entry, by the same index. */
struct fdb_record {                /* written by the management lcore, but for late_packets */
	uint64_t seen_ns, sent_ns; /* widened from the ticks by each sweep */
	uint64_t learned_ns, moved_ns;
	uint64_t
		unanswered_ns; /* when it was first seen that we send to it and do not hear it; 0: we hear it */
	uint32_t location;     /* tunnel as management last knew it */
	uint32_t previous_location; /* tunnel before the last move, or INDEX_NONE */
	uint32_t neighbour;         /* one neighbour with this MAC, for probing; INDEX_NONE */
	uint32_t moves;
	uint16_t seen_tick, sent_tick; /* as last read */
	uint8_t probe_state;
	uint8_t probes_sent;
	uint64_t probe_due_ns;
	uint64_t move_window_ns; /* when the first of recent_moves was, see moves.c */
	uint64_t move_serial;    /* of its newest record in the ledger */
	uint32_t recent_moves;
	uint32_t late_seen; /* late_packets as of the last sweep */
	_Atomic uint32_t
		late_packets; /* sent to the old location after the move was seen; packet lcores add */
};

struct fdb {
	struct key_table *index;
	struct fdb_entry *entry;   /* [capacity] */
	struct fdb_record *record; /* [capacity] */
	uint32_t capacity;
	uint32_t used;
	_Atomic uint32_t moves; /* how often a location has changed, so that who saw none need not look */
	/* The same of all that makes what the FDB has said of a MAC untrue: an entry that goes as well, and a neighbour that has another
	 * MAC now. Odd. */
	_Atomic uint32_t changes;
	struct fdb_private *private;
};

struct fdb *fdb_create(uint32_t capacity); /* NULL with errno */
struct memory_need fdb_need(uint32_t capacity);
void fdb_destroy(struct fdb *fdb);
/* Management lcore. The index of the new entry, or -EEXIST, -ENOSPC. Freed entries rest until fdb_reclaim. */
int64_t fdb_insert(struct fdb *fdb, uint16_t segment, const struct rte_ether_addr *mac, uint32_t tunnel,
	uint64_t now_ns);
int fdb_remove(struct fdb *fdb, uint32_t index, uint64_t now_ns);
void fdb_reclaim(
	struct fdb *fdb, uint64_t now_ns); /* entries freed more than a second ago can be used again */

static inline uint64_t fdb_mac_bits(const struct rte_ether_addr *mac)
{
	uint32_t low;
	uint16_t high;

	__builtin_memcpy(&low, mac->addr_bytes, 4);
	__builtin_memcpy(&high, mac->addr_bytes + 4, 2);
	return (uint64_t)high << 32 | low;
}

/* Never 0: the segment is stored plus one. */
static inline uint64_t fdb_key_of_bits(uint16_t segment, uint64_t mac_bits)
{
	return ((uint64_t)segment + 1) << 48 | mac_bits;
}

static inline uint64_t fdb_key(uint16_t segment, const struct rte_ether_addr *mac)
{
	return fdb_key_of_bits(segment, fdb_mac_bits(mac));
}

static inline void fdb_key_mac(uint64_t key, struct rte_ether_addr *mac)
{
	__builtin_memcpy(mac->addr_bytes, &key, 6);
}

static inline uint16_t fdb_key_segment(uint64_t key)
{
	return (uint16_t)((key >> 48) - 1);
}

static inline uint32_t fdb_find(const struct fdb *fdb, uint64_t key)
{
	return key_table_find(fdb->index, key);
}

/* After what changed has been stored. Any lcore. */
static inline void fdb_changed(struct fdb *fdb)
{
	atomic_fetch_add_explicit(&fdb->changes, 2, memory_order_release);
}

/* The MAC has moved from one tunnel to another. False: it is not there any more. Any lcore. */
static inline bool fdb_move(struct fdb *fdb, struct fdb_entry *entry, uint32_t from, uint32_t to)
{
	if (!atomic_compare_exchange_strong_explicit(
		    &entry->location, &from, to, memory_order_release, memory_order_relaxed))
		return false;
	atomic_fetch_add_explicit(&fdb->moves, 1, memory_order_release);
	fdb_changed(fdb);
	return true;
}

static inline void fdb_touch(_Atomic uint16_t *stamp, uint32_t tick)
{
	if (atomic_load_explicit(stamp, memory_order_relaxed) != (uint16_t)tick)
		atomic_store_explicit(stamp, (uint16_t)tick, memory_order_relaxed);
}
