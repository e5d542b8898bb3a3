/* SPDX-License-Identifier: BSD-3-Clause */
/* Networks and addresses that must keep out of each other's way. */
#include "management/config_check.h"
#include "management/config_collision.h"

#include <arpa/inet.h>

static struct config_span network_of(const struct ip_prefix *prefix)
{
	/* One that could not be read is no network, not 0.0.0.0/0. */
	uint32_t mask = ipv4_mask(prefix->address.family == AF_UNSPEC ? 32 : prefix->length);

	return (struct config_span){ .first = ntohl(prefix->address.v4 & mask),
		.last = ntohl(prefix->address.v4 | ~mask) };
}

static struct config_span host_of(const struct ip_address *address)
{
	return (struct config_span){ .first = ntohl(address->v4), .last = ntohl(address->v4) };
}

static void add_span(struct config_document *document, struct config_spans *spans, struct config_span span,
	enum config_span_kind kind, uint32_t index, uint32_t element)
{
	if (span.last == 0)
		return; /* nothing that could be read */
	span.kind = kind;
	span.index = index;
	span.element = element;
	config_span_add(document, spans, span);
}

/* The pool that translates everything in the segment, or CONFIG_POOL_NONE. */
#define CONFIG_POOL_NONE UINT32_MAX
static uint32_t pool_of_segment(const struct config *config, uint32_t segment)
{
	const struct ip_prefix *network = &config->segment[segment].gateway;

	for (uint32_t i = 0; i < config->nat.source_count; i++) {
		const struct config_nat_source *source = &config->nat.source[i];

		if (source->segment == segment && source->prefix.length <= network->length &&
			ipv4_prefix_contains(&source->prefix, network->address.v4))
			return source->pool;
	}
	return CONFIG_POOL_NONE;
}

static bool segments_may_overlap(const struct config *config, uint32_t one, uint32_t other)
{
	uint32_t pool = pool_of_segment(config, one), other_pool = pool_of_segment(config, other);

	return pool != CONFIG_POOL_NONE && other_pool != CONFIG_POOL_NONE && pool != other_pool;
}

static bool networks_collide(const struct config *config, struct config_document *document,
	const struct config_span *earlier, const struct config_span *later)
{
	const char *wanted = "networks that do not overlap";

	if (earlier->kind == SPAN_SEGMENT && later->kind == SPAN_SEGMENT) {
		if (segments_may_overlap(config, earlier->index, later->index))
			return false;
		wanted = "networks that do not overlap, or nat.source with different pools for the whole of "
			 "both";
	} else if (later->kind == SPAN_PORT && earlier->index == later->index) {
		const struct config_port *port = &config->port[later->index];

		/* Several addresses in one network are fine on the same port. */
		if (port->address[earlier->element].address.v4 != port->address[later->element].address.v4)
			return false;
		wanted = "each address once";
	}
	config_error_at(document, CONFIG_SPAN_PATH(later), "%s overlaps %s; want %s",
		config_found(document, config_document_find(document, CONFIG_SPAN_PATH(later)),
			(char[CONFIG_QUOTE_TEXT]){ 0 }),
		CONFIG_OTHER(document, "%s", CONFIG_SPAN_PATH(earlier)), wanted);
	return true;
}

void config_check_networks(const struct config *config, struct config_document *document)
{
	struct config_spans spans = { 0 };

	for (uint32_t i = 0; i < config->port_count; i++) {
		for (uint32_t j = 0; j < config->port[i].address_count; j++)
			add_span(document, &spans, network_of(&config->port[i].address[j]), SPAN_PORT, i, j);
	}
	for (uint32_t i = 0; i < config->segment_count; i++)
		add_span(document, &spans, network_of(&config->segment[i].gateway), SPAN_SEGMENT, i, 0);
	config_spans_check(config, document, &spans, networks_collide);
}

/* Pools and static bindings take an address for themselves. Forwards take a port only: they share the addresses of the
 * gateway, of pools and of each other. */
static bool public_addresses_collide(const struct config *config, struct config_document *document,
	const struct config_span *earlier, const struct config_span *later)
{
	char found[CONFIG_QUOTE_TEXT];

	(void)config;
	if (later->kind < SPAN_POOL)
		return false;
	if (later->kind == SPAN_FORWARD && earlier->kind != SPAN_STATIC && earlier->kind != SPAN_NEXT_HOP)
		return false;
	config_error_at(document, CONFIG_SPAN_PATH(later), "%s overlaps %s; want an address for one use only",
		config_found(document, config_document_find(document, CONFIG_SPAN_PATH(later)), found),
		CONFIG_OTHER(document, "%s", CONFIG_SPAN_PATH(earlier)));
	return true;
}

static void add_nat_addresses(
	const struct config_nat *nat, struct config_document *document, struct config_spans *spans)
{
	for (uint32_t i = 0; i < nat->pool_count; i++) {
		for (uint32_t j = 0; j < nat->pool[i].range_count; j++) {
			const struct config_nat_range *range = &nat->pool[i].range[j];

			add_span(document, spans,
				(struct config_span){ .first = range->first, .last = range->last }, SPAN_POOL,
				i, j);
		}
	}
	for (uint32_t i = 0; i < nat->static_count; i++)
		add_span(document, spans, host_of(&nat->static_binding[i].outside), SPAN_STATIC, i, 0);
	for (uint32_t i = 0; i < nat->forward_count; i++)
		add_span(document, spans, host_of(&nat->forward[i].outside), SPAN_FORWARD, i, 0);
}

void config_check_public_addresses(const struct config *config, struct config_document *document)
{
	struct config_spans spans = { 0 };

	for (uint32_t i = 0; i < config->port_count; i++) {
		for (uint32_t j = 0; j < config->port[i].address_count; j++)
			add_span(document, &spans, host_of(&config->port[i].address[j].address), SPAN_PORT, i,
				j);
	}
	for (uint32_t i = 0; i < config->route_count; i++)
		add_span(document, &spans, host_of(&config->route[i].via), SPAN_NEXT_HOP, i, 0);
	for (uint32_t i = 0; i < config->segment_count; i++)
		add_span(document, &spans, host_of(&config->segment[i].gateway.address), SPAN_SEGMENT, i, 0);
	add_nat_addresses(&config->nat, document, &spans);
	config_spans_check(config, document, &spans, public_addresses_collide);
}
