/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules on source rules, static bindings and forwards. */
#include "management/config_check.h"
#include "management/config_collision.h"
#include "management/config_schema.h"

#include <arpa/inet.h>
#include <stdlib.h>

/* Room for one label an element; NULL, with out_of_memory set, when there is none. */
static struct config_label *labels_for(struct config_document *document, uint32_t count)
{
	struct config_label *labels = calloc((size_t)count + 1, sizeof(*labels));

	if (labels == NULL)
		document->errors.out_of_memory = true;
	return labels;
}

void config_check_source(const struct config *config, struct config_document *document)
{
	struct config_label *labels = labels_for(document, config->nat.source_count);
	uint32_t count = 0;

	for (uint32_t i = 0; labels != NULL && i < config->nat.source_count; i++) {
		const struct config_nat_source *source = &config->nat.source[i];
		uint64_t prefix = (uint64_t)source->prefix.address.v4 << 8 | source->prefix.length;

		if (source->segment != CONFIG_REFERENCE_NONE && source->prefix.address.family != AF_UNSPEC)
			labels[count++] =
				(struct config_label){ .number = (uint64_t)source->segment << 40 | prefix,
					.index = i };
	}
	config_check_unique(
		document, labels, count, "nat.source[%u].prefix", "one rule for a prefix of a segment");
	free(labels);
}

/* An inside address must be one that a host of the segment can have. */
static void check_inside(const struct config *config, struct config_document *document,
	uint32_t segment_index, const struct ip_address *inside, const char *path)
{
	char address_text[IP_ADDRESS_TEXT], network_text[IP_PREFIX_TEXT];
	const struct config_segment *segment;
	const char *reason = NULL;
	uint32_t host_mask;

	if (segment_index >= config->segment_count || inside->family == AF_UNSPEC)
		return;
	segment = &config->segment[segment_index];
	if (segment->gateway.address.family == AF_UNSPEC)
		return;
	host_mask = ~ipv4_mask(segment->gateway.length);
	if (!ipv4_prefix_contains(&segment->gateway, inside->v4))
		reason = "not in the network of the segment";
	else if (inside->v4 == segment->gateway.address.v4)
		reason = "the gateway's own address";
	else if (segment->gateway.length < 31 &&
		 ((inside->v4 & host_mask) == 0 || (~inside->v4 & host_mask) == 0))
		reason = "the network or broadcast address of the segment";
	if (reason != NULL)
		config_error_at(document, path, "%s is %s; want the address of a host in %s, %s",
			ip_address_text(inside, address_text), reason,
			ip_prefix_text(&segment->gateway, network_text),
			CONFIG_OTHER(document, "segments[%u].gateway", segment_index));
}

void config_check_static(const struct config *config, struct config_document *document)
{
	struct config_label *labels = labels_for(document, config->nat.static_count);
	uint32_t count = 0;

	for (uint32_t i = 0; labels != NULL && i < config->nat.static_count; i++) {
		const struct config_nat_static *binding = &config->nat.static_binding[i];

		check_inside(config, document, binding->segment, &binding->inside,
			CONFIG_PATH("nat.static[%u].inside", i));
		if (binding->segment != CONFIG_REFERENCE_NONE && binding->inside.family != AF_UNSPEC)
			labels[count++] = (struct config_label){
				.number = (uint64_t)binding->segment << 32 | binding->inside.v4, .index = i
			};
	}
	config_check_unique(
		document, labels, count, "nat.static[%u].inside", "one static binding for a host");
	free(labels);
}

/* Forwarding the tunnel's own port would take the underlay away from the gateway. */
static void check_tunnel_port(const struct config *config, struct config_document *document, uint32_t index)
{
	const struct config_nat_forward *forward = &config->nat.forward[index];

	if (config->vxlan.present && forward->protocol == IPPROTO_UDP &&
		forward->outside.family != AF_UNSPEC && forward->outside.v4 == config->vxlan.source.v4 &&
		forward->outside_port == config->vxlan.udp_port)
		config_error_at(document, CONFIG_PATH("nat.forward[%u].outside", index),
			"UDP port %u is that of VXLAN on %s; want another port or address",
			forward->outside_port, CONFIG_OTHER(document, "vxlan.source"));
}

void config_check_forward(const struct config *config, struct config_document *document)
{
	struct config_label *labels = labels_for(document, config->nat.forward_count);
	uint32_t count = 0;

	for (uint32_t i = 0; labels != NULL && i < config->nat.forward_count; i++) {
		const struct config_nat_forward *forward = &config->nat.forward[i];
		uint64_t port = (uint64_t)forward->outside_port << 8 | forward->protocol;

		check_inside(config, document, forward->segment, &forward->inside,
			CONFIG_PATH("nat.forward[%u].inside", i));
		check_tunnel_port(config, document, i);
		if (forward->outside.family != AF_UNSPEC && forward->protocol != 0)
			labels[count++] =
				(struct config_label){ .number = (uint64_t)forward->outside.v4 << 32 | port,
					.index = i };
	}
	config_check_unique(document, labels, count, "nat.forward[%u].outside",
		"one forward for an address, port and protocol");
	free(labels);
}
