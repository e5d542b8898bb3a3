/* SPDX-License-Identifier: BSD-3-Clause */
/* The ledger of moves: a ring of the last ones. The management lcore writes, any thread reads; the lock is held for a
 * record at a time by the one and for a copy by the other. The newest move of a MAC shows the late packets as they
 * are being counted; the next move of it, or its end, freezes that number.
 *
 * Two hosts with one MAC, or a loop, make it move with every frame. As RFC 7432 section 15.1 does, a MAC that moves too
 * often in a time is called a duplicate: packet lcores go on following it, for one of the hosts may be the right one, but
 * its further moves are counted in its last record, so that the ledger keeps those of the others. */
#include "base/ip_address.h"
#include "base/log.h"
#include "slowpath/slowpath_private.h"
#include "table/nat.h"

static struct move_record *record_at(struct moves *moves, uint64_t serial)
{
	return &moves->record[(serial - 1) % MOVES_KEPT];
}

static uint64_t oldest_serial(const struct moves *moves)
{
	return moves->serial > MOVES_KEPT ? moves->serial - MOVES_KEPT + 1 : 1;
}

/* The last sweep's number, so that what was sent late after this very move, before it was handled here, counts for it
 * and not for the one before. */
static uint32_t late_base(const struct slowpath *slowpath, uint32_t fdb)
{
	return slowpath->plane->fdb->record[fdb].late_seen;
}

static void freeze(struct slowpath *slowpath, uint32_t fdb)
{
	struct moves *moves = &slowpath->moves;

	for (uint64_t serial = moves->serial; serial >= oldest_serial(moves); serial--) {
		struct move_record *record = record_at(moves, serial);
		bool *frozen = &moves->frozen[(serial - 1) % MOVES_KEPT];
		if (record->fdb != fdb || *frozen)
			continue;
		record->late_packets = late_base(slowpath, fdb) - record->late_base;
		*frozen = true;
		return;
	}
}

void moves_freeze(struct slowpath *slowpath, uint32_t fdb)
{
	if (slowpath->plane->fdb->record[fdb].moves == 0)
		return;
	pthread_mutex_lock(&slowpath->moves.lock);
	freeze(slowpath, fdb);
	pthread_mutex_unlock(&slowpath->moves.lock);
}

#define DUPLICATE_MOVES     10u
#define DUPLICATE_WINDOW_NS (180 * NS_PER_SECOND)

/* Counts one more move; true when they are too many to be of one host. */
static bool is_duplicate(struct fdb_record *record, uint64_t now_ns)
{
	if (now_ns - record->move_window_ns >= DUPLICATE_WINDOW_NS || record->recent_moves == 0) {
		record->move_window_ns = now_ns;
		record->recent_moves = 0;
	}
	return ++record->recent_moves > DUPLICATE_MOVES;
}

/* One warning each time that a MAC becomes a duplicate. */
static void duplicate_say(struct slowpath *slowpath, uint32_t fdb, uint32_t one, uint32_t other)
{
	const struct data_plane *plane = slowpath->plane;
	uint64_t key = atomic_load_explicit(&plane->fdb->entry[fdb].key, memory_order_relaxed);
	char from[IP_ADDRESS_TEXT], to[IP_ADDRESS_TEXT];
	struct rte_ether_addr mac;

	if (plane->fdb->record[fdb].recent_moves != DUPLICATE_MOVES + 1)
		return;
	slowpath->counters.duplicate_macs++;
	if (!token_bucket_take(&slowpath->duplicate_log, slowpath->now_ns))
		return;
	fdb_key_mac(key, &mac);
	log_warning("%s: duplicate MAC " RTE_ETHER_ADDR_PRT_FMT
		    ": more than %u moves in %u s, now between VTEPs %s and %s: two hosts have it, or there "
		    "is a loop",
		plane->segments->segment[fdb_key_segment(key)].name, RTE_ETHER_ADDR_BYTES(&mac),
		DUPLICATE_MOVES, (unsigned)(DUPLICATE_WINDOW_NS / NS_PER_SECOND),
		ipv4_text(plane->tunnels->tunnel[one].vtep, from),
		ipv4_text(plane->tunnels->tunnel[other].vtep, to));
}

