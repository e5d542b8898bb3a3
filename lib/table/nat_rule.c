/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_rule.h"
#include "base/ip_address.h"
#include "table/nat_memory.h"
#include <errno.h>
#include <stdlib.h>

/* 15 bits of segment, 1 of protocol, 16 of port, 32 of address. */
static uint64_t inside_endpoint_key(uint16_t segment, uint8_t protocol, rte_be32_t ip, rte_be16_t port)
{
	return nat_rule_endpoint_key(protocol, ip, port) | (uint64_t)segment << 49;
}

static int host_add(struct nat_rules *rules, uint16_t segment, rte_be32_t inside)
{
	int status = key_table_insert(rules->host, nat_rule_host_key(segment, inside), 0);

	rules->segment[segment].hosts = true;
	return status == -EEXIST ? 0 : status;
}

static int by_segment_then_length(const void *one, const void *other)
{
	const struct nat_source_settings *a = one, *b = other;

	if (a->segment != b->segment)
		return a->segment < b->segment ? -1 : 1;
	return b->prefix_length - a->prefix_length;
}

static int sources_add(struct nat_rules *rules, const struct nat_settings *settings)
{
	struct nat_source_settings *sorted = calloc(settings->source_count + 1, sizeof(*sorted));

	if (sorted == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < settings->source_count; i++)
		sorted[i] = settings->source[i];
	qsort(sorted, settings->source_count, sizeof(*sorted), by_segment_then_length);
	for (uint32_t i = 0; i < settings->source_count; i++) {
		struct nat_segment_rules *segment = &rules->segment[sorted[i].segment];
		rte_be32_t mask = ipv4_mask(sorted[i].prefix_length);

		if (segment->source_count++ == 0)
			segment->source_first = i;
		rules->source[i] = (struct nat_source){
			.prefix = sorted[i].prefix & mask, .mask = mask, .pool = sorted[i].pool
		};
	}
	rules->source_count = settings->source_count;
	free(sorted);
	return 0;
}

static int statics_add(struct nat_rules *rules, const struct nat_settings *settings)
{
	for (uint32_t i = 0; i < settings->static_count; i++) {
		const struct nat_static_settings *from = &settings->static_binding[i];
		int status = key_table_insert(
			rules->static_inside, nat_rule_host_key(from->segment, from->inside), i);

		if (status == 0)
			status = host_add(rules, from->segment, from->inside);
		if (status < 0)
			return status;
		rules->static_binding[i] = *from;
	}
	rules->static_count = settings->static_count;
	return 0;
}

static int forwards_add(struct nat_rules *rules, const struct nat_settings *settings)
{
	for (uint32_t i = 0; i < settings->forward_count; i++) {
		const struct nat_forward_settings *from = &settings->forward[i];
		rte_be16_t inside_port = rte_cpu_to_be_16(from->inside_port);
		rte_be16_t outside_port = rte_cpu_to_be_16(from->outside_port);
		int status = key_table_insert(rules->forward_outside,
			nat_rule_endpoint_key(from->protocol, from->outside, outside_port), i);

		if (status < 0)
			return status;
		status = key_table_insert(rules->forward_inside,
			inside_endpoint_key(from->segment, from->protocol, from->inside, inside_port), i);
		/* A second forward to one inside endpoint leads in; out goes the first. */
		if (status == -EEXIST)
			rules->apart = true;
		else if (status < 0)
			return status;
		status = host_add(rules, from->segment, from->inside);
		if (status < 0)
			return status;
		rules->forward[i] = *from;
	}
	rules->forward_count = settings->forward_count;
	rules->apart |= settings->static_count > 0 && settings->forward_count > 0;
	return 0;
}

static bool settings_are_sane(const struct nat_settings *settings)
{
	for (uint32_t i = 0; i < settings->source_count; i++)
		if (settings->source[i].segment >= settings->segment_count ||
			settings->source[i].pool >= settings->pool_count ||
			settings->source[i].prefix_length > 32)
			return false;
	for (uint32_t i = 0; i < settings->static_count; i++)
		if (settings->static_binding[i].segment >= settings->segment_count)
			return false;
	for (uint32_t i = 0; i < settings->forward_count; i++)
		if (settings->forward[i].segment >= settings->segment_count ||
			(settings->forward[i].protocol != IPPROTO_TCP &&
				settings->forward[i].protocol != IPPROTO_UDP))
			return false;
	return settings->segment_count <= SEGMENT_MAX;
}

