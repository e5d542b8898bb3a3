/* SPDX-License-Identifier: BSD-3-Clause */
/* From a checked configuration to the tables. What can still fail here is memory. */
#include "management/config_apply.h"
#include "base/log.h"
#include "management/config_nat.h"
#include "management/config_pool.h"
#include "packet/vxlan_wire.h"
#include "table/nat.h"
#include "table/nat_need.h"
#include "table/neighbour.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FDB_MAX (1u << 20)
_Static_assert(FDB_MAX < NEIGHBOUR_PLACE_MAX, "a neighbour can note each entry");
#define DISCOVERED_VTEPS      256u /* for each segment whose VTEPs are not listed */
#define NEIGHBOURS_ON_PORTS   4096u
#define ROUTES_FOR_AN_ADDRESS 4u /* connected, the address itself, both broadcast addresses */

static void ports_apply(struct data_plane *plane, const struct config *config, const struct port_facts *facts)
{
	plane->port_count = (uint16_t)config->port_count;
	for (uint32_t i = 0; i < config->port_count; i++) {
		const struct config_port *from = &config->port[i];
		struct port_interface *port = &plane->port[i];

		*port = (struct port_interface){
			.used = true,
			.device = facts[i].device,
			.mtu = from->mtu,
			.mac = facts[i].mac,
			.partial_checksums = facts[i].partial_checksums,
			.rx_ip_checksum = facts[i].rx_ip_checksum,
			.rx_l4_checksum = facts[i].rx_l4_checksum,
		};
		memcpy(port->name, from->name, sizeof(port->name));
		for (uint32_t a = 0; a < from->address_count && a < PORT_ADDRESSES_MAX; a++)
			port->address[port->address_count++] =
				(struct port_address){ from->address[a].address.v4, from->address[a].length };
	}
}

static int segment_apply(struct data_plane *plane, const struct config_segment *from)
{
	int at = segment_add(plane->segments, from->vni);

	if (at < 0)
		return at;
	struct segment *segment = &plane->segments->segment[at];
	segment->mtu = from->mtu;
	segment->tcp_mss_max = from->tcp_mss_clamp;
	segment->mac = from->mac;
	segment->gateway = from->gateway.address.v4;
	segment->prefix_length = from->gateway.length;
	segment->mask = ipv4_mask(from->gateway.length);
	segment->mac_limit = from->mac_limit;
	segment->dhcp_relay = from->dhcp_relay.present;
	memcpy(segment->name, from->name, sizeof(segment->name));
	for (uint32_t i = 0; i < from->vtep_count; i++) {
		int64_t tunnel = tunnel_add(plane->tunnels, (uint16_t)at, from->vtep[i].v4);
		if (tunnel < 0)
			return (int)tunnel;
		plane->tunnels->tunnel[tunnel].flood = true;
		plane->tunnels->tunnel[tunnel].configured = true;
	}
	if (from->group.family == AF_UNSPEC)
		return 0;
	int64_t tunnel = tunnel_add(plane->tunnels, (uint16_t)at, from->group.v4);
	if (tunnel < 0)
		return (int)tunnel;
	plane->tunnels->tunnel[tunnel].configured = true;
	segment->discovers_vteps = true;
	segment->group = from->group.v4;
	segment->group_tunnel = (uint32_t)tunnel;
	for (uint32_t i = 0; i < from->member_count && i < SEGMENT_MEMBERS_MAX; i++) {
		rte_be32_t mask = ipv4_mask(from->member[i].length);
		segment->member[segment->member_count++] =
			(struct segment_member){ from->member[i].address.v4 & mask, mask };
	}
	return 0;
}

static uint32_t routes_count(const struct config *config)
{
	uint64_t count = config->route_count + ROUTES_FOR_AN_ADDRESS * config->segment_count +
			 config->nat.static_count + config->nat.forward_count;

	for (uint32_t i = 0; i < config->segment_count; i++)
		count += config->segment[i].dhcp_relay.server_count;
	for (uint32_t i = 0; i < config->port_count; i++)
		count += ROUTES_FOR_AN_ADDRESS * config->port[i].address_count;
	for (uint32_t i = 0; i < config->nat.pool_count; i++)
		count += 64u * /* a range is at most 62 prefixes; each exclusion can cut one in two */
			 (config->nat.pool[i].range_count + config->nat.pool[i].exclude_count);
	return (uint32_t)RTE_MIN(count, (uint64_t)FIB_NEXT_HOPS);
}

struct data_plane_size data_plane_size(const struct config *config)
{
	struct data_plane_size size = { .segments = (uint16_t)config->segment_count,
		.routes = routes_count(config) };
	uint64_t macs = 0;

