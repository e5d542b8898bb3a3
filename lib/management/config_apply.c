/* SPDX-License-Identifier: BSD-3-Clause */
/* From a checked configuration to the tables. What can still fail here is memory. */
#include "management/config_apply.h"
#include "base/log.h"
#include "management/config_pool.h"
#include "nat_log/nat_log.h"
#include "packet/vxlan_wire.h"
#include "table/nat.h"
#include "table/nat_event.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FDB_MAX               (1u << 20)
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

static int segments_apply(struct data_plane *plane, const struct config *config)
{
	uint32_t tunnels = 0;
	uint64_t macs = 0;

	for (uint32_t i = 0; i < config->segment_count; i++) {
		const struct config_segment *segment = &config->segment[i];
		tunnels += segment->vtep_count + (segment->group.family != AF_UNSPEC ? DISCOVERED_VTEPS : 0);
		macs += segment->mac_limit;
	}
	uint32_t fdb = (uint32_t)RTE_MIN(macs, (uint64_t)FDB_MAX) + 1;
	plane->segments = segment_table_create((uint16_t)config->segment_count);
	plane->tunnels = tunnel_table_create(tunnels);
	plane->fdb = fdb_create(fdb);
	plane->neighbours = neighbour_table_create(fdb + NEIGHBOURS_ON_PORTS);
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

static int routes_apply(struct data_plane *plane, const struct config *config)
{
	int status = 0;

	plane->fib = fib_create(routes_count(config));
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
	return status;
}

/* The ranges of all pools, without what they exclude, one pool after the other. NULL: no memory. */
static struct nat_pool_range *pool_ranges(const struct config_nat *from)
{
	struct nat_pool_range *range;
	size_t count = 0;

	for (uint32_t i = 0; i < from->pool_count; i++)
		count += config_pool_pieces(&from->pool[i]);
	range = calloc(count + 1, sizeof(*range));
	count = 0;
	for (uint32_t i = 0; range != NULL && i < from->pool_count; i++) {
		struct config_pool_walk walk = { 0 };
		struct config_nat_range piece;

		while (config_pool_piece(&from->pool[i], &walk, &piece))
			range[count++] = (struct nat_pool_range){ .first = piece.first, .last = piece.last };
	}
	return range;
}

static void nat_rules_copy(const struct config_nat *from, const struct nat_pool_range *range,
	struct nat_pool_settings *pool, struct nat_source_settings *source,
	struct nat_static_settings *binding, struct nat_forward_settings *forward)
{
	for (uint32_t i = 0; i < from->pool_count; i++) {
		uint32_t pieces = config_pool_pieces(&from->pool[i]);

		pool[i] = (struct nat_pool_settings){ .name = from->pool[i].name,
			.range = range,
			.range_count = pieces,
			.filtering = (enum nat_filtering)from->pool[i].filtering,
			.ports = (const struct nat_port_range *)from->pool[i].ports.range,
			.port_range_count = from->pool[i].ports.count,
			.port_block = from->pool[i].port_block,
			.deterministic = from->pool[i].deterministic,
			.limits = { .ports = from->pool[i].limits.ports,
				.sessions = from->pool[i].limits.sessions,
				.new_sessions_a_second = from->pool[i].limits.new_sessions_per_second } };
		range += pieces;
	}
	for (uint32_t i = 0; i < from->source_count; i++)
		source[i] = (struct nat_source_settings){ .segment = (uint16_t)from->source[i].segment,
			.prefix =
				from->source[i].prefix.address.v4 & ipv4_mask(from->source[i].prefix.length),
			.prefix_length = from->source[i].prefix.length,
			.pool = from->source[i].pool };
	for (uint32_t i = 0; i < from->static_count; i++)
		binding[i] =
			(struct nat_static_settings){ .segment = (uint16_t)from->static_binding[i].segment,
				.inside = from->static_binding[i].inside.v4,
				.outside = from->static_binding[i].outside.v4 };
	for (uint32_t i = 0; i < from->forward_count; i++)
		forward[i] = (struct nat_forward_settings){ .segment = (uint16_t)from->forward[i].segment,
			.protocol = from->forward[i].protocol,
			.outside = from->forward[i].outside.v4,
			.inside = from->forward[i].inside.v4,
			.outside_port = from->forward[i].outside_port,
			.inside_port = from->forward[i].inside_port };
}

_Static_assert(sizeof(struct nat_port_range) == sizeof(struct config_nat_port_range) &&
		       CONFIG_PORT_RANGES == NAT_PORT_RANGES,
	"the same two words");

static uint32_t nat_log_events(const struct config_nat_log *log)
{
	static const uint32_t events[] = {
		[CONFIG_LOG_BINDINGS] =
			NAT_EVENT_BIT(NAT_EVENT_BINDING_CREATED) | NAT_EVENT_BIT(NAT_EVENT_BINDING_DELETED),
		[CONFIG_LOG_BLOCKS] =
			NAT_EVENT_BIT(NAT_EVENT_BLOCK_TAKEN) | NAT_EVENT_BIT(NAT_EVENT_BLOCK_RETURNED),
		[CONFIG_LOG_SESSIONS] =
			NAT_EVENT_BIT(NAT_EVENT_SESSION_CREATED) | NAT_EVENT_BIT(NAT_EVENT_SESSION_DELETED),
	};
	uint32_t wanted = NAT_EVENT_BIT(NAT_EVENT_LIMIT);

	for (uint32_t i = 0; i < RTE_DIM(events); i++)
		if (log->events & 1u << i)
			wanted |= events[i];
	return log->present ? wanted : 0;
}

static uint32_t bypass_count(const struct config_nat *nat)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < nat->bypass_count; i++)
		count += nat->bypass[i].destination_count;
	return count;
}

