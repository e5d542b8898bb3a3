/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules on the services of the segments. */
#include "management/config_check.h"
#include "management/config_collision.h"
#include "services/dhcp_relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void config_derive_services(struct config *config)
{
	for (uint32_t i = 0; i < config->nat.port_control_count; i++) {
		struct config_port_control *control = &config->nat.port_control[i];

		if (control->prefix.address.family != AF_UNSPEC || control->segment >= config->segment_count)
			continue;
		control->prefix = config->segment[control->segment].gateway;
		control->prefix.address.v4 &= ipv4_mask(control->prefix.length);
	}
	for (uint32_t i = 0; i < config->segment_count; i++) {
		struct config_segment *segment = &config->segment[i];
		struct config_dhcp_relay *relay = &segment->dhcp_relay;

		if (!relay->option_82)
			continue;
		if (relay->circuit_id[0] == '\0')
			snprintf(relay->circuit_id, sizeof(relay->circuit_id), "%s/%u", segment->name,
				segment->vni);
		if (relay->remote_id[0] == '\0')
			snprintf(relay->remote_id, sizeof(relay->remote_id), "%s", config->name);
	}
}

/* The segment whose gateway address this is, or segment_count. */
static uint32_t segment_of_gateway(const struct config *config, uint32_t address)
{
	uint32_t i = 0;

	while (i < config->segment_count && config->segment[i].gateway.address.v4 != address)
		i++;
	return i;
}

static void check_server(
	const struct config *config, struct config_document *document, uint32_t segment_index, uint32_t index)
{
	const struct config_segment *segment = &config->segment[segment_index];
	const struct ip_address *server = &segment->dhcp_relay.server[index];
	const char *path = CONFIG_PATH("segments[%u].dhcp_relay.servers[%u]", segment_index, index);
	uint32_t gateway = segment_of_gateway(config, server->v4);
	char text[IP_ADDRESS_TEXT];

	if (server->family == AF_UNSPEC || config_has_error(document, "ports"))
		return;
	ip_address_text(server, text);
	if (gateway < config->segment_count)
		config_error_at(document, path,
			"%s is the gateway's own address, %s; want that of a DHCP server", text,
			CONFIG_OTHER(document, "segments[%u].gateway", gateway));
	else if (config_port_of_address(config, server->v4) != NULL)
		config_error_at(document, path,
			"%s is the gateway's own address, on the port \"%s\"; want that of a DHCP server",
			text, config_port_of_address(config, server->v4)->name);
	else if (segment->gateway.address.family != AF_UNSPEC &&
		 ipv4_prefix_contains(&segment->gateway, server->v4))
		config_error_at(document, path,
			"%s is in the segment itself, %s, where clients reach it without a relay; want one "
			"outside or in "
			"another segment",
			text, CONFIG_OTHER(document, "segments[%u].gateway", segment_index));
	else if (!config_has_error(document, "routes") && !config_is_routed(config, server->v4))
		config_error_at(document, path,
			"%s is in no network of a port or segment, and no route leads there; want a server "
			"that can be "
			"reached",
			text);
}

void config_check_dhcp_relays(const struct config *config, struct config_document *document)
{
	for (uint32_t i = 0; i < config->segment_count; i++) {
		const struct config_dhcp_relay *relay = &config->segment[i].dhcp_relay;
		struct config_label labels[DHCP_SERVERS_MAX];
		char path[CONFIG_QUOTE_TEXT];
		uint32_t count = 0;

		for (uint32_t j = 0; j < relay->server_count && j < DHCP_SERVERS_MAX; j++) {
			check_server(config, document, i, j);
			if (relay->server[j].family != AF_UNSPEC)
				labels[count++] =
					(struct config_label){ .number = relay->server[j].v4, .index = j };
		}
		snprintf(path, sizeof(path), "segments[%u].dhcp_relay.servers[%%u]", i);
		config_check_unique(document, labels, count, path, "each server once");
	}
}

static bool is_translated(const struct config_nat *nat, const struct config_port_control *control)
{
	for (uint32_t i = 0; i < nat->source_count; i++) {
		const struct config_nat_source *source = &nat->source[i];
		if (source->segment == control->segment &&
			(ipv4_prefix_contains(&source->prefix, control->prefix.address.v4) ||
				ipv4_prefix_contains(&control->prefix, source->prefix.address.v4)))
			return true;
	}
	for (uint32_t i = 0; i < nat->static_count; i++)
		if (nat->static_binding[i].segment == control->segment &&
			ipv4_prefix_contains(&control->prefix, nat->static_binding[i].inside.v4))
			return true;
	return false;
}

/* Hosts that NAT leaves alone have no public port to open. */
static void check_translated(const struct config *config, struct config_document *document, uint32_t index)
{
	const struct config_port_control *control = &config->nat.port_control[index];
	char hosts[IP_PREFIX_TEXT];

	if (control->prefix.address.family == AF_UNSPEC || config_has_error(document, "nat.source") ||
		config_has_error(document, "nat.static") || is_translated(&config->nat, control))
		return;
	config_error_at(document, CONFIG_PATH("nat.port_control[%u].segment", index),
		"\"%s\"; nothing in nat.source or nat.static translates a host of %s there; want one that "
		"does",
		config->segment[control->segment].name, ip_prefix_text(&control->prefix, hosts));
}

void config_check_port_control(const struct config *config, struct config_document *document)
{
	struct config_label *labels = calloc((size_t)config->nat.port_control_count + 1, sizeof(*labels));
	char found[IP_PREFIX_TEXT];
	uint32_t count = 0;

	document->errors.out_of_memory |= labels == NULL;
	for (uint32_t i = 0; labels != NULL && i < config->nat.port_control_count; i++) {
		const struct config_port_control *control = &config->nat.port_control[i];

		if (control->segment >= config->segment_count)
			continue;
		const struct ip_prefix *network = &config->segment[control->segment].gateway;
		labels[count++] = (struct config_label){ .number = control->segment, .index = i };
		if (control->prefix.address.family != AF_UNSPEC && network->address.family != AF_UNSPEC &&
			(control->prefix.length < network->length ||
				!ipv4_prefix_contains(network, control->prefix.address.v4)))
			config_error_at(document, CONFIG_PATH("nat.port_control[%u].prefix", i),
				"%s is not within the network of the segment, %s; want hosts of the segment",
				ip_prefix_text(&control->prefix, found),
				CONFIG_OTHER(document, "segments[%u].gateway", control->segment));
		check_translated(config, document, i);
	}
	config_check_unique(
		document, labels, count, "nat.port_control[%u].segment", "one entry for a segment");
	free(labels);
}
