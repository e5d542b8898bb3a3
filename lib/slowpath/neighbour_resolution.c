/* SPDX-License-Identifier: BSD-3-Clause */
/* Resolving neighbours by ARP and keeping them so. The life of a neighbour (its states are in table/neighbour.h):
 *
 *   a packet for it    INCOMPLETE  asked at once and each second; after the third try without an answer: FAILED
 *   an answer          REACHABLE   for reachable_s; then STALE
 *   reachable_s later  STALE       usable. If in use: asked by unicast three times, then everyone is asked three
 *                                  times, then FAILED. If not in use: forgotten after ten times reachable_s
 *   no answer          FAILED      packets get ICMP host unreachable, and nobody is asked, for three seconds; then
 *                                  forgotten, or, when it is to be kept (next hop of a VTEP), asked again
 *
 * Any word of it by ARP makes it REACHABLE. What packets use is the MAC, not the state. One that is configured is FIXED
 * from the start, and ARP does not change it. */
#include "slowpath/slowpath_private.h"

#define RETRY_NS      NS_PER_SECOND
#define HOLD_DOWN_NS  (3 * NS_PER_SECOND)
#define UNICAST_TRIES 3
#define FLOODED_TRIES 3
#define IDLE_FACTOR   10

static struct neighbour *entry_of(const struct slowpath *slowpath, uint32_t at)
{
	return &slowpath->plane->neighbours->entry[at];
}

static struct neighbour_record *record_of(const struct slowpath *slowpath, uint32_t at)
{
	return &slowpath->plane->neighbours->record[at];
}

static interface_id interface_of(const struct neighbour *neighbour)
{
	return neighbour_key_interface(atomic_load_explicit(&neighbour->key, memory_order_relaxed));
}

static rte_be32_t ip_of(const struct neighbour *neighbour)
{
	return neighbour_key_ip(atomic_load_explicit(&neighbour->key, memory_order_relaxed));
}

static uint64_t mac_of(const struct neighbour *neighbour)
{
	return atomic_load_explicit(&neighbour->mac, memory_order_relaxed);
}

static bool state_is_unresolved(uint8_t state)
{
	return state == NEIGHBOUR_INCOMPLETE || state == NEIGHBOUR_FAILED;
}

static void state_set(struct slowpath *slowpath, uint32_t at, enum neighbour_state state)
{
	struct neighbour_record *record = record_of(slowpath, at);

	slowpath->unresolved -= state_is_unresolved(record->state);
	slowpath->unresolved += state_is_unresolved((uint8_t)state);
	record->state = (uint8_t)state;
	record->probes = 0;
	record->due_ns = slowpath->now_ns;
}

bool neighbour_usable(const struct slowpath *slowpath, uint32_t at)
{
	const struct neighbour *neighbour = entry_of(slowpath, at);
	interface_id interface = interface_of(neighbour);
	uint64_t mac = mac_of(neighbour);

	if (mac == 0 || !interface_is_segment(interface))
		return mac != 0;
	return fdb_find(slowpath->plane->fdb, neighbour_mac_key(interface, mac)) != INDEX_NONE;
}

bool neighbour_wanted(const struct slowpath *slowpath, uint32_t at)
{
	return slowpath->host[at].kept ||
	       slowpath->now_ns - record_of(slowpath, at)->used_ns < slowpath->reachable_ns;
}

/* One request: to the MAC itself while that has tries left and a place, else to everyone. */
static void neighbour_ask(struct slowpath *slowpath, uint32_t at)
{
	const struct neighbour *neighbour = entry_of(slowpath, at);
	struct neighbour_record *record = record_of(slowpath, at);
	interface_id interface = interface_of(neighbour);
	uint64_t mac = mac_of(neighbour);
	uint32_t tunnel = INDEX_NONE;

	if (mac != 0 && interface_is_segment(interface)) {
		uint32_t fdb = fdb_find(slowpath->plane->fdb, neighbour_mac_key(interface, mac));
		if (fdb == INDEX_NONE)
			record->probes = (uint8_t)RTE_MAX(record->probes, UNICAST_TRIES);
		else
			tunnel = atomic_load_explicit(
				&slowpath->plane->fdb->entry[fdb].location, memory_order_relaxed);
	}
	if (mac != 0 && record->probes < UNICAST_TRIES)
		arp_ask_host(slowpath, interface, ip_of(neighbour), mac, tunnel);
	else
		arp_ask(slowpath, interface, ip_of(neighbour));
	record->probes++;
	record->due_ns = slowpath->now_ns + RETRY_NS;
}

/* A scan of a prefix full of nobody must not take the room of those that answer. */
static bool unresolved_room(const struct slowpath *slowpath)
{
	return slowpath->unresolved < RTE_MAX(slowpath->plane->neighbours->capacity / 2, 1u);
}

