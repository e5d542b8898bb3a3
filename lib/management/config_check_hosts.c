/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules on hosts and neighbours that are configured instead of learned. */
#include "management/config_check.h"
#include "management/config_collision.h"

#include <rte_ether.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mac_number(const struct rte_ether_addr *mac)
{
	uint64_t number = 0;

	memcpy(&number, mac->addr_bytes, sizeof(mac->addr_bytes));
	return number;
}

static bool is_edge(const struct ip_prefix *network, uint32_t address)
{
	uint32_t mask = ipv4_mask(network->length);

	return network->length < 31 && ((address & ~mask) == 0 || (address & ~mask) == ~mask);
}

static void check_neighbour(
	const struct config *config, struct config_document *document, uint32_t port_index, uint32_t index)
{
	const struct config_port *port = &config->port[port_index];
	const struct ip_address *address = &port->neighbour[index].address;
	const char *path = CONFIG_PATH("ports[%u].neighbours[%u].address", port_index, index);
	bool on_link = false, edge = false;
	char text[IP_ADDRESS_TEXT];

	if (address->family == AF_UNSPEC ||
		config_has_error(document, CONFIG_PATH("ports[%u].addresses", port_index)))
		return;
	ip_address_text(address, text);
	for (uint32_t i = 0; i < port->address_count; i++) {
		if (!ipv4_prefix_contains(&port->address[i], address->v4))
			continue;
		on_link = true;
		edge |= is_edge(&port->address[i], address->v4);
	}
	if (!on_link)
		config_error_at(document, path, "%s is in no network of the port, %s; want a neighbour of it",
			text, CONFIG_OTHER(document, "ports[%u].addresses", port_index));
	else if (edge)
		config_error_at(document, path,
			"%s is the network or broadcast address of the port's, %s; want that of a neighbour",
			text, CONFIG_OTHER(document, "ports[%u].addresses", port_index));
	else if (config_port_of_address(config, address->v4) != NULL)
		config_error_at(document, path,
			"%s is the gateway's own address, on the port \"%s\"; want that of a neighbour", text,
			config_port_of_address(config, address->v4)->name);
}

void config_check_neighbours(const struct config *config, struct config_document *document)
{
	for (uint32_t i = 0; i < config->port_count; i++) {
		const struct config_port *port = &config->port[i];
		struct config_label *labels = calloc((size_t)port->neighbour_count + 1, sizeof(*labels));
		char path[CONFIG_QUOTE_TEXT];
		uint32_t count = 0;

		document->errors.out_of_memory |= labels == NULL;
		for (uint32_t j = 0; labels != NULL && j < port->neighbour_count; j++) {
			const struct ip_address *address = &port->neighbour[j].address;

			check_neighbour(config, document, i, j);
			if (address->family != AF_UNSPEC)
				labels[count++] = (struct config_label){ .number = address->v4, .index = j };
		}
		snprintf(path, sizeof(path), "ports[%u].neighbours[%%u].address", i);
		config_check_unique(document, labels, count, path, "each neighbour once");
		free(labels);
	}
}

/* Whether frames of the VTEP would be taken: flood.vteps, or with a group flood.members. */
static bool is_vtep_of(const struct config_segment *segment, uint32_t address)
{
	for (uint32_t i = 0; i < segment->vtep_count; i++)
		if (segment->vtep[i].v4 == address)
			return true;
	for (uint32_t i = 0; i < segment->member_count; i++)
		if (ipv4_prefix_contains(&segment->member[i], address))
			return true;
	return segment->group.family != AF_UNSPEC && segment->member_count == 0;
}

