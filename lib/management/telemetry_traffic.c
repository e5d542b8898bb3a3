/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports, lcores, segments and VTEPs with their counters. */
#include "management/telemetry_private.h"

#include "base/ip_address.h"
#include "management/steering.h"
#include "table/nat.h"
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <stdio.h>

static void counters_add(struct interface_counters *sum, const struct interface_counters *counters)
{
	sum->rx_packets += recent(counters->rx_packets);
	sum->rx_bytes += recent(counters->rx_bytes);
	sum->tx_packets += recent(counters->tx_packets);
	sum->tx_bytes += recent(counters->tx_bytes);
}

static struct interface_counters interface_sum(const struct packet_path *path, interface_id interface)
{
	struct interface_counters sum = { 0 };

	for (uint16_t i = 0; i < path->count; i++)
		counters_add(&sum, &path->context[i]->counters.interface[interface]);
	return sum;
}

static struct interface_counters tunnel_sum(const struct packet_path *path, uint32_t tunnel)
{
	struct interface_counters sum = { 0 };

	for (uint16_t i = 0; i < path->count; i++)
		counters_add(&sum, &path->context[i]->counters.tunnel[tunnel].counters);
	return sum;
}

/* Its tunnels', and what belongs to none of them. */
static struct interface_counters segment_sum(const struct telemetry_sources *sources, uint16_t segment)
{
	const struct tunnel_table *tunnels = sources->plane->tunnels;
	struct interface_counters sum = interface_sum(sources->path, interface_of_segment(segment));
	uint32_t count = recent(tunnels->count);

	for (uint32_t i = 0; i < count; i++) {
		if (tunnels->tunnel[i].segment != segment)
			continue;
		const struct interface_counters of_tunnel = tunnel_sum(sources->path, i);
		counters_add(&sum, &of_tunnel);
	}
	return sum;
}

static void object_traffic(struct telemetry_object *row, const struct interface_counters *counters)
{
	object_u64(row, "rx_packets", counters->rx_packets);
	object_u64(row, "rx_bytes", counters->rx_bytes);
	object_u64(row, "tx_packets", counters->tx_packets);
	object_u64(row, "tx_bytes", counters->tx_bytes);
}

static void object_device(struct telemetry_object *row, uint16_t device)
{
	struct rte_eth_stats stats = { 0 };

	/* A device that cannot tell leaves zeros. */
	(void)rte_eth_stats_get(device, &stats);
	object_u64(row, "rx_missed", stats.imissed);
	object_u64(row, "rx_errors", stats.ierrors);
	object_u64(row, "rx_no_buffer", stats.rx_nombuf);
	object_u64(row, "tx_errors", stats.oerrors);
}

static const char *const link_text[] = { [PORT_LINK_UNKNOWN] = "unknown",
	[PORT_LINK_UP] = "up",
	[PORT_LINK_DOWN] = "down",
	[PORT_LINK_GONE] = "gone" };

static void port_row(const struct telemetry_sources *sources, interface_id id, struct telemetry_object *row)
{
	const struct port_interface *port = &sources->plane->port[id];
	struct interface_counters counters = interface_sum(sources->path, id);
	struct telemetry_list addresses;
	char text[IP_ADDRESS_TEXT], prefix[IP_PREFIX_TEXT];

	list_start(&addresses);
	for (uint16_t i = 0; i < port->address_count; i++) {
		snprintf(prefix, sizeof(prefix), "%s/%u", ipv4_text(port->address[i].address, text),
			port->address[i].length);
		list_string(&addresses, prefix);
	}
	object_start(row);
	object_string(row, "name", port->name);
	object_string(
		row, "device", id < sources->config->port_count ? sources->config->port[id].device : "");
	object_u64(row, "dpdk_port", port->device);
	object_mac(row, "mac", &port->mac);
	object_u64(row, "mtu", port->mtu);
	object_list(row, "addresses", &addresses);
	object_traffic(row, &counters);
	object_string(row, "link", link_text[atomic_load(&port->link) % RTE_DIM(link_text)]);
	object_device(row, port->device);
}

int ports_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	struct telemetry_reply reply;
	uint64_t id;

	reply_start(&reply, data, asked->count);
	for (id = asked->cursor; id < PORT_MAX; id++) {
		struct telemetry_object row;

		if (!sources->plane->port[id].used)
			continue;
		if (asked->given & TELEMETRY_INTERFACE && asked->interface != id)
			continue;
		if (reply_room(&reply, 1400) == 0) {
			reply.next = id;
			break;
		}
		port_row(sources, (interface_id)id, &row);
		reply_row(&reply, &row);
	}
	return reply_end(&reply, "ports");
}

