/* SPDX-License-Identifier: BSD-3-Clause */
/* Networks and addresses that must keep out of each other's way. */
#include "management/config_check.h"
#include "management/config_collision.h"
#include "management/config_pool.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define LINK_LOCAL      UINT32_C(0xa9fe0000) /* RFC 3927 */
#define LINK_LOCAL_LAST UINT32_C(0xa9feffff)

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

	/* What is not translated could come back to either. */
	for (uint32_t i = 0; i < config->nat.bypass_count; i++)
		if (config->nat.bypass[i].segment == one || config->nat.bypass[i].segment == other)
			return false;

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
			 "both and no nat.bypass";
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

#define OWN_PORTS_LAST 1023 /* of an address of the gateway's ports, that a pool cannot have */

/* A pool may share an address of the gateway's when it leaves it ports: the well-known ones, and that of VXLAN. */
static bool pool_takes_own_ports(const struct config *config, struct config_document *document,
	const struct config_span *own, const struct config_span *shared)
{
	const struct config_nat_pool *pool = &config->nat.pool[shared->index];
	const struct config_vxlan *vxlan = &config->vxlan;
	const char *path = CONFIG_SPAN_PATH(shared),
		   *ports = CONFIG_PATH("nat.pools[%u].ports", shared->index);
	char address[IP_ADDRESS_TEXT];

	ipv4_text(htonl(own->first), address);
	if (pool->ports.count > 0 && pool->ports.range[0].first <= OWN_PORTS_LAST)
		config_error_at(document, path,
			"%s is the gateway's own, %s, and %s leaves it no ports; want those below %u left to "
			"the gateway",
			address, CONFIG_OTHER(document, "%s", CONFIG_SPAN_PATH(own)),
			CONFIG_OTHER(document, "%s", ports), OWN_PORTS_LAST + 1);
	else if (vxlan->present && ntohl(vxlan->source.v4) == own->first &&
		 config_pool_has_port(pool, vxlan->udp_port))
		config_error_at(document, path,
			"%s is that of %s, whose UDP port %u is in %s; want another address, or the port "
			"left out",
			address, CONFIG_OTHER(document, "vxlan.source"), vxlan->udp_port,
			CONFIG_OTHER(document, "%s", ports));
	else
		return false;
	return true;
}

static bool is_edge(const struct config_span *span)
{
	return span->kind == SPAN_PORT_EDGE || span->kind == SPAN_SEGMENT_EDGE;
}

static bool is_of_nat(const struct config_span *span)
{
	return span->kind == SPAN_POOL || span->kind == SPAN_STATIC || span->kind == SPAN_FORWARD;
}

/* What a relay sends to a public address of NAT comes back to the gateway itself. */
static bool server_is_of_nat(
	struct config_document *document, const struct config_span *nat, const struct config_span *server)
{
	char address[IP_ADDRESS_TEXT];

	if (!is_of_nat(nat))
		return false;
	config_error_at(document, CONFIG_SPAN_PATH(server),
		"%s is a public address of the gateway's NAT, %s; want that of a DHCP server",
		ipv4_text(htonl(server->first), address),
		CONFIG_OTHER(document, "%s", CONFIG_SPAN_PATH(nat)));
	return true;
}

/* Pools and static bindings take an address for themselves. Forwards take a port only: they share the addresses of the
 * gateway, of pools and of each other. */
static bool public_addresses_collide(const struct config *config, struct config_document *document,
	const struct config_span *earlier, const struct config_span *later)
{
	const char *path = CONFIG_SPAN_PATH(later), *other = CONFIG_SPAN_PATH(earlier);
	char found[CONFIG_QUOTE_TEXT], edge[IP_ADDRESS_TEXT];

	if (later->kind < SPAN_POOL)
		return false;
	if (later->kind == SPAN_SERVER)
		return server_is_of_nat(document, earlier, later);
	if (later->kind == SPAN_POOL && earlier->kind == SPAN_PORT)
		return pool_takes_own_ports(config, document, earlier, later);
	if (later->kind == SPAN_FORWARD && earlier->kind != SPAN_STATIC && earlier->kind != SPAN_NEXT_HOP &&
		earlier->kind != SPAN_VTEP && !is_edge(earlier))
		return false;
	config_found(document, config_document_find(document, path), found);
	if (is_edge(earlier))
		config_error_at(document, path,
			"%s takes %s, the network or broadcast address of %s; want addresses that hosts can "
			"have",
			found, ipv4_text(htonl(earlier->first), edge), CONFIG_OTHER(document, "%s", other));
	else if (earlier->kind == SPAN_POOL && later->kind == SPAN_STATIC)
		config_error_at(document, path,
			"%s overlaps %s; want an address for one use only: one outside of the pool, or in "
			"nat.pools[%u].exclude",
			found, CONFIG_OTHER(document, "%s", other), earlier->index);
	else if (earlier->kind == SPAN_STATIC && later->kind == SPAN_FORWARD)
		config_error_at(document, path,
			"%s is a port of %s, which has all ports of its address; want another address", found,
			CONFIG_OTHER(document, "%s", other));
	else
		config_error_at(document, path, "%s overlaps %s; want an address for one use only", found,
			CONFIG_OTHER(document, "%s", other));
	return true;
}

