/* SPDX-License-Identifier: BSD-3-Clause */
/* The FDB, the neighbours and the routes. */
#include "management/telemetry_private.h"

#include "base/clock.h"
#include "base/ip_address.h"
#include <stdio.h>

static uint64_t age_ns(uint64_t now_ns, uint64_t then_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

static rte_be32_t tunnel_vtep(const struct data_plane *plane, uint32_t tunnel)
{
	return tunnel < recent(plane->tunnels->count) ? plane->tunnels->tunnel[tunnel].vtep : 0;
}

static void fdb_row(
	const struct data_plane *plane, uint32_t index, uint64_t key, struct telemetry_object *row)
{
	const struct fdb_entry *entry = &plane->fdb->entry[index];
	const struct fdb_record *record = &plane->fdb->record[index];
	uint64_t now_ns = clock_now_ns(), seen_ns = recent(record->seen_ns);
	/* What a packet lcore noted since the last sweep has just happened. */
	bool just_seen = entry->last_seen != recent(record->seen_tick);
	struct rte_ether_addr mac;

	fdb_key_mac(key, &mac);
	object_start(row);
	object_string(row, "segment", interface_name(plane, interface_of_segment(fdb_key_segment(key))));
	object_mac(row, "mac", &mac);
	object_ipv4(row, "vtep", tunnel_vtep(plane, entry->location));
	object_u64(row, "idle_ms", just_seen ? 0 : age_ns(now_ns, seen_ns) / NS_PER_MS);
	object_u64(row, "learned_s", age_ns(now_ns, recent(record->learned_ns)) / NS_PER_SECOND);
	object_u64(row, "moves", recent(record->moves));
	object_ipv4(row, "previous_vtep", tunnel_vtep(plane, recent(record->previous_location)));
}

static bool fdb_wanted(const struct data_plane *plane, const struct telemetry_parameters *asked,
	uint32_t index, uint64_t key)
{
	struct rte_ether_addr mac;

	fdb_key_mac(key, &mac);
	if (!segment_wanted(asked, fdb_key_segment(key)))
		return false;
	if (asked->given & TELEMETRY_MAC && !rte_is_same_ether_addr(&mac, &asked->mac))
		return false;
	return !(asked->given & TELEMETRY_VTEP) ||
	       tunnel_vtep(plane, plane->fdb->entry[index].location) == asked->vtep;
}

int fdb_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	const struct fdb *fdb = sources->plane->fdb;
	struct telemetry_reply reply;

	reply_start(&reply, data, asked->count);
	for (uint64_t i = asked->cursor; i < fdb->capacity; i++) {
		uint64_t key = atomic_load_explicit(&fdb->entry[i].key, memory_order_acquire);
		struct telemetry_object row;

		if (key == 0 || !fdb_wanted(sources->plane, asked, (uint32_t)i, key))
			continue;
		if (reply_room(&reply, 320) == 0) {
			reply.next = i;
			break;
		}
		fdb_row(sources->plane, (uint32_t)i, key, &row);
		reply_row(&reply, &row);
	}
	return reply_end(&reply, "fdb");
}

static const char *neighbour_state_text(uint8_t state)
{
	static const char *const text[] = {
		[NEIGHBOUR_FREE] = "free",
		[NEIGHBOUR_INCOMPLETE] = "incomplete",
		[NEIGHBOUR_REACHABLE] = "reachable",
		[NEIGHBOUR_STALE] = "stale",
		[NEIGHBOUR_FAILED] = "failed",
		[NEIGHBOUR_FIXED] = "fixed",
	};
	return state < RTE_DIM(text) ? text[state] : "";
}