/* One for each destination. */
static void bypass_copy(const struct config_nat *nat, struct nat_bypass_settings *to)
{
	for (uint32_t i = 0; i < nat->bypass_count; i++) {
		const struct config_nat_bypass *from = &nat->bypass[i];

		for (uint32_t d = 0; d < from->destination_count; d++)
			*to++ = (struct nat_bypass_settings){ .segment = (uint16_t)from->segment,
				.prefix = from->prefix.address.v4,
				.prefix_length = from->prefix.length,
				.remote = from->destination[d].address.v4,
				.remote_length = from->destination[d].length };
	}
}

static int nat_apply(struct data_plane *plane, const struct config *config, uint16_t owners)
{
	const struct config_nat *from = &config->nat;
	struct nat_pool_range *range = pool_ranges(from);
	struct nat_pool_settings *pool = calloc(from->pool_count + 1, sizeof(*pool));
	struct nat_source_settings *source = calloc(from->source_count + 1, sizeof(*source));
	struct nat_static_settings *binding = calloc(from->static_count + 1, sizeof(*binding));
	struct nat_forward_settings *forward = calloc(from->forward_count + 1, sizeof(*forward));
	struct nat_bypass_settings *bypass = calloc(bypass_count(from) + 1, sizeof(*bypass));

	if (range != NULL && pool != NULL && source != NULL && binding != NULL && forward != NULL &&
		bypass != NULL) {
		nat_rules_copy(from, range, pool, source, binding, forward);
		bypass_copy(from, bypass);
		plane->nat = nat_create(&(struct nat_settings){
			.pool = pool,
			.pool_count = from->pool_count,
			.source = source,
			.source_count = from->source_count,
			.static_binding = binding,
			.static_count = from->static_count,
			.forward = forward,
			.forward_count = from->forward_count,
			.bypass = bypass,
			.bypass_count = bypass_count(from),
			/* Without a rule there can be no session: no memory for any. */
			.max_sessions = from->source_count + from->static_count + from->forward_count > 0
						? from->max_sessions
						: 1,
			.new_sessions_a_burst = from->new_sessions_a_burst,
			.port_rest_s = from->port_rest,
			.tcp_established_s = from->timeouts.tcp_established,
			.tcp_opening_s = from->timeouts.tcp_opening,
			.tcp_closing_s = from->timeouts.tcp_closing,
			.udp_refresh_outbound_only = from->timeouts.udp_refreshed_by_inside_only,
			.unsolicited_syn_told = from->tcp.unsolicited_syn_told,
			.udp_s = from->timeouts.udp,
			.icmp_s = from->timeouts.icmp,
			.log_events = nat_log_events(&from->log),
			.log_room = NAT_LOG_ROOM,
			.segment_count = (uint16_t)config->segment_count,
			.owners = owners,
		});
	}
	free(range);
	free(pool);
	free(source);
	free(binding);
	free(forward);
	free(bypass);
	return plane->nat == NULL ? -ENOMEM : 0;
}

struct data_plane *data_plane_create(const struct config *config, const struct port_facts *facts,
	uint16_t owners, struct rte_mempool *control_pool)
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
		status = nat_apply(plane, config, owners);
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
