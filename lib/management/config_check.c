/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/config_check.h"

#include "management/config_collision.h"
#include "management/config_pool.h"
#include "management/config_schema.h"
#include "packet/vxlan_wire.h"
#include "stage/stage.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENT_MTU_USUAL 1500
#define PREFIXES_SHOWN    8

const struct config_port *config_port_of_address(const struct config *config, uint32_t network_order)
{
	for (uint32_t i = 0; i < config->port_count; i++) {
		for (uint32_t j = 0; j < config->port[i].address_count; j++) {
			if (config->port[i].address[j].address.v4 == network_order)
				return &config->port[i];
		}
	}
	return NULL;
}

/* The port that carries the tunnels, or NULL. */
static const struct config_port *underlay_port(const struct config *config)
{
	if (config->vxlan.source.family == AF_UNSPEC)
		return NULL;
	return config_port_of_address(config, config->vxlan.source.v4);
}

void config_derive(struct config *config)
{
	const struct config_port *underlay = underlay_port(config);

	config_derive_services(config);
	for (uint32_t i = 0; i < config->nat.pool_count; i++)
		config_pool_count(&config->nat.pool[i]);
	for (uint32_t i = 0; underlay != NULL && i < config->segment_count; i++) {
		struct config_segment *segment = &config->segment[i];

		if (segment->mtu == 0 && underlay->mtu > VXLAN_OVERHEAD)
			segment->mtu = (uint16_t)RTE_MIN(underlay->mtu - VXLAN_OVERHEAD, SEGMENT_MTU_USUAL);
	}
}

static void check_lcores(const struct config *config, struct config_document *document)
{
	const struct config_lcores *lcores = &config->lcores;
	struct config_label labels[CONFIG_LCORE_MAX + 1];
	uint32_t count = 0;

	for (uint32_t i = 0; i < lcores->packet_count; i++) {
		if (config_has_error(document, CONFIG_PATH("lcores.packet[%u]", i)))
			continue;
		if (lcores->packet[i].lcore == lcores->management.lcore &&
			!config_has_error(document, "lcores.management"))
			config_error_at(document, CONFIG_PATH("lcores.packet[%u]", i),
				"lcore %u is the management lcore, %s; want another one",
				lcores->packet[i].lcore, CONFIG_OTHER(document, "lcores.management"));
		labels[count++] = (struct config_label){ .number = lcores->packet[i].lcore, .index = i };
	}
	config_check_unique(document, labels, count, "lcores.packet[%u]", "each lcore once");
	if (lcores->plan == CONFIG_PLAN_SPLIT && lcores->packet_count == 1)
		config_error_at(document, "lcores.plan",
			"\"split\" with one packet lcore; want two or more in lcores.packet, or \"fused\"");
}

static bool is_packet_lcore(const struct config_lcores *lcores, unsigned lcore)
{
	for (uint32_t i = 0; i < lcores->packet_count; i++) {
		if (lcores->packet[i].lcore == lcore)
			return true;
	}
	return false;
}

static bool is_in_plan(const struct config_lcores *lcores, unsigned lcore)
{
	for (uint32_t i = 0; i < lcores->plan_entry_count; i++) {
		if (lcores->plan_entry[i].lcore == lcore)
			return true;
	}
	return false;
}