static void neighbour_row(
	const struct data_plane *plane, uint32_t index, uint64_t key, struct telemetry_object *row)
{
	const struct neighbour *neighbour = &plane->neighbours->entry[index];
	const struct neighbour_record *record = &plane->neighbours->record[index];
	uint64_t mac_bits = neighbour->mac, confirmed_ns = recent(record->confirmed_ns);
	uint32_t fdb = neighbour->fdb;
	struct rte_ether_addr mac;

	fdb_key_mac(mac_bits, &mac);
	object_start(row);
	object_string(row, "interface", interface_name(plane, neighbour_key_interface(key)));
	object_ipv4(row, "address", neighbour_key_ip(key));
	if (mac_bits != 0)
		object_mac(row, "mac", &mac);
	else
		object_string(row, "mac", "");
	object_string(row, "state", neighbour_state_text(recent(record->state)));
	object_ipv4(row, "vtep",
		fdb < plane->fdb->capacity ? tunnel_vtep(plane, plane->fdb->entry[fdb].location) : 0);
	if (confirmed_ns != 0)
		object_u64(row, "confirmed_s", age_ns(clock_now_ns(), confirmed_ns) / NS_PER_SECOND);
	object_u64(row, "probes", recent(record->probes));
}

int neighbours_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	const struct neighbour_table *table = sources->plane->neighbours;
	struct telemetry_reply reply;

	reply_start(&reply, data, asked->count);
	for (uint64_t i = asked->cursor; i < table->capacity; i++) {
		uint64_t key = atomic_load_explicit(&table->entry[i].key, memory_order_acquire);
		struct telemetry_object row;

		if (key == 0)
			continue;
		if (asked->given & TELEMETRY_INTERFACE && asked->interface != neighbour_key_interface(key))
			continue;
		if (asked->given & TELEMETRY_ADDRESS && asked->address != neighbour_key_ip(key))
			continue;
		if (reply_room(&reply, 320) == 0) {
			reply.next = i;
			break;
		}
		neighbour_row(sources->plane, (uint32_t)i, key, &row);
		reply_row(&reply, &row);
	}
	return reply_end(&reply, "neighbours");
}

static const char *next_hop_text(uint8_t kind)
{
	static const char *const text[] = {
		[NEXT_HOP_NONE] = "none",
		[NEXT_HOP_CONNECTED] = "connected",
		[NEXT_HOP_VIA] = "via",
		[NEXT_HOP_LOCAL] = "local",
		[NEXT_HOP_NAT] = "nat",
		[NEXT_HOP_LOCAL_NAT] = "local_nat",
		[NEXT_HOP_BROADCAST] = "broadcast",
		[NEXT_HOP_BLACKHOLE] = "blackhole",
	};
	return kind < RTE_DIM(text) ? text[kind] : "";
}

static void route_row(const struct data_plane *plane, uint32_t index, struct telemetry_object *row)
{
	const struct fib_route *route = &plane->fib->route[index];
	const struct next_hop *hop = &plane->fib->next_hop[route->next_hop];
	char text[IP_ADDRESS_TEXT], prefix[IP_PREFIX_TEXT];
	bool interface = hop->kind == NEXT_HOP_CONNECTED || hop->kind == NEXT_HOP_VIA ||
			 hop->kind == NEXT_HOP_LOCAL || hop->kind == NEXT_HOP_LOCAL_NAT;

	snprintf(prefix, sizeof(prefix), "%s/%u", ipv4_text(route->prefix, text), route->length);
	object_start(row);
	object_string(row, "prefix", prefix);
	object_string(row, "kind", next_hop_text(hop->kind));
	object_ipv4(row, "via", hop->kind == NEXT_HOP_VIA ? hop->gateway : 0);
	object_string(row, "interface", interface ? interface_name(plane, hop->interface) : "");
}

int routes_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	const struct fib *fib = sources->plane->fib;
	struct telemetry_reply reply;

	reply_start(&reply, data, asked->count);
	for (uint64_t i = asked->cursor; i < fib->route_count; i++) {
		const struct next_hop *hop = &fib->next_hop[fib->route[i].next_hop];
		struct telemetry_object row;

		if (asked->given & TELEMETRY_INTERFACE && asked->interface != hop->interface)
			continue;
		if (reply_room(&reply, 256) == 0) {
			reply.next = i;
			break;
		}
		route_row(sources->plane, (uint32_t)i, &row);
		reply_row(&reply, &row);
	}
	return reply_end(&reply, "routes");
}
