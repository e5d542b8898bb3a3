/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of the table about the services that the gateway gives to a segment. */
#include "management/config_schema_private.h"

#include "services/dhcp_relay.h"
#include "services/port_control.h"

static const struct config_key dhcp_relay_keys[] = {
	{ .name = "servers",
		.meaning = "The DHCP servers, outside or in another segment. Each gets each request. They "
			   "need a route to "
			   "the gateway's address in this segment, which is where they send their answers.",
		.type = CONFIG_TEXT,
		.format = &config_format_host,
		.required = true,
		LIST(config_dhcp_relay, server, server_count, 1, DHCP_SERVERS_MAX) },
	{ .name = "option_82",
		.meaning = "Tells the servers by option 82 (RFC 3046) which segment the client is in. "
			   "Answers reach the client "
			   "without it.",
		.type = CONFIG_TRUE,
		FIELD(config_dhcp_relay, option_82) },
	{ .name = "circuit_id",
		.meaning = "The circuit ID in option 82.",
		.type = CONFIG_TEXT,
		.format = &config_format_label,
		.with = "option_82",
		.computed = "the segment's name, `/` and its VNI",
		FIELD(config_dhcp_relay, circuit_id) },
	{ .name = "remote_id",
		.meaning = "The remote ID in option 82.",
		.type = CONFIG_TEXT,
		.format = &config_format_label,
		.with = "option_82",
		.computed = "the `name` of the gateway",
		FIELD(config_dhcp_relay, remote_id) },
	{ .name = "trusted",
		.meaning = "Requests that have option 82 already, from a switch near the client, are relayed "
			   "with it. Without "
			   "`trusted` they are dropped.",
		.type = CONFIG_TRUE,
		FIELD(config_dhcp_relay, trusted) },
	{ .name = "max_hops",
		.meaning = "Requests that have come over more relays are dropped (RFC 1542, section 4.1.1).",
		.type = CONFIG_INTEGER,
		RANGE(0, DHCP_HOPS_MAX),
		.unit = "relays",
		.fallback = "4",
		FIELD(config_dhcp_relay, max_hops) },
	{ NULL },
};
const struct config_object config_dhcp_relay_object = {
	.meaning = "The DHCP relay of the segment (RFC 2131, RFC 1542 section 4). What clients broadcast, "
		   "and what they send to "
		   "one of the servers, goes to all servers.",
	.keys = dhcp_relay_keys,
};

static const struct config_key port_control_keys[] = {
	{ .name = "segment",
		.meaning = "The segment.",
		.type = CONFIG_REFERENCE,
		.reference = &config_reference_segment,
		.required = true,
		FIELD(config_port_control, segment) },
	{ .name = "prefix",
		.meaning = "The hosts that may open ports. NAT must translate them.",
		.type = CONFIG_TEXT,
		.format = &config_format_network,
		.computed = "the network of the segment",
		FIELD(config_port_control, prefix) },
	{ .name = "ports",
		.meaning = "Their own ports that they may open.",
		.type = CONFIG_TEXT,
		.format = &config_format_port_ranges,
		.fallback = "\"1024-65535\"",
		FIELD(config_port_control, ports) },
	{ .name = "max_mappings",
		.meaning = "How many ports a host can have open, with those that it closed and that rest "
			   "(`nat.port_rest`).",
		.type = CONFIG_INTEGER,
		RANGE(1, 8192),
		.unit = "ports",
		.fallback = "16",
		FIELD(config_port_control, max_mappings) },
	{ .name = "max_lifetime",
		.meaning = "How long a port stays open without being asked for again.",
		.type = CONFIG_INTEGER,
		RANGE(PORT_CONTROL_LIFETIME_MIN, 86400),
		.unit = "seconds",
		.fallback = "7200",
		FIELD(config_port_control, max_lifetime) },
	{ NULL },
};
const struct config_object config_port_control_object = {
	.meaning = "Port control for a segment: PCP (RFC 6887: MAP, PEER, ANNOUNCE) and NAT-PMP (RFC 6886) "
		   "on UDP port 5351 of "
		   "the gateway's address. A host can open ports to itself only.",
	.keys = port_control_keys,
};