static void check_plan(const struct config *config, struct config_document *document)
{
	static const char *const stage_names[] = {
#define STAGE(identifier, name, sentence) [STAGE_##identifier] = name,
#include "stage/stage.def"
#undef STAGE
	};
	const struct config_lcores *lcores = &config->lcores;
	struct config_label labels[CONFIG_LCORE_MAX + 1];
	uint32_t stages = 0;

	if (lcores->plan != CONFIG_PLAN_EXPLICIT || lcores->packet_count == 0 ||
		config_has_error(document, "lcores.plan") || config_has_error(document, "lcores.packet"))
		return;
	for (uint32_t i = 0; i < lcores->plan_entry_count; i++) {
		if (!is_packet_lcore(lcores, lcores->plan_entry[i].lcore))
			config_error_at(document, CONFIG_PATH("lcores.plan[%u].lcore", i),
				"lcore %u is not in %s; want a packet lcore", lcores->plan_entry[i].lcore,
				CONFIG_OTHER(document, "lcores.packet"));
		labels[i] = (struct config_label){ .number = lcores->plan_entry[i].lcore, .index = i };
		stages |= lcores->plan_entry[i].stages;
	}
	config_check_unique(document, labels, lcores->plan_entry_count, "lcores.plan[%u].lcore",
		"one entry for each lcore");
	for (uint32_t i = 0; i < STAGES; i++) {
		if ((stages & 1u << i) == 0)
			config_error_at(document, "lcores.plan",
				"no lcore runs the stage \"%s\"; want each stage on one lcore "
				"at least",
				stage_names[i]);
	}
	for (uint32_t i = 0; i < lcores->packet_count; i++) {
		if (!is_in_plan(lcores, lcores->packet[i].lcore))
			config_error_at(document, CONFIG_PATH("lcores.packet[%u]", i),
				"lcore %u has nothing to do; want it in %s, or not here",
				lcores->packet[i].lcore, CONFIG_OTHER(document, "lcores.plan"));
	}
}

static bool same_device(const char *one, const char *other)
{
	size_t length = strcspn(one, ",");

	return length > 0 && length == strcspn(other, ",") && memcmp(one, other, length) == 0;
}

static void check_ports(const struct config *config, struct config_document *document)
{
	struct config_label labels[PORT_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < config->port_count; i++) {
		if (config->port[i].name[0] != '\0')
			labels[count++] = (struct config_label){ .text = config->port[i].name, .index = i };
		for (uint32_t j = 0; j < i; j++) {
			if (!same_device(config->port[i].device, config->port[j].device))
				continue;
			config_error_at(document, CONFIG_PATH("ports[%u].device", i),
				"\"%s\"; the same device as %s; want a device for each port",
				config->port[i].device, CONFIG_OTHER(document, "ports[%u].device", j));
			break;
		}
	}
	config_check_unique(document, labels, count, "ports[%u].name", "a name of its own for each port");
}

static void check_vxlan(const struct config *config, struct config_document *document)
{
	char text[IP_ADDRESS_TEXT];

	if (config->segment_count > 0 && !config->vxlan.present)
		config_error_at(document, "segments",
			"segments, but no \"vxlan\"; want it, with the \"source\" of the tunnels");
	if (config->vxlan.source.family != AF_UNSPEC && underlay_port(config) == NULL &&
		config->port_count > 0 && !config_has_error(document, "ports"))
		config_error_at(document, "vxlan.source",
			"%s is no address of a port; want one of those in ports[].addresses",
			ip_address_text(&config->vxlan.source, text));
}

/* "192.0.2.1/24 (underlay), ..." */
static void list_connected(const struct config *config, char *text, size_t size)
{
	char prefix[IP_PREFIX_TEXT];
	uint32_t shown = 0;
	size_t at = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < config->port_count + config->segment_count; i++) {
		bool is_port = i < config->port_count;
		const struct config_segment *segment =
			is_port ? NULL : &config->segment[i - config->port_count];
		const struct ip_prefix *list = is_port ? config->port[i].address : &segment->gateway;
		uint32_t count = is_port ? config->port[i].address_count : 1;

		for (uint32_t j = 0; j < count && at < size; j++) {
			if (shown++ == PREFIXES_SHOWN) {
				snprintf(text + at, size - at, ", ...");
				return;
			}
			at += (size_t)snprintf(text + at, size - at, "%s%s (%s)", at > 0 ? ", " : "",
				ip_prefix_text(&list[j], prefix),
				is_port ? config->port[i].name : segment->name);
		}
	}
}

static bool is_connected(const struct config *config, uint32_t network_order)
{
	for (uint32_t i = 0; i < config->port_count; i++) {
		for (uint32_t j = 0; j < config->port[i].address_count; j++) {
			if (ipv4_prefix_contains(&config->port[i].address[j], network_order))
				return true;
		}
	}
	for (uint32_t i = 0; i < config->segment_count; i++) {
		if (ipv4_prefix_contains(&config->segment[i].gateway, network_order))
			return true;
	}
	return false;
}