static void object_stage(
	struct telemetry_object *stages, const char *name, const struct stage_counters *counters)
{
	uint64_t packets = recent(counters->packets), cycles = recent(counters->cycles);
	struct telemetry_object stage;

	object_start(&stage);
	object_u64(&stage, "packets", packets);
	object_u64(&stage, "bursts", recent(counters->bursts));
	object_u64(&stage, "cycles", cycles);
	object_u64(&stage, "cycles_a_packet", packets == 0 ? 0 : cycles / packets);
	object_object(stages, name, &stage);
}

static void object_stages(struct telemetry_object *row, const struct lcore_context *context)
{
	struct telemetry_object stages;

	object_start(&stages);
	if (context->fast)
		object_stage(&stages, "fast_path", &context->counters.fast_path);
	for (unsigned i = 0; i < STAGES; i++)
		if (context->stages_here & 1u << i)
			object_stage(&stages, stage_table[i].name, &context->counters.stage[i]);
	object_object(row, "stages", &stages);
}

static uint64_t lcore_packets(const struct lcore_context *context)
{
	uint64_t most = 0;

	/* Each packet that this lcore handles goes the fast path or from there to its owner, or through some first stage of
	 * its own; no stage sees more. */
	for (unsigned i = 0; i < STAGES; i++) {
		uint64_t packets = recent(context->counters.stage[i].packets);

		if (packets > most)
			most = packets;
	}
	return most + recent(context->counters.fast_path.packets) + recent(context->counters.handed_early);
}

/* Its receive queues, "underlay:0". */
static void object_queues(
	struct telemetry_object *row, const struct data_plane *plane, const struct lcore_context *context)
{
	struct telemetry_list queues;
	char text[sizeof(plane->port[0].name) + 8];

	list_start(&queues);
	for (uint16_t i = 0; i < context->rx_count; i++) {
		snprintf(text, sizeof(text), "%s:%u", interface_name(plane, context->rx[i].port),
			context->rx[i].queue);
		list_string(&queues, text);
	}
	object_list(row, "receives", &queues);
}

/* How packets of its flows get to it, "underlay:0 rss", by the queue that is its own; or "uplink handoff", by another lcore. */
static void object_steered(struct telemetry_object *row, const struct steering *steering, uint16_t owner)
{
	struct telemetry_list ports;
	char text[64];

	list_start(&ports);
	for (uint16_t i = 0; i < steering->port_count; i++) {
		const struct steering_port *port = &steering->port[i];
		const char *method = steering_method_name[port->method];

		if (port->method == STEERING_NONE)
			snprintf(text, sizeof(text), "%s %s", port->name, method);
		else
			snprintf(text, sizeof(text), "%s:%u %s", port->name, port->queue[owner], method);
		list_string(&ports, text);
	}
	object_list(row, "steered", &ports);
	object_string(row, "note", steering_note(steering, NULL));
}

static void lcore_row(const struct telemetry_sources *sources, const struct lcore_context *context,
	struct telemetry_object *row)
{
	const struct lcore_counters *c = &context->counters;
	uint64_t busy = recent(c->busy_cycles), idle = recent(c->idle_cycles), ring_full = 0;

	for (unsigned i = 0; i < STAGES; i++)
		ring_full += recent(c->ring_full[i]);
	object_start(row);
	object_u64(row, "lcore", context->lcore);
	object_u64(row, "busy_percent",
		busy + idle == 0 ? 0 : (uint64_t)(100.0 * (double)busy / (double)(busy + idle)));
	object_u64(row, "packets", lcore_packets(context));
	object_u64(row, "busy_cycles", busy);
	object_u64(row, "idle_cycles", idle);
	object_u64(row, "polls", recent(c->polls));
	object_u64(row, "empty_polls", recent(c->empty_polls));
	object_u64(row, "sleeps", recent(c->sleeps));
	object_u64(row, "ring_full", ring_full);
	object_u64(row, "handed_off", recent(c->handed_off));
	object_queues(row, sources->plane, context);
	object_u64(row, "moves_followed", recent(c->moves_followed));
	object_u64(row, "fragmented", recent(c->fragmented));
	object_u64(row, "fragments_made", recent(c->fragments_made));
	if (context->nat != NULL) {
		const struct nat_owner_counters *nat = nat_owner_counters(context->nat);

		object_u64(row, "owner", context->owner_index);
		if (sources->steering != NULL && sources->steering->owners > 1)
			object_steered(row, sources->steering, context->owner_index);
		object_u64(row, "sessions", recent(nat->sessions));
		object_u64(row, "bindings", recent(nat->bindings));
		object_u64(row, "hosts", recent(nat->hosts));
		object_u64(row, "sessions_created", recent(nat->sessions_created));
		object_u64(row, "sessions_expired", recent(nat->sessions_expired));
		object_u64(row, "tcp_resets_ignored", recent(nat->tcp_resets_ignored));
		object_u64(row, "session_capacity", recent(nat->capacity));
	}
	object_stages(row, context);
}