int nat_rules_init(struct nat_rules *rules, const struct nat_settings *settings)
{
	int status;

	*rules = (struct nat_rules){ .segment_count = settings->segment_count };
	if (!settings_are_sane(settings))
		return -EINVAL;
	rules->segment = nat_memory_take(settings->segment_count + 1u, sizeof(*rules->segment));
	rules->source = nat_memory_take(settings->source_count + 1, sizeof(*rules->source));
	rules->static_binding = nat_memory_take(settings->static_count + 1, sizeof(*rules->static_binding));
	rules->forward = nat_memory_take(settings->forward_count + 1, sizeof(*rules->forward));
	rules->host = key_table_create(settings->static_count + settings->forward_count);
	rules->static_inside = key_table_create(settings->static_count);
	rules->forward_inside = key_table_create(settings->forward_count);
	rules->forward_outside = key_table_create(settings->forward_count);
	status = rules->segment == NULL || rules->source == NULL || rules->static_binding == NULL ||
				 rules->forward == NULL || rules->host == NULL ||
				 rules->static_inside == NULL || rules->forward_inside == NULL ||
				 rules->forward_outside == NULL
			 ? -ENOMEM
			 : sources_add(rules, settings);
	if (status == 0)
		status = statics_add(rules, settings);
	if (status == 0)
		status = forwards_add(rules, settings);
	if (status < 0)
		nat_rules_destroy(rules);
	return status;
}

void nat_rules_destroy(struct nat_rules *rules)
{
	nat_memory_give(rules->segment);
	nat_memory_give(rules->source);
	nat_memory_give(rules->static_binding);
	nat_memory_give(rules->forward);
	key_table_destroy(rules->host);
	key_table_destroy(rules->static_inside);
	key_table_destroy(rules->forward_inside);
	key_table_destroy(rules->forward_outside);
	*rules = (struct nat_rules){ 0 };
}

size_t nat_rules_bytes(const struct nat_rules *rules)
{
	return (rules->segment_count + 1u) * sizeof(*rules->segment) +
	       (rules->source_count + 1) * sizeof(*rules->source) +
	       (rules->static_count + 1) * sizeof(*rules->static_binding) +
	       (rules->forward_count + 1) * sizeof(*rules->forward) +
	       key_table_bytes(rules->static_count + rules->forward_count) +
	       key_table_bytes(rules->static_count) + 2 * key_table_bytes(rules->forward_count);
}

bool nat_rule_out(const struct nat_rules *rules, uint16_t segment, uint8_t protocol, rte_be32_t inside,
	rte_be16_t inside_port, struct nat_way_out *out)
{
	const struct nat_segment_rules *of = &rules->segment[segment];
	uint32_t found;

	if (of->hosts && (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)) {
		found = key_table_find(
			rules->forward_inside, inside_endpoint_key(segment, protocol, inside, inside_port));
		if (found != INDEX_NONE) {
			*out = (struct nat_way_out){ .kind = NAT_KIND_FORWARD,
				.outside = rules->forward[found].outside,
				.outside_port = rte_cpu_to_be_16(rules->forward[found].outside_port) };
			return true;
		}
	}
	if (of->hosts) {
		found = key_table_find(rules->static_inside, nat_rule_host_key(segment, inside));
		if (found != INDEX_NONE) {
			*out = (struct nat_way_out){ .kind = NAT_KIND_STATIC,
				.outside = rules->static_binding[found].outside,
				.outside_port = inside_port };
			return true;
		}
	}
	for (uint32_t i = of->source_first; i < of->source_first + of->source_count; i++)
		if ((inside & rules->source[i].mask) == rules->source[i].prefix) {
			*out = (struct nat_way_out){ .kind = NAT_KIND_DYNAMIC,
				.pool = rules->source[i].pool };
			return true;
		}
	return false;
}

bool nat_rule_in(const struct nat_rules *rules, uint32_t static_binding, uint8_t protocol, rte_be32_t outside,
	rte_be16_t outside_port, struct nat_way_in *in)
{
	if (rules->forward_count > 0 && (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)) {
		uint32_t found = key_table_find(
			rules->forward_outside, nat_rule_endpoint_key(protocol, outside, outside_port));
		if (found != INDEX_NONE) {
			const struct nat_forward_settings *forward = &rules->forward[found];
			*in = (struct nat_way_in){ .kind = NAT_KIND_FORWARD,
				.segment = forward->segment,
				.inside = forward->inside,
				.inside_port = rte_cpu_to_be_16(forward->inside_port) };
			return true;
		}
	}
	if (static_binding == INDEX_NONE)
		return false;
	const struct nat_static_settings *binding = &rules->static_binding[static_binding];
	*in = (struct nat_way_in){ .kind = NAT_KIND_STATIC,
		.segment = binding->segment,
		.inside = binding->inside,
		.inside_port = outside_port };
	return true;
}