static void check_place(
	const struct config *config, struct config_document *document, uint32_t segment_index, uint32_t index)
{
	const struct config_segment *segment = &config->segment[segment_index];
	const struct config_host *host = &segment->host[index];
	char text[IP_ADDRESS_TEXT];

	if (host->vtep.family != AF_UNSPEC && config_port_of_address(config, host->vtep.v4) != NULL)
		config_error_at(document, CONFIG_PATH("segments[%u].hosts[%u].vtep", segment_index, index),
			"%s is an address of the gateway itself; want that of another VTEP",
			ip_address_text(&host->vtep, text));
	else if (host->vtep.family != AF_UNSPEC && !is_vtep_of(segment, host->vtep.v4))
		config_error_at(document, CONFIG_PATH("segments[%u].hosts[%u].vtep", segment_index, index),
			"%s is not among those of the segment, %s; want one of them",
			ip_address_text(&host->vtep, text),
			CONFIG_OTHER(document, "segments[%u].flood", segment_index));
	if (!rte_is_zero_ether_addr(&host->mac) && rte_is_same_ether_addr(&host->mac, &segment->mac))
		config_error_at(document, CONFIG_PATH("segments[%u].hosts[%u].mac", segment_index, index),
			"that of the gateway in the segment, %s; want that of a host",
			CONFIG_OTHER(document, "segments[%u].mac", segment_index));
}

static void check_host(
	const struct config *config, struct config_document *document, uint32_t segment_index, uint32_t index)
{
	const struct config_segment *segment = &config->segment[segment_index];
	const struct ip_address *address = &segment->host[index].address;
	const char *path = CONFIG_PATH("segments[%u].hosts[%u].address", segment_index, index);
	char text[IP_ADDRESS_TEXT];

	check_place(config, document, segment_index, index);
	if (address->family == AF_UNSPEC || segment->gateway.address.family == AF_UNSPEC)
		return;
	ip_address_text(address, text);
	if (!ipv4_prefix_contains(&segment->gateway, address->v4))
		config_error_at(document, path,
			"%s is not in the network of the segment, %s; want a host of it", text,
			CONFIG_OTHER(document, "segments[%u].gateway", segment_index));
	else if (segment->gateway.address.v4 == address->v4 || is_edge(&segment->gateway, address->v4))
		config_error_at(document, path,
			"%s is the address of the gateway, or the network or broadcast address, of %s; want "
			"that of a host",
			text, CONFIG_OTHER(document, "segments[%u].gateway", segment_index));
}

static void check_hosts_differ(
	const struct config_segment *segment, struct config_document *document, uint32_t segment_index)
{
	struct config_label *labels = calloc((size_t)segment->host_count + 1, sizeof(*labels));
	char path[CONFIG_QUOTE_TEXT];
	uint32_t count = 0;

	if (labels == NULL) {
		document->errors.out_of_memory = true;
		return;
	}
	for (uint32_t j = 0; j < segment->host_count; j++)
		if (segment->host[j].address.family != AF_UNSPEC)
			labels[count++] =
				(struct config_label){ .number = segment->host[j].address.v4, .index = j };
	snprintf(path, sizeof(path), "segments[%u].hosts[%%u].address", segment_index);
	config_check_unique(document, labels, count, path, "an address of its own for each host");
	count = 0;
	for (uint32_t j = 0; j < segment->host_count; j++)
		if (!rte_is_zero_ether_addr(&segment->host[j].mac))
			labels[count++] = (struct config_label){ .number = mac_number(&segment->host[j].mac),
				.index = j };
	snprintf(path, sizeof(path), "segments[%u].hosts[%%u].mac", segment_index);
	config_check_unique(document, labels, count, path, "a MAC address of its own for each host");
	free(labels);
}

void config_check_hosts(const struct config *config, struct config_document *document)
{
	for (uint32_t i = 0; i < config->segment_count; i++) {
		const struct config_segment *segment = &config->segment[i];

		for (uint32_t j = 0; j < segment->host_count; j++)
			check_host(config, document, i, j);
		check_hosts_differ(segment, document, i);
		if (segment->mac_limit != 0 && segment->host_count > segment->mac_limit)
			config_error_at(document, CONFIG_PATH("segments[%u].hosts", i),
				"%u hosts, but %s is %u; want fewer, or a larger limit", segment->host_count,
				CONFIG_OTHER(document, "segments[%u].mac_limit", i), segment->mac_limit);
	}
}