static bool is_gateway(const struct config *config, uint32_t network_order)
{
	for (uint32_t i = 0; i < config->segment_count; i++) {
		if (config->segment[i].gateway.address.v4 == network_order)
			return true;
	}
	return false;
}

bool config_is_routed(const struct config *config, uint32_t network_order)
{
	const struct config_route *longest = NULL;

	if (is_connected(config, network_order))
		return true;
	for (uint32_t i = 0; i < config->route_count; i++)
		if (ipv4_prefix_contains(&config->route[i].prefix, network_order) &&
			(longest == NULL || config->route[i].prefix.length > longest->prefix.length))
			longest = &config->route[i];
	return longest != NULL && !longest->blackhole;
}

static void check_next_hop(const struct config *config, struct config_document *document, uint32_t index)
{
	const struct ip_address *via = &config->route[index].via;
	char address[IP_ADDRESS_TEXT], connected[1024];

	if (via->family == AF_UNSPEC || config->port_count == 0 || config_has_error(document, "ports") ||
		config_has_error(document, "segments"))
		return;
	if (config_port_of_address(config, via->v4) != NULL || is_gateway(config, via->v4)) {
		config_error_at(document, CONFIG_PATH("routes[%u].via", index),
			"%s is an address of the gateway itself; want that of another router",
			ip_address_text(via, address));
	} else if (!is_connected(config, via->v4)) {
		list_connected(config, connected, sizeof(connected));
		config_error_at(document, CONFIG_PATH("routes[%u].via", index),
			"%s is in no network of a port or segment; want an address in one of: %s",
			ip_address_text(via, address), connected[0] != '\0' ? connected : "(there is none)");
	}
}

static void check_routes(const struct config *config, struct config_document *document)
{
	struct config_label *labels = calloc((size_t)config->route_count + 1, sizeof(*labels));
	uint32_t count = 0;

	if (labels == NULL) {
		document->errors.out_of_memory = true;
		return;
	}
	for (uint32_t i = 0; i < config->route_count; i++) {
		const struct ip_prefix *prefix = &config->route[i].prefix;

		check_next_hop(config, document, i);
		if (prefix->address.family != AF_UNSPEC)
			labels[count++] = (struct config_label){
				.number = (uint64_t)prefix->address.v4 << 8 | prefix->length, .index = i
			};
	}
	config_check_unique(document, labels, count, "routes[%u].prefix", "one route for a prefix");
	free(labels);
}

static void check_segment_identity(const struct config *config, struct config_document *document)
{
	struct config_label *names = calloc((size_t)config->segment_count + 1, sizeof(*names));
	struct config_label *vnis = calloc((size_t)config->segment_count + 1, sizeof(*vnis));
	uint32_t name_count = 0, vni_count = 0;

	for (uint32_t i = 0; names != NULL && vnis != NULL && i < config->segment_count; i++) {
		if (config->segment[i].name[0] != '\0')
			names[name_count++] =
				(struct config_label){ .text = config->segment[i].name, .index = i };
		if (config->segment[i].vni != 0)
			vnis[vni_count++] =
				(struct config_label){ .number = config->segment[i].vni, .index = i };
	}
	document->errors.out_of_memory |= names == NULL || vnis == NULL;
	config_check_unique(
		document, names, name_count, "segments[%u].name", "a name of its own for each segment");
	config_check_unique(
		document, vnis, vni_count, "segments[%u].vni", "a VNI of its own for each segment");
	free(names);
	free(vnis);
}

static void check_vteps(const struct config *config, struct config_document *document, uint32_t index)
{
	const struct config_segment *segment = &config->segment[index];
	struct config_label labels[CONFIG_VTEPS_MAX];
	char path[CONFIG_QUOTE_TEXT], text[IP_ADDRESS_TEXT];
	uint32_t count = 0;

	for (uint32_t i = 0; i < segment->vtep_count; i++) {
		if (segment->vtep[i].family == AF_UNSPEC)
			continue;
		if (config_port_of_address(config, segment->vtep[i].v4) != NULL)
			config_error_at(document, CONFIG_PATH("segments[%u].flood.vteps[%u]", index, i),
				"%s is an address of the gateway itself; want that of another VTEP",
				ip_address_text(&segment->vtep[i], text));
		labels[count++] = (struct config_label){ .number = segment->vtep[i].v4, .index = i };
	}
	snprintf(path, sizeof(path), "segments[%u].flood.vteps[%%u]", index);
	config_check_unique(document, labels, count, path, "each VTEP once");
}

