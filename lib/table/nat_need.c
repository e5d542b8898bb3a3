/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_need.h"
#include "table/nat_mapping.h"
#include "table/nat_memory.h"
#include "table/nat_owner.h"

#define CARRIES_MIN      256u /* sessions a quarter of a table slot that have seen more than 64 GiB */
#define SESSIONS_A_CARRY 1024u

/* Does any pool have limits or port blocks? */
static bool quotas_asked(const struct nat_settings *settings)
{
	for (uint32_t i = 0; i < settings->pool_count; i++) {
		const struct nat_pool_settings *pool = &settings->pool[i];
		if (pool->port_block != 0 || pool->limits.ports != 0 ||
			pool->limits.new_sessions_a_second != 0)
			return true;
	}
	return false;
}

/* There can be no more hosts than rules have addresses for, and no more than sessions. */
static uint32_t hosts_most(const struct nat_settings *settings, uint32_t sessions)
{
	uint64_t hosts = (uint64_t)settings->static_count + settings->forward_count;

	for (uint32_t i = 0; i < settings->source_count; i++)
		hosts += UINT64_C(1) << (32 - settings->source[i].prefix_length);
	return (uint32_t)RTE_MIN(hosts, (uint64_t)sessions);
}

struct nat_owner_size nat_owner_size(const struct nat_settings *settings)
{
	uint32_t sessions =
		(uint32_t)(((uint64_t)settings->max_sessions + settings->owners - 1) / settings->owners);

	return (struct nat_owner_size){ .sessions = sessions,
		.hosts = hosts_most(settings, sessions),
		.carries = rte_align32pow2(RTE_MAX(sessions / SESSIONS_A_CARRY, CARRIES_MIN)),
		.quotas = quotas_asked(settings) };
}

static struct memory_need owner_need(const struct nat_settings *settings, uint16_t number)
{
	const struct nat_owner_size size = nat_owner_size(settings);
	struct memory_need need = nat_memory_need(1, sizeof(struct nat_owner));

	uint32_t records = nat_rows_records(size.sessions);

	memory_need_add(&need, nat_memory_need(records, sizeof(struct nat_session)));
	memory_need_add(&need, nat_rows_need(size.sessions));
	memory_need_add(&need, nat_memory_need(records / NAT_PART_RECORDS, sizeof(uint32_t)));
	memory_need_add(&need, nat_index_need(nat_index_entries(size.sessions)));
	memory_need_add(&need, nat_memory_need(1, nat_mapping_queues_bytes()));
	memory_need_add(&need, nat_hosts_need(size.hosts, size.quotas));
	memory_need_add(&need, nat_memory_need(1, nat_refusals_bytes()));
	memory_need_add(&need, nat_ports_need(settings, number));
	memory_need_add(&need, nat_memory_need(size.carries, sizeof(struct nat_carry)));
	memory_need_add(&need, nat_events_need(settings->log_events, settings->log_room));
	memory_need_add(&need, nat_memory_need(1, fragment_table_bytes(FRAGMENT_DATAGRAMS)));
	return need;
}

struct memory_need nat_need(const struct nat_settings *settings)
{
	const struct nat_rules rules = { .segment_count = settings->segment_count,
		.source_count = settings->source_count,
		.static_count = settings->static_count,
		.forward_count = settings->forward_count };
	const struct nat_bypass bypass = { .count = settings->bypass_count,
		.segments = settings->segment_count };
	struct memory_need need = nat_memory_need(1, sizeof(struct nat));

	memory_need_add(&need, nat_memory_need(1, nat_rules_bytes(&rules)));
	memory_need_add(&need, nat_memory_need(1, nat_bypass_bytes(&bypass)));
	memory_need_add(&need, nat_address_need(settings));
	for (uint16_t i = 0; i < settings->owners; i++)
		memory_need_add(&need, owner_need(settings, i));
	return need;
}