/* What names the network itself and all of its hosts names no host. */
static void add_edges(struct config_document *document, struct config_spans *spans,
	const struct ip_prefix *prefix, enum config_span_kind kind, uint32_t index, uint32_t element)
{
	struct config_span network = network_of(prefix);

	if (prefix->length >= 31)
		return;
	add_span(document, spans, (struct config_span){ .first = network.first, .last = network.first }, kind,
		index, element);
	add_span(document, spans, (struct config_span){ .first = network.last, .last = network.last }, kind,
		index, element);
}

static int by_address(const void *left, const void *right)
{
	const struct config_span *a = left, *b = right;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;
	return a->element < b->element ? -1 : a->element > b->element;
}

/* Each once, where it comes first: many segments have the same. */
static void add_vteps(
	const struct config *config, struct config_document *document, struct config_spans *spans)
{
	struct config_spans all = { 0 };

	for (uint32_t i = 0; i < config->segment_count; i++)
		for (uint32_t j = 0; j < config->segment[i].vtep_count; j++)
			add_span(document, &all, host_of(&config->segment[i].vtep[j]), SPAN_VTEP, i, j);
	if (all.count > 0)
		qsort(all.list, all.count, sizeof(all.list[0]), by_address);
	for (size_t i = 0; i < all.count; i++)
		if (i == 0 || all.list[i].first != all.list[i - 1].first)
			config_span_add(document, spans, all.list[i]);
	free(all.list);
}

static void add_nat_addresses(
	const struct config_nat *nat, struct config_document *document, struct config_spans *spans)
{
	for (uint32_t i = 0; i < nat->pool_count; i++) {
		struct config_pool_walk walk = { 0 };
		struct config_nat_range piece;

		while (config_pool_piece(&nat->pool[i], &walk, &piece))
			add_span(document, spans,
				(struct config_span){ .first = piece.first, .last = piece.last }, SPAN_POOL,
				i, walk.range);
	}
	for (uint32_t i = 0; i < nat->static_count; i++)
		add_span(document, spans, host_of(&nat->static_binding[i].outside), SPAN_STATIC, i, 0);
	for (uint32_t i = 0; i < nat->forward_count; i++)
		add_span(document, spans, host_of(&nat->forward[i].outside), SPAN_FORWARD, i, 0);
}

static void check_link_local(struct config_document *document, const struct config_spans *spans)
{
	for (size_t i = 0; i < spans->count; i++) {
		const struct config_span *span = &spans->list[i];
		const char *path = CONFIG_SPAN_PATH(span);
		char found[CONFIG_QUOTE_TEXT];

		if (is_of_nat(span) && span->first <= LINK_LOCAL_LAST && LINK_LOCAL <= span->last)
			config_error_at(document, path,
				"%s is link-local (169.254.0.0/16), which no router passes on; want an "
				"address that the outside routes here",
				config_found(document, config_document_find(document, path), found));
	}
}

void config_check_public_addresses(const struct config *config, struct config_document *document)
{
	struct config_spans spans = { 0 };

	for (uint32_t i = 0; i < config->port_count; i++) {
		for (uint32_t j = 0; j < config->port[i].address_count; j++) {
			add_span(document, &spans, host_of(&config->port[i].address[j].address), SPAN_PORT, i,
				j);
			add_edges(document, &spans, &config->port[i].address[j], SPAN_PORT_EDGE, i, j);
		}
	}
	for (uint32_t i = 0; i < config->route_count; i++)
		add_span(document, &spans, host_of(&config->route[i].via), SPAN_NEXT_HOP, i, 0);
	for (uint32_t i = 0; i < config->segment_count; i++) {
		add_span(document, &spans, network_of(&config->segment[i].gateway), SPAN_SEGMENT, i, 0);
		add_edges(document, &spans, &config->segment[i].gateway, SPAN_SEGMENT_EDGE, i, 0);
		for (uint32_t j = 0; j < config->segment[i].dhcp_relay.server_count; j++)
			add_span(document, &spans, host_of(&config->segment[i].dhcp_relay.server[j]),
				SPAN_SERVER, i, j);
	}
	add_vteps(config, document, &spans);
	add_nat_addresses(&config->nat, document, &spans);
	check_link_local(document, &spans);
	config_spans_check(config, document, &spans, public_addresses_collide);
}
