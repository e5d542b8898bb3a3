/* SPDX-License-Identifier: BSD-3-Clause */
/* The management side of the FDB: inserting MACs that packet lcores report, within each segment's limit; the ledger's
 * view of moves, which packet lcores have followed already; and a sweep that widens the 16-bit stamps of the entries,
 * notices silence, and ends what has not been heard for long.
 *
 * An event is a hint, never the only copy of a fact: a lost NEW is told again by the next frame, and a lost MOVED is
 * seen by the sweep, because the record keeps the location that management knew last. */
#include "slowpath/slowpath_private.h"

static uint64_t entry_key(const struct slowpath *slowpath, uint32_t at)
{
	return atomic_load_explicit(&slowpath->plane->fdb->entry[at].key, memory_order_relaxed);
}

uint32_t fdb_learn(struct slowpath *slowpath, uint64_t key, uint32_t tunnel)
{
	struct fdb *fdb = slowpath->plane->fdb;
	uint32_t known = fdb_find(fdb, key);
	struct segment *segment = &slowpath->plane->segments->segment[fdb_key_segment(key)];
	struct rte_ether_addr mac;

	if (known != INDEX_NONE)
		return known;
	fdb_key_mac(key, &mac);
	if (rte_is_same_ether_addr(&mac, &segment->mac))
		return INDEX_NONE;
	int64_t at = -1;
	if (segment->mac_count < segment->mac_limit)
		at = fdb_insert(fdb, fdb_key_segment(key), &mac, tunnel, slowpath->now_ns);
	if (at < 0) {
		segment->mac_refused++;
		slowpath->counters.macs_refused++;
		return INDEX_NONE;
	}
	segment->mac_count++;
	slowpath->counters.macs_learned++;
	slowpath->fdb_top = RTE_MAX(slowpath->fdb_top, (uint32_t)at + 1);
	neighbour_mac_located(slowpath, key, (uint32_t)at);
	return (uint32_t)at;
}

static void location_is(struct slowpath *slowpath, uint32_t at, uint32_t tunnel)
{
	struct fdb_record *record = &slowpath->plane->fdb->record[at];
	uint32_t before = record->location;

	if (before == tunnel)
		return;
	moves_add(slowpath, at, before, tunnel);
	record->previous_location = before;
	record->location = tunnel;
	record->moved_ns = slowpath->now_ns;
	record->moves++;
	slowpath->counters.moves++;
}

/* A known MAC that spoke from a VTEP which was unknown until now: packet lcores had no tunnel to follow it to. Not when
 * it has been followed elsewhere meanwhile. */
static void follow_to_discovered(struct slowpath *slowpath, const struct fdb_event *event, uint32_t tunnel)
{
	uint32_t at = fdb_find(slowpath->plane->fdb, event->key);

	if (at != INDEX_NONE &&
		fdb_move(slowpath->plane->fdb, &slowpath->plane->fdb->entry[at], event->old_tunnel, tunnel))
		location_is(slowpath, at, tunnel);
}

static void fdb_event_handle(struct slowpath *slowpath, const struct fdb_event *event)
{
	const struct data_plane *plane = slowpath->plane;
	uint16_t segment = fdb_key_segment(event->key);
	uint32_t tunnel = event->tunnel;

	switch ((enum fdb_event_kind)event->kind) {
	case FDB_EVENT_NEW_VTEP:
		tunnel = vtep_discover(slowpath, segment, event->vtep);
		if (tunnel == INDEX_NONE)
			return;
		if (event->old_tunnel != INDEX_NONE) {
			follow_to_discovered(slowpath, event, tunnel);
			return;
		}
		/* fall through */
	case FDB_EVENT_NEW:
		fdb_learn(slowpath, event->key, tunnel);
		return;
	case FDB_EVENT_MOVED:
		if (event->fdb < plane->fdb->capacity && entry_key(slowpath, event->fdb) == event->key)
			location_is(slowpath, event->fdb, tunnel);
		return;
	}
}

unsigned fdb_events_drain(struct slowpath *slowpath, const struct slowpath_channel *channel)
{
	struct fdb_event event[EVENT_BURST];
	unsigned n = rte_ring_sc_dequeue_burst_elem(
		channel->events->ring, event, sizeof(*event), EVENT_BURST, NULL);

	for (unsigned i = 0; i < n; i++)
		fdb_event_handle(slowpath, &event[i]);
	return n;
}

/* A neighbour that is configured, or in use and answers ARP, needs the entry, however long ago its MAC spoke. */
static bool is_needed(const struct slowpath *slowpath, uint64_t key)
{
	const struct neighbour_table *table = slowpath->plane->neighbours;

	for (uint32_t at = mac_hosts_first(slowpath, key); at != INDEX_NONE;
		at = slowpath->host[at].same_mac_next)
		if (table->record[at].state == NEIGHBOUR_FIXED ||
			(table->record[at].state == NEIGHBOUR_REACHABLE && neighbour_wanted(slowpath, at)))
			return true;
	return false;
}

static void age_out(struct slowpath *slowpath, uint32_t at, uint64_t key)
{
	struct segment *segment = &slowpath->plane->segments->segment[fdb_key_segment(key)];

	moves_freeze(slowpath, at);
	fdb_remove(slowpath->plane->fdb, at, slowpath->now_ns);
	segment->mac_count--;
	slowpath->counters.macs_aged++;
	neighbour_mac_located(slowpath, key, INDEX_NONE);
}

static void fdb_look(struct slowpath *slowpath, uint32_t at)
{
	struct fdb_entry *entry = &slowpath->plane->fdb->entry[at];
	struct fdb_record *record = &slowpath->plane->fdb->record[at];
	uint64_t key = entry_key(slowpath, at);

	if (key == 0)
		return;
	/* A move changes the location, then the stamp, and the silence that ends with it belongs to the move: so the
	 * stamp is read first, and the location handled first. */
	uint16_t seen = atomic_load_explicit(&entry->last_seen, memory_order_acquire);
	uint16_t sent = atomic_load_explicit(&entry->last_sent, memory_order_relaxed);
	location_is(slowpath, at, atomic_load_explicit(&entry->location, memory_order_relaxed));
	bool sent_again = sent != record->sent_tick;

	if (sent_again) {
		record->sent_tick = sent;
		record->sent_ns = slowpath->now_ns;
	}
	if (seen != record->seen_tick) {
		silent_move_heard(slowpath, at);
		sent_again = sent_again && (int16_t)(sent - seen) > 0; /* not the packet that it answered */
	}
	if (sent_again && record->unanswered_ns == 0)
		record->unanswered_ns = slowpath->now_ns;
	silent_move_consider(slowpath, at);
	record->late_seen = atomic_load_explicit(&record->late_packets, memory_order_relaxed);
	if (slowpath->now_ns - record->seen_ns >= slowpath->mac_age_ns[fdb_key_segment(key)] &&
		!is_needed(slowpath, key))
		age_out(slowpath, at, key);
}

void fdb_sweep(struct slowpath *slowpath)
{
	struct sweep *sweep = &slowpath->fdb_sweep;

	if (sweep->cursor == 0) {
		if (slowpath->now_ns < sweep->due_ns)
			return;
		sweep->due_ns = slowpath->now_ns + SWEEP_NS;
		fdb_reclaim(slowpath->plane->fdb, slowpath->now_ns);
	}
	uint32_t end = RTE_MIN(sweep->cursor + FDB_SLICE, slowpath->fdb_top);
	for (uint32_t at = sweep->cursor; at < end; at++)
		fdb_look(slowpath, at);
	sweep->cursor = end < slowpath->fdb_top ? end : 0;
}