int lcores_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	struct telemetry_reply reply;

	reply_start(&reply, data, asked->count);
	for (uint64_t i = asked->cursor; i < sources->path->count; i++) {
		struct telemetry_object row;

		if (reply_room(&reply, 3712) == 0) {
			reply.next = i;
			break;
		}
		lcore_row(sources, sources->path->context[i], &row);
		reply_row(&reply, &row);
	}
	return reply_end(&reply, "lcores");
}

static uint32_t segment_vteps(const struct tunnel_table *tunnels, uint16_t segment, rte_be32_t group)
{
	uint32_t n = 0, count = recent(tunnels->count);

	for (uint32_t i = 0; i < count; i++)
		n += tunnels->tunnel[i].segment == segment && tunnels->tunnel[i].vtep != group;
	return n;
}

static void segment_row(const struct telemetry_sources *sources, uint16_t index, struct telemetry_object *row)
{
	const struct segment *segment = &sources->plane->segments->segment[index];
	struct interface_counters counters = segment_sum(sources, index);
	char text[IP_ADDRESS_TEXT], prefix[IP_PREFIX_TEXT];

	snprintf(prefix, sizeof(prefix), "%s/%u", ipv4_text(segment->gateway, text), segment->prefix_length);
	object_start(row);
	object_string(row, "name", segment->name);
	object_u64(row, "vni", segment->vni);
	object_string(row, "gateway", prefix);
	object_mac(row, "mac", &segment->mac);
	object_u64(row, "mtu", segment->mtu);
	object_u64(row, "vteps", segment_vteps(sources->plane->tunnels, index, segment->group));
	object_ipv4(row, "group", segment->group);
	object_u64(row, "macs", recent(segment->mac_count));
	object_u64(row, "mac_limit", segment->mac_limit);
	object_u64(row, "macs_refused", recent(segment->mac_refused));
	object_traffic(row, &counters);
}

int segments_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	struct telemetry_reply reply;

	reply_start(&reply, data, asked->count);
	for (uint64_t i = asked->cursor; i < sources->plane->segments->count; i++) {
		struct telemetry_object row;

		if (!segment_wanted(asked, (uint16_t)i))
			continue;
		if (reply_room(&reply, 600) == 0) {
			reply.next = i;
			break;
		}
		segment_row(sources, (uint16_t)i, &row);
		reply_row(&reply, &row);
	}
	return reply_end(&reply, "segments");
}

static void vtep_row(const struct telemetry_sources *sources, uint32_t index, struct telemetry_object *row)
{
	const struct tunnel *tunnel = &sources->plane->tunnels->tunnel[index];
	const struct segment *segment = &sources->plane->segments->segment[tunnel->segment];
	struct interface_counters counters = tunnel_sum(sources->path, index);

	object_start(row);
	object_string(row, "segment", segment->name);
	object_u64(row, "vni", segment->vni);
	object_ipv4(row, "vtep", tunnel->vtep);
	object_string(row, "kind",
		segment->group != 0 && tunnel->vtep == segment->group ? "group"
		: tunnel->configured                                  ? "configured"
								      : "discovered");
	object_string(row, "port", interface_name(sources->plane, recent(tunnel->port)));
	object_ipv4(row, "next_hop", recent(tunnel->next_hop));
	object_u64(row, "ready", tunnel->ready);
	object_u64(row, "flood", tunnel->flood);
	object_traffic(row, &counters);
}

int vteps_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	const struct tunnel_table *tunnels = sources->plane->tunnels;
	struct telemetry_reply reply;
	uint32_t count = __atomic_load_n(&tunnels->count, __ATOMIC_ACQUIRE);

	reply_start(&reply, data, asked->count);
	for (uint64_t i = asked->cursor; i < count; i++) {
		struct telemetry_object row;

		if (!segment_wanted(asked, tunnels->tunnel[i].segment))
			continue;
		if (asked->given & TELEMETRY_VTEP && asked->vtep != tunnels->tunnel[i].vtep)
			continue;
		if (reply_room(&reply, 500) == 0) {
			reply.next = i;
			break;
		}
		vtep_row(sources, (uint32_t)i, &row);
		reply_row(&reply, &row);
	}
	return reply_end(&reply, "vteps");
}
