/* SPDX-License-Identifier: BSD-3-Clause */
/* Tunnels and the next hops that lead to their VTEPs: which port and neighbour, and the tunnel's header as soon as the
 * neighbour's MAC is known. Several tunnels share a neighbour; all such neighbours are kept resolved, used or not, so
 * that the first packet of a segment does not wait. A multicast group needs no resolution (RFC 1112 section 6.4). */
#include "base/ip_address.h"
#include "base/log.h"
#include "slowpath/slowpath_private.h"

static void header_set(
	struct slowpath *slowpath, struct tunnel *tunnel, const struct rte_ether_addr *next_hop_mac)
{
	const struct data_plane *plane = slowpath->plane;
	const struct segment *segment = &plane->segments->segment[tunnel->segment];

	tunnel_set_header(tunnel, &(struct tunnel_source){
					  .port_mac = plane->port[tunnel->port].mac,
					  .next_hop_mac = *next_hop_mac,
					  .gateway_mac = segment->mac,
					  .address = plane->vtep_address,
					  .udp_port = plane->vxlan_port,
					  .vni = segment->vni,
					  .mtu = segment->mtu,
					  .ttl = plane->vxlan_ttl,
				  });
}

static void header_update(struct slowpath *slowpath, struct tunnel *tunnel, uint32_t neighbour)
{
	uint64_t bits = atomic_load_explicit(
		&slowpath->plane->neighbours->entry[neighbour].mac, memory_order_relaxed);
	struct rte_ether_addr mac;

	if (bits == 0) {
		tunnel_set_unready(tunnel);
		return;
	}
	fdb_key_mac(bits, &mac);
	header_set(slowpath, tunnel, &mac);
}

static void group_resolve(struct slowpath *slowpath, struct tunnel *tunnel)
{
	struct rte_ether_addr mac;

	if (slowpath->underlay == INTERFACE_NONE)
		return;
	multicast_mac(tunnel->vtep, &mac);
	tunnel->port = slowpath->underlay;
	tunnel->next_hop = tunnel->vtep;
	header_set(slowpath, tunnel, &mac);
}

static void tunnel_resolve(struct slowpath *slowpath, struct tunnel *tunnel)
{
	const struct next_hop *hop = fib_find(slowpath->plane->fib, tunnel->vtep);
	char address[IP_ADDRESS_TEXT];

	if (!address_is_unicast(tunnel->vtep)) {
		group_resolve(slowpath, tunnel);
		return;
	}
	if ((hop->kind != NEXT_HOP_CONNECTED && hop->kind != NEXT_HOP_VIA) ||
		interface_is_segment(hop->interface)) {
		log_warning("no route to the VTEP %s by a port", ipv4_text(tunnel->vtep, address));
		return;
	}
	tunnel->port = hop->interface;
	tunnel->next_hop = hop->kind == NEXT_HOP_VIA ? hop->gateway : tunnel->vtep;
	uint32_t neighbour = neighbour_keep(slowpath, tunnel->port, tunnel->next_hop);
	if (neighbour == INDEX_NONE)
		return;
	slowpath->host[neighbour].carries_tunnels = true;
	header_update(slowpath, tunnel, neighbour);
}

void vtep_start(struct slowpath *slowpath)
{
	struct tunnel_table *tunnels = slowpath->plane->tunnels;
	const struct fib *fib = slowpath->plane->fib;

	for (uint32_t i = 0; i < tunnels->count; i++)
		tunnel_resolve(slowpath, &tunnels->tunnel[i]);
	for (uint32_t i = 0; i < fib->count; i++)
		if (fib->next_hop[i].kind == NEXT_HOP_VIA)
			neighbour_keep(slowpath, fib->next_hop[i].interface, fib->next_hop[i].gateway);
}

void vtep_next_hop_changed(struct slowpath *slowpath, uint32_t neighbour)
{
	struct tunnel_table *tunnels = slowpath->plane->tunnels;
	uint64_t key = slowpath->plane->neighbours->entry[neighbour].key;

	for (uint32_t i = 0; i < tunnels->count; i++) {
		struct tunnel *tunnel = &tunnels->tunnel[i];
		if (address_is_unicast(tunnel->vtep) && neighbour_key(tunnel->port, tunnel->next_hop) == key)
			header_update(slowpath, tunnel, neighbour);
	}
}

uint32_t vtep_discover(struct slowpath *slowpath, uint16_t segment, rte_be32_t vtep)
{
	struct data_plane *plane = slowpath->plane;
	uint32_t known = tunnel_find(plane->tunnels, segment, vtep);
	char address[IP_ADDRESS_TEXT];

	if (known != INDEX_NONE)
		return known;
	if (!segment_admits(&plane->segments->segment[segment], vtep) || !address_is_unicast(vtep) ||
		own_address(slowpath, vtep))
		return INDEX_NONE;
	int64_t at = tunnel_add(plane->tunnels, segment, vtep);
	if (at < 0) {
		slowpath->counters.vteps_refused++;
		return INDEX_NONE;
	}
	slowpath->counters.vteps_discovered++;
	log_info("%s: VTEP %s discovered", plane->segments->segment[segment].name, ipv4_text(vtep, address));
	tunnel_resolve(slowpath, &plane->tunnels->tunnel[at]);
	return (uint32_t)at;
}