static uint32_t neighbour_new(struct slowpath *slowpath, interface_id interface, rte_be32_t ip)
{
	int64_t at = neighbour_insert(slowpath->plane->neighbours, interface, ip);

	if (at < 0) {
		slowpath->counters.neighbours_refused++;
		return INDEX_NONE;
	}
	slowpath->host[at] = (struct host){
		.same_mac_next = INDEX_NONE, .waiting_first = INDEX_NONE, .waiting_last = INDEX_NONE
	};
	slowpath->neighbour_top = RTE_MAX(slowpath->neighbour_top, (uint32_t)at + 1);
	slowpath->unresolved++; /* the table makes it INCOMPLETE */
	struct neighbour_record *record = record_of(slowpath, (uint32_t)at);
	record->used_ns = record->due_ns = slowpath->now_ns;
	record->used_tick =
		atomic_load_explicit(&entry_of(slowpath, (uint32_t)at)->last_used, memory_order_relaxed);
	return (uint32_t)at;
}

static void mac_change(struct slowpath *slowpath, uint32_t at, const struct rte_ether_addr *mac)
{
	struct neighbour *neighbour = entry_of(slowpath, at);
	interface_id interface = interface_of(neighbour);
	uint64_t before = mac_of(neighbour), after = fdb_mac_bits(mac);
	uint32_t fdb = INDEX_NONE;

	if (interface_is_segment(interface)) {
		if (before != after && before != 0)
			mac_hosts_remove(slowpath, neighbour_mac_key(interface, before), at);
		if (before != after && after != 0)
			mac_hosts_add(slowpath, neighbour_mac_key(interface, after), at);
		if (after != 0)
			fdb = fdb_find(slowpath->plane->fdb, neighbour_mac_key(interface, after));
	}
	neighbour_set_mac(slowpath->plane->neighbours, at, mac, fdb);
	if (before != after && before != 0)
		fdb_changed(slowpath->plane->fdb); /* an lcore may just now note where the one before is */
	if (before != after && slowpath->host[at].carries_tunnels)
		vtep_next_hop_changed(slowpath, at);
}

static void neighbour_forget(struct slowpath *slowpath, uint32_t at)
{
	pending_fail(slowpath, at);
	mac_change(slowpath, at, &(struct rte_ether_addr){ { 0 } });
	slowpath->unresolved -= state_is_unresolved(record_of(slowpath, at)->state);
	neighbour_remove(slowpath->plane->neighbours, at, slowpath->now_ns);
}

static void neighbour_fail(struct slowpath *slowpath, uint32_t at)
{
	slowpath->counters.neighbours_failed++;
	mac_change(slowpath, at, &(struct rte_ether_addr){ { 0 } });
	state_set(slowpath, at, NEIGHBOUR_FAILED);
	record_of(slowpath, at)->due_ns = slowpath->now_ns + HOLD_DOWN_NS;
	pending_fail(slowpath, at);
}

void neighbour_learn(struct slowpath *slowpath, interface_id interface, rte_be32_t ip,
	const struct rte_ether_addr *mac, bool create)
{
	uint32_t at = neighbour_find(slowpath->plane->neighbours, interface, ip);

	if (at == INDEX_NONE && create)
		at = neighbour_new(slowpath, interface, ip);
	if (at == INDEX_NONE || record_of(slowpath, at)->state == NEIGHBOUR_FIXED)
		return;
	mac_change(slowpath, at, mac);
	state_set(slowpath, at, NEIGHBOUR_REACHABLE);
	record_of(slowpath, at)->confirmed_ns = slowpath->now_ns;
	record_of(slowpath, at)->due_ns = slowpath->now_ns + slowpath->reachable_ns;
	if (neighbour_usable(slowpath, at))
		pending_send(slowpath, at);
}

bool neighbour_fix(
	struct slowpath *slowpath, interface_id interface, rte_be32_t ip, const struct rte_ether_addr *mac)
{
	uint32_t at = neighbour_new(slowpath, interface, ip);

	if (at == INDEX_NONE)
		return false;
	mac_change(slowpath, at, mac);
	state_set(slowpath, at, NEIGHBOUR_FIXED);
	record_of(slowpath, at)->confirmed_ns = slowpath->now_ns;
	record_of(slowpath, at)->due_ns = UINT64_MAX;
	return true;
}

uint32_t neighbour_keep(struct slowpath *slowpath, interface_id interface, rte_be32_t ip)
{
	uint32_t at = neighbour_find(slowpath->plane->neighbours, interface, ip);

	if (at == INDEX_NONE) {
		at = neighbour_new(slowpath, interface, ip);
		if (at != INDEX_NONE)
			neighbour_ask(slowpath, at);
	}
	if (at != INDEX_NONE)
		slowpath->host[at].kept = true;
	return at;
}

void neighbour_mac_located(struct slowpath *slowpath, uint64_t key, uint32_t fdb)
{
	uint32_t first = mac_hosts_first(slowpath, key);

	if (fdb != INDEX_NONE)
		slowpath->plane->fdb->record[fdb].neighbour = first;
	for (uint32_t at = first; at != INDEX_NONE; at = slowpath->host[at].same_mac_next) {
		atomic_store_explicit(&entry_of(slowpath, at)->fdb, fdb, memory_order_relaxed);
		if (fdb != INDEX_NONE)
			pending_send(slowpath, at);
		else if (record_of(slowpath, at)->state == NEIGHBOUR_REACHABLE)
			state_set(
				slowpath, at, NEIGHBOUR_STALE); /* so that it is searched when it is wanted */
	}
}

