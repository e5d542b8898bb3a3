/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_deterministic.h"
#include "base/ip_address.h"
#include <errno.h>
#include <stdlib.h>

static int by_segment_then_address(const void *one, const void *other)
{
	const struct nat_deterministic_source *a = one, *b = other;

	if (a->segment != b->segment)
		return a->segment < b->segment ? -1 : 1;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return a->last > b->last ? -1 : a->last < b->last; /* the wider one first */
}

static void sources_collect(
	struct nat_deterministic *plan, const struct nat_settings *settings, uint32_t pool)
{
	for (uint32_t i = 0; i < settings->source_count; i++) {
		const struct nat_source_settings *from = &settings->source[i];
		rte_be32_t mask = ipv4_mask(from->prefix_length);

		if (from->pool == pool)
			plan->source[plan->sources++] = (struct nat_deterministic_source){
				.first = rte_be_to_cpu_32(from->prefix & mask),
				.last = rte_be_to_cpu_32(from->prefix | ~mask),
				.segment = from->segment,
			};
	}
	qsort(plan->source, plan->sources, sizeof(*plan->source), by_segment_then_address);
}

/* Counts the hosts through. A prefix within another one of the same segment is left out: its hosts have been counted. */
static uint64_t hosts_count(struct nat_deterministic *plan)
{
	uint32_t kept = 0;
	uint64_t hosts = 0;

	for (uint32_t i = 0; i < plan->sources && hosts <= UINT32_MAX; i++) {
		struct nat_deterministic_source source = plan->source[i];

		if (kept > 0 && plan->source[kept - 1].segment == source.segment &&
			source.last <= plan->source[kept - 1].last)
			continue;
		source.base = (uint32_t)hosts;
		hosts += (uint64_t)source.last - source.first + 1;
		plan->source[kept++] = source;
	}
	plan->sources = kept;
	return hosts;
}

int64_t nat_deterministic_hosts(const struct nat_settings *settings, uint32_t pool)
{
	struct nat_deterministic plan = { .source =
						  calloc(settings->source_count + 1, sizeof(*plan.source)) };
	uint64_t hosts;

	if (plan.source == NULL)
		return -ENOMEM;
	sources_collect(&plan, settings, pool);
	hosts = hosts_count(&plan);
	nat_deterministic_destroy(&plan);
	return (int64_t)hosts;
}

int nat_deterministic_init(struct nat_deterministic *plan, const struct nat_settings *settings, uint32_t pool,
	uint32_t addresses, uint32_t ports)
{
	uint64_t hosts;

	*plan = (struct nat_deterministic){ 0 };
	plan->source = calloc(settings->source_count + 1, sizeof(*plan->source));
	if (plan->source == NULL)
		return -ENOMEM;
	sources_collect(plan, settings, pool);
	hosts = hosts_count(plan);
	plan->ports_a_host = nat_deterministic_share(hosts, addresses, ports);
	if (hosts > UINT32_MAX || (hosts > 0 && plan->ports_a_host < NAT_DETERMINISTIC_PORTS_MIN)) {
		nat_deterministic_destroy(plan);
		return -ERANGE;
	}
	plan->hosts = (uint32_t)hosts;
	plan->hosts_an_address = hosts == 0 ? 1 : (uint32_t)((hosts + addresses - 1) / addresses);
	return 0;
}

void nat_deterministic_destroy(struct nat_deterministic *plan)
{
	free(plan->source);
	*plan = (struct nat_deterministic){ 0 };
}

bool nat_deterministic_out(const struct nat_deterministic *plan, uint16_t segment, rte_be32_t inside,
	uint32_t *address, uint32_t *place)
{
	uint32_t host = rte_be_to_cpu_32(inside), low = 0, high = plan->sources;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		const struct nat_deterministic_source *source = &plan->source[middle];

		if (source->segment < segment || (source->segment == segment && source->last < host)) {
			low = middle + 1;
		} else if (source->segment > segment || source->first > host) {
			high = middle;
		} else {
			uint32_t number = source->base + (host - source->first);
			*address = number / plan->hosts_an_address;
			*place = number % plan->hosts_an_address * plan->ports_a_host;
			return true;
		}
	}
	return false;
}

bool nat_deterministic_in(const struct nat_deterministic *plan, uint32_t address, uint32_t place,
	uint16_t *segment, rte_be32_t *inside)
{
	uint32_t low = 0, high = plan->sources;

	if (plan->hosts == 0 || place / plan->ports_a_host >= plan->hosts_an_address)
		return false;
	uint64_t number = (uint64_t)address * plan->hosts_an_address + place / plan->ports_a_host;
	if (number >= plan->hosts)
		return false;
	while (high - low > 1) { /* the last source whose base is not beyond the number */
		uint32_t middle = (low + high) / 2;

		if (plan->source[middle].base <= number)
			low = middle;
		else
			high = middle;
	}
	*segment = plan->source[low].segment;
	*inside = rte_cpu_to_be_32(plan->source[low].first + (uint32_t)(number - plan->source[low].base));
	return true;
}