	for (uint32_t i = 0; i < config->segment_count; i++) {
		const struct config_segment *segment = &config->segment[i];
		size.tunnels +=
			segment->vtep_count + (segment->group.family != AF_UNSPEC ? DISCOVERED_VTEPS : 0);
		macs += segment->mac_limit;
	}
	size.macs = (uint32_t)RTE_MIN(macs, (uint64_t)FDB_MAX) + 1;
	size.neighbours = size.macs + NEIGHBOURS_ON_PORTS;
	for (uint32_t i = 0; i < config->port_count; i++)
		size.neighbours += config->port[i].neighbour_count;
	return size;
}

struct memory_need data_plane_need(const struct config *config, uint16_t owners)
{
	const struct data_plane_size size = data_plane_size(config);
	struct memory_need need = memory_of_process(1, sizeof(struct data_plane));
	struct config_nat_settings nat;

	memory_need_add(&need, segment_table_need(size.segments));
	memory_need_add(&need, tunnel_table_need(size.tunnels));
	memory_need_add(&need, fdb_need(size.macs));
	memory_need_add(&need, neighbour_table_need(size.neighbours));
	memory_need_add(&need, fib_need(size.routes));
	if (config_nat_settings_make(config, owners, &nat) == 0) {
		memory_need_add(&need, nat_need(&nat.settings));
		config_nat_settings_free(&nat);
	}
	return need;
}

static int segments_apply(struct data_plane *plane, const struct config *config)
{
	const struct data_plane_size size = data_plane_size(config);

	plane->segments = segment_table_create(size.segments);
	plane->tunnels = tunnel_table_create(size.tunnels);
	plane->fdb = fdb_create(size.macs);
	plane->neighbours = neighbour_table_create(size.neighbours);
	if (plane->segments == NULL || plane->tunnels == NULL || plane->fdb == NULL ||
		plane->neighbours == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < config->segment_count; i++) {
		int status = segment_apply(plane, &config->segment[i]);
		if (status < 0)
			return status;
	}
	return 0;
}

/* Does NAT have ports of an address that is our own? */
static bool address_is_shared(const struct config_nat *nat, rte_be32_t address)
{
	for (uint32_t i = 0; i < nat->forward_count; i++)
		if (nat->forward[i].outside.v4 == address)
			return true;
	for (uint32_t i = 0; i < nat->pool_count; i++)
		if (config_pool_has(&nat->pool[i], rte_be_to_cpu_32(address)))
			return true;
	return false;
}

/* The address itself, its network and the broadcast addresses of that (RFC 1812 section 4.2.3.1). */
static int address_route(
	struct fib *fib, rte_be32_t address, uint8_t length, interface_id interface, bool with_nat)
{
	rte_be32_t mask = ipv4_mask(length), network = address & mask;
	const struct next_hop local = { .kind = with_nat ? NEXT_HOP_LOCAL_NAT : NEXT_HOP_LOCAL,
		.prefix_length = 32,
		.interface = interface };
	const struct next_hop broadcast = {
		.kind = NEXT_HOP_BROADCAST, .prefix_length = 32, .interface = interface
	};
	const struct next_hop connected = {
		.kind = NEXT_HOP_CONNECTED, .prefix_length = length, .interface = interface
	};
	int status = fib_add(fib, address, 32, &local);

	if (length < 31 && (status == 0 || status == -EEXIST))
		status = fib_add(fib, network, 32, &broadcast);
	if (length < 31 && (status == 0 || status == -EEXIST))
		status = fib_add(fib, network | ~mask, 32, &broadcast);
	if (length < 32 && (status == 0 || status == -EEXIST))
		status = fib_add(fib, network, length, &connected);
	/* Segments may overlap when NAT keeps them apart: the prefix then leads to the first of them. */
	return status == -EEXIST ? 0 : status;
}

/* A range of addresses as the fewest prefixes. */
static int range_route(struct fib *fib, const struct config_nat_range *range)
{
	const struct next_hop hop = { .kind = NEXT_HOP_NAT, .interface = INTERFACE_NONE };
	uint64_t at = range->first;

	while (at <= range->last) {
		uint8_t length = 32;
		while (length > 0 && (at & (UINT64_C(1) << (32 - length))) == 0 &&
			at + (UINT64_C(2) << (32 - length)) - 1 <= range->last)
			length--;
		int status = fib_add(fib, rte_cpu_to_be_32((uint32_t)at), length, &hop);
		if (status < 0 && status != -EEXIST)
			return status;
		at += UINT64_C(1) << (32 - length);
	}
	return 0;
}

static int nat_routes(struct fib *fib, const struct config_nat *nat)
{
	const struct next_hop hop = { .kind = NEXT_HOP_NAT, .interface = INTERFACE_NONE };
	int status = 0;

	for (uint32_t i = 0; i < nat->pool_count; i++) {
		struct config_pool_walk walk = { 0 };
		struct config_nat_range piece;

		while (status == 0 && config_pool_piece(&nat->pool[i], &walk, &piece))
			status = range_route(fib, &piece);
	}
	for (uint32_t i = 0; i < nat->static_count && (status == 0 || status == -EEXIST); i++)
		status = fib_add(fib, nat->static_binding[i].outside.v4, 32, &hop);
	for (uint32_t i = 0; i < nat->forward_count && (status == 0 || status == -EEXIST); i++)
		status = fib_add(fib, nat->forward[i].outside.v4, 32, &hop);
	return status == -EEXIST ? 0 : status;
}