/* A packet that mac_lookup had no MAC, or no place of the MAC, for. */
void neighbour_unresolved_input(struct slowpath *slowpath, struct rte_mbuf *m)
{
	const struct packet_metadata *meta = packet_metadata(m);
	uint32_t at = neighbour_find(slowpath->plane->neighbours, meta->egress, meta->next_hop);

	if (at == INDEX_NONE && unresolved_room(slowpath))
		at = neighbour_new(slowpath, meta->egress, meta->next_hop);
	else if (at == INDEX_NONE)
		slowpath->counters.neighbours_refused++;
	if (at == INDEX_NONE) {
		packet_drop(slowpath, m, SLOWPATH_DROP_NEIGHBOUR_UNRESOLVED);
		return;
	}
	struct neighbour_record *record = record_of(slowpath, at);
	record->used_ns = slowpath->now_ns;
	if (record->state == NEIGHBOUR_FAILED) {
		packet_unreachable(slowpath, m);
		return;
	}
	if (!pending_add(slowpath, at, m)) {
		packet_drop(slowpath, m, SLOWPATH_DROP_NEIGHBOUR_UNRESOLVED);
		return;
	}
	if (neighbour_usable(slowpath, at)) {
		/* Answered while the packet was on its way here. One that comes back again and again waits instead,
		 * and ends with its time. */
		if (meta->resolutions == 0)
			pending_send(slowpath, at);
		return;
	}
	if (record->state == NEIGHBOUR_REACHABLE) {
		/* Its MAC is in no place: gone from the FDB, or refused by it, and then asking again would not help. */
		if (slowpath->now_ns - record->confirmed_ns < RETRY_NS)
			return;
		state_set(slowpath, at, NEIGHBOUR_STALE);
	}
	if (record->probes == 0)
		neighbour_ask(slowpath, at);
}

static void incomplete_due(struct slowpath *slowpath, uint32_t at)
{
	if (record_of(slowpath, at)->probes < FLOODED_TRIES)
		neighbour_ask(slowpath, at);
	else
		neighbour_fail(slowpath, at);
}

static void reachable_due(struct slowpath *slowpath, uint32_t at)
{
	state_set(slowpath, at, NEIGHBOUR_STALE);
}

static void stale_due(struct slowpath *slowpath, uint32_t at)
{
	const struct neighbour_record *record = record_of(slowpath, at);
	uint8_t probes = record->probes;

	if (probes == 0 && !neighbour_wanted(slowpath, at)) {
		uint64_t last = RTE_MAX(record->used_ns, record->confirmed_ns);
		if (slowpath->now_ns - last >= IDLE_FACTOR * slowpath->reachable_ns)
			neighbour_forget(slowpath, at);
		return;
	}
	if (probes < UNICAST_TRIES + FLOODED_TRIES)
		neighbour_ask(slowpath, at);
	else
		neighbour_fail(slowpath, at);
}

static void failed_due(struct slowpath *slowpath, uint32_t at)
{
	if (!slowpath->host[at].kept) {
		neighbour_forget(slowpath, at);
		return;
	}
	state_set(slowpath, at, NEIGHBOUR_INCOMPLETE);
	neighbour_ask(slowpath, at);
}

static void (*const state_due[])(struct slowpath *slowpath, uint32_t at) = {
	[NEIGHBOUR_INCOMPLETE] = incomplete_due,
	[NEIGHBOUR_REACHABLE] = reachable_due,
	[NEIGHBOUR_STALE] = stale_due,
	[NEIGHBOUR_FAILED] = failed_due,
};

static void neighbour_look(struct slowpath *slowpath, uint32_t at)
{
	struct neighbour_record *record = record_of(slowpath, at);

	if (record->state == NEIGHBOUR_FREE)
		return;
	uint16_t used = atomic_load_explicit(&entry_of(slowpath, at)->last_used, memory_order_relaxed);
	if (used != record->used_tick) {
		record->used_tick = used;
		record->used_ns = slowpath->now_ns;
	}
	if (record->due_ns <= slowpath->now_ns)
		state_due[record->state](slowpath, at);
}

void neighbour_sweep(struct slowpath *slowpath)
{
	struct sweep *sweep = &slowpath->neighbour_sweep;

	if (sweep->cursor == 0) {
		if (slowpath->now_ns < sweep->due_ns)
			return;
		sweep->due_ns = slowpath->now_ns + SWEEP_NS;
		neighbour_reclaim(slowpath->plane->neighbours, slowpath->now_ns);
		pending_expire(slowpath);
	}
	uint32_t end = RTE_MIN(sweep->cursor + NEIGHBOUR_SLICE, slowpath->neighbour_top);
	for (uint32_t at = sweep->cursor; at < end; at++)
		neighbour_look(slowpath, at);
	sweep->cursor = end < slowpath->neighbour_top ? end : 0;
}
