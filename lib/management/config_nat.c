/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/config_nat.h"
#include "management/config_pool.h"
#include "nat_log/nat_log.h"
#include "table/nat_event.h"
#include <errno.h>
#include <stdlib.h>

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

static void settings_fill(const struct config *config, uint16_t owners,
	const struct config_nat_settings *made, struct nat_settings *to)
{
	const struct config_nat *from = &config->nat;

	*to = (struct nat_settings){
		.pool = made->pool,
		.pool_count = from->pool_count,
		.source = made->source,
		.source_count = from->source_count,
		.static_binding = made->binding,
		.static_count = from->static_count,
		.forward = made->forward,
		.forward_count = from->forward_count,
		.bypass = made->bypass,
		.bypass_count = bypass_count(from),
		/* Without a rule there can be no session: no memory for any. */
		.max_sessions = from->source_count + from->static_count + from->forward_count > 0
					? from->max_sessions
					: 1,
		.new_sessions_in_overload = from->new_sessions_in_overload,
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
	};
}

int config_nat_settings_make(const struct config *config, uint16_t owners, struct config_nat_settings *made)
{
	const struct config_nat *from = &config->nat;

	*made = (struct config_nat_settings){ .range = pool_ranges(from),
		.pool = calloc(from->pool_count + 1, sizeof(*made->pool)),
		.source = calloc(from->source_count + 1, sizeof(*made->source)),
		.binding = calloc(from->static_count + 1, sizeof(*made->binding)),
		.forward = calloc(from->forward_count + 1, sizeof(*made->forward)),
		.bypass = calloc(bypass_count(from) + 1, sizeof(*made->bypass)) };
	if (made->range == NULL || made->pool == NULL || made->source == NULL || made->binding == NULL ||
		made->forward == NULL || made->bypass == NULL) {
		config_nat_settings_free(made);
		return -ENOMEM;
	}
	nat_rules_copy(from, made->range, made->pool, made->source, made->binding, made->forward);
	bypass_copy(from, made->bypass);
	settings_fill(config, owners, made, &made->settings);
	return 0;
}

void config_nat_settings_free(struct config_nat_settings *made)
{
	free(made->range);
	free(made->pool);
	free(made->source);
	free(made->binding);
	free(made->forward);
	free(made->bypass);
	*made = (struct config_nat_settings){ 0 };
}