static int configured_route(struct fib *fib, const struct config_route *route)
{
	struct next_hop hop = { .kind = NEXT_HOP_BLACKHOLE, .prefix_length = route->prefix.length };

	if (!route->blackhole) {
		const struct next_hop *via = fib_find(fib, route->via.v4);
		hop.kind = NEXT_HOP_VIA;
		hop.gateway = route->via.v4;
		hop.interface = via->interface;
	}
	return fib_add(
		fib, route->prefix.address.v4 & ipv4_mask(route->prefix.length), route->prefix.length, &hop);
}

/* A way of its own to each DHCP server, the same as without, but noted (table/fib.h). */
static int dhcp_server_routes(struct fib *fib, const struct config_dhcp_relay *relay)
{
	int status = 0;

	for (uint32_t i = 0; i < relay->server_count && status == 0; i++) {
		struct next_hop hop = *fib_find(fib, relay->server[i].v4);
		hop.dhcp_server = true;
		if (hop.kind == NEXT_HOP_CONNECTED || hop.kind == NEXT_HOP_VIA)
			status = fib_add(fib, relay->server[i].v4, 32, &hop);
		status = status == -EEXIST ? 0 : status;
	}
	return status;
}

static int routes_apply(struct data_plane *plane, const struct config *config)
{
	int status = 0;

	plane->fib = fib_create(data_plane_size(config).routes);
	if (plane->fib == NULL)
		return -ENOMEM;
	for (uint16_t p = 0; p < plane->port_count; p++)
		for (uint16_t a = 0; a < plane->port[p].address_count && status == 0; a++) {
			const struct port_address *address = &plane->port[p].address[a];
			status = address_route(plane->fib, address->address, address->length, p,
				address_is_shared(&config->nat, address->address));
		}
	for (uint16_t s = 0; s < plane->segments->count && status == 0; s++) {
		const struct segment *segment = &plane->segments->segment[s];
		status = address_route(
			plane->fib, segment->gateway, segment->prefix_length, segment->interface, false);
	}
	if (status == 0)
		status = nat_routes(plane->fib, &config->nat);
	for (uint32_t i = 0; i < config->route_count && status == 0; i++)
		status = configured_route(plane->fib, &config->route[i]);
	for (uint32_t i = 0; i < config->segment_count && status == 0; i++)
		status = dhcp_server_routes(plane->fib, &config->segment[i].dhcp_relay);
	fib_finish(plane->fib);
	return status;
}

static int nat_apply(struct data_plane *plane, const struct config *config, uint16_t owners,
	const struct nat_steering_settings *steering)
{
	struct config_nat_settings made;
	int status = config_nat_settings_make(config, owners, &made);

	if (status < 0)
		return status;
	made.settings.steering = *steering;
	plane->nat = nat_create(&made.settings);
	status = plane->nat == NULL ? -errno : 0;
	config_nat_settings_free(&made);
	return status;
}

struct data_plane *data_plane_create(const struct config *config, const struct port_facts *facts,
	uint16_t owners, struct rte_mempool *control_pool)
{
	static const struct nat_steering_settings none;

	return data_plane_create_steered(config, facts, owners, control_pool, &none);
}

struct data_plane *data_plane_create_steered(const struct config *config, const struct port_facts *facts,
	uint16_t owners, struct rte_mempool *control_pool, const struct nat_steering_settings *steering)
{
	struct data_plane *plane = calloc(1, sizeof(*plane));

	if (plane == NULL)
		return NULL;
	plane->control_pool = control_pool;
	if (config->vxlan.present) {
		plane->vtep_address = config->vxlan.source.v4;
		plane->vxlan_port = rte_cpu_to_be_16(config->vxlan.udp_port);
		plane->vxlan_ttl = config->vxlan.ttl;
	}
	ports_apply(plane, config, facts);
	int status = segments_apply(plane, config);
	if (status == 0)
		status = routes_apply(plane, config);
	if (status == 0)
		status = nat_apply(plane, config, owners, steering);
	if (status == 0)
		return plane;
	log_error("cannot build the tables of %s: %s (memory.mib is %u)", config->name, strerror(-status),
		config->memory_mib);
	data_plane_destroy(plane);
	errno = -status;
	return NULL;
}

void data_plane_destroy(struct data_plane *plane)
{
	if (plane == NULL)
		return;
	nat_destroy(plane->nat);
	fib_destroy(plane->fib);
	neighbour_table_destroy(plane->neighbours);
	fdb_destroy(plane->fdb);
	tunnel_table_destroy(plane->tunnels);
	segment_table_destroy(plane->segments);
	free(plane);
}