/* Counts the move in the last record of its MAC; false when the ledger has it no more. */
static bool repeat(struct slowpath *slowpath, uint32_t fdb, uint32_t old_tunnel, uint32_t new_tunnel)
{
	struct moves *moves = &slowpath->moves;
	uint64_t serial = slowpath->plane->fdb->record[fdb].move_serial;
	struct move_record *record;
	bool there = serial != 0 && serial >= oldest_serial(moves);

	pthread_mutex_lock(&moves->lock);
	if (there) {
		record = record_at(moves, serial);
		record->repeats++;
		record->old_vtep = slowpath->plane->tunnels->tunnel[old_tunnel].vtep;
		record->new_vtep = slowpath->plane->tunnels->tunnel[new_tunnel].vtep;
	}
	pthread_mutex_unlock(&moves->lock);
	return there;
}

static void move_log(struct slowpath *slowpath, const struct move_record *move)
{
	char ip[IP_ADDRESS_TEXT], from[IP_ADDRESS_TEXT], to[IP_ADDRESS_TEXT];
	const uint8_t *mac = move->mac.addr_bytes;

	if (!token_bucket_take(&slowpath->move_log, slowpath->now_ns))
		return;
	log_info("%s: %02x:%02x:%02x:%02x:%02x:%02x (%s) moved from VTEP %s to %s%s, silent for %lu ms, %ld "
		 "sessions kept",
		slowpath->plane->segments->segment[move->segment].name, mac[0], mac[1], mac[2], mac[3],
		mac[4], mac[5], move->ip != 0 ? ipv4_text(move->ip, ip) : "no address known",
		ipv4_text(move->old_vtep, from), ipv4_text(move->new_vtep, to),
		move->found_by_probe ? ", found by asking" : "", (unsigned long)(move->silent_ns / NS_PER_MS),
		(long)RTE_MAX(move->sessions_kept, 0));
}

void moves_add(struct slowpath *slowpath, uint32_t fdb, uint32_t old_tunnel, uint32_t new_tunnel)
{
	const struct data_plane *plane = slowpath->plane;
	struct fdb_record *record = &plane->fdb->record[fdb];
	struct moves *moves = &slowpath->moves;
	struct timespec wall;

	if (is_duplicate(record, slowpath->now_ns)) {
		duplicate_say(slowpath, fdb, old_tunnel, new_tunnel);
		if (repeat(slowpath, fdb, old_tunnel, new_tunnel))
			return;
	}
	clock_gettime(CLOCK_REALTIME, &wall);
	struct move_record move = {
		.when_ns = slowpath->now_ns,
		.wall_ns = (uint64_t)wall.tv_sec * NS_PER_SECOND + (uint64_t)wall.tv_nsec,
		.old_vtep = plane->tunnels->tunnel[old_tunnel].vtep,
		.new_vtep = plane->tunnels->tunnel[new_tunnel].vtep,
		.fdb = fdb,
		.fdb_key = atomic_load_explicit(&plane->fdb->entry[fdb].key, memory_order_relaxed),
		.late_base = late_base(slowpath, fdb),
		.silent_ns = slowpath->now_ns - record->seen_ns,
		.found_by_probe = silent_move_was_searched(slowpath, fdb),
		.sessions_kept = -1,
	};
	move.segment = fdb_key_segment(move.fdb_key);
	fdb_key_mac(move.fdb_key, &move.mac);
	if (record->neighbour != INDEX_NONE) {
		move.ip = neighbour_key_ip(plane->neighbours->entry[record->neighbour].key);
		move.sessions_kept = nat_host_sessions(plane->nat, move.segment, move.ip);
	}

	pthread_mutex_lock(&moves->lock);
	if (record->moves > 0)
		freeze(slowpath, fdb);
	move.serial = record->move_serial = ++moves->serial;
	*record_at(moves, move.serial) = move;
	moves->frozen[(move.serial - 1) % MOVES_KEPT] = false;
	pthread_mutex_unlock(&moves->lock);
	move_log(slowpath, &move);
}

uint32_t slowpath_moves(struct slowpath *slowpath, struct move_record *out, uint32_t max, uint32_t skip)
{
	struct moves *moves = &slowpath->moves;
	uint32_t n = 0;

	pthread_mutex_lock(&moves->lock);
	for (uint64_t serial = moves->serial; serial > skip && n < max; n++, serial--) {
		uint64_t wanted = serial - skip;
		if (wanted < oldest_serial(moves))
			break;
		out[n] = *record_at(moves, wanted);
		if (!moves->frozen[(wanted - 1) % MOVES_KEPT])
			out[n].late_packets =
				atomic_load_explicit(&slowpath->plane->fdb->record[out[n].fdb].late_packets,
					memory_order_relaxed) -
				out[n].late_base;
	}
	pthread_mutex_unlock(&moves->lock);
	return n;
}