static void check_segments(const struct config *config, struct config_document *document)
{
	const struct config_port *underlay = underlay_port(config);

	check_segment_identity(config, document);
	for (uint32_t i = 0; i < config->segment_count; i++) {
		const struct config_segment *segment = &config->segment[i];

		check_vteps(config, document, i);
		if (underlay != NULL && underlay->mtu != 0 && segment->mtu + VXLAN_OVERHEAD > underlay->mtu)
			config_error_at(document, CONFIG_PATH("segments[%u].mtu", i),
				"%u and %u bytes of VXLAN make %u, but the port \"%s\" takes %u; want at "
				"most %u, or a larger mtu of "
				"%s",
				segment->mtu, VXLAN_OVERHEAD, segment->mtu + VXLAN_OVERHEAD, underlay->name,
				underlay->mtu, underlay->mtu - VXLAN_OVERHEAD,
				CONFIG_OTHER(document, "ports[%u].mtu", (unsigned)(underlay - config->port)));
	}
}

const struct config_rule config_rules[] = {
	{ "Each lcore has one task: no packet lcore twice, and none that is the management lcore; `split` "
	  "needs two.",
		check_lcores },
	{ "A plan made by hand names packet lcores only, each of them once, and has each stage on one of "
	  "them at least.",
		check_plan },
	{ "Ports have names and devices of their own.", check_ports },
	{ "Networks of ports and segments do not overlap. Two segments may, when `nat.source` translates the "
	  "whole of "
	  "each, to different pools.",
		config_check_networks },
	{ "With segments there is `vxlan`, and `vxlan.source` is an address of a port.", check_vxlan },
	{ "There is one route for a prefix, and its next hop is in the network of a port or segment.",
		check_routes },
	{ "Segments have names and VNIs of their own; their VTEPs are listed once and are not the gateway "
	  "itself; their "
	  "MTU and 50 bytes of VXLAN fit the underlay's.",
		check_segments },
	{ "A neighbour of a port is in a network of the port, is not the gateway itself, and is there once.",
		config_check_neighbours },
	{ "A host of a segment is in its network, behind one of its VTEPs, with an address and a MAC of its "
	  "own; there are at most `mac_limit`.",
		config_check_hosts },
	{ "A DHCP server of a segment is outside or in another segment, can be reached, and has no public "
	  "address of NAT.",
		config_check_dhcp_relays },
	{ "There is one entry of port control for a segment, for hosts of that segment that NAT translates.",
		config_check_port_control },
	{ "Pools have names of their own, and exclude only what is theirs. Each of their port ranges has a "
	  "whole port block, their limits are within what they can give, and a deterministic pool has 64 "
	  "ports or more for each host of its source rules.",
		config_check_pools },
	{ "There are at most 65535 public addresses.", config_check_address_count },
	{ "A public address is that of a host, and has one use: it is in one pool, or in one static binding, "
	  "or an address of the gateway, of a next hop, of a VTEP or in a segment. Forwards share the "
	  "addresses of the gateway and of pools, and may have others, but not that of a static binding, "
	  "which has "
	  "all of its ports; a pool shares an address of a port when it leaves it the ports below 1024 and "
	  "that of VXLAN.",
		config_check_public_addresses },
	{ "There is one source rule for a prefix of a segment.", config_check_source },
	{ "A static binding has a host of its segment inside, which has no other.", config_check_static },
	{ "A forward has a host of its segment inside, and an address, port and protocol of its own outside, "
	  "not those of "
	  "VXLAN.",
		config_check_forward },
	{ "Bypasses of a segment do not overlap, and none takes a host of a static binding or a forward out "
	  "of NAT altogether.",
		config_check_bypass },
	{ NULL, NULL },
};
