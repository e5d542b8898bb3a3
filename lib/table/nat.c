/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat.h"
#include "table/nat_mapping.h"
#include "table/nat_memory.h"
#include "table/nat_need.h"
#include "table/nat_owner.h"
#include <errno.h>
#include <limits.h>

#define TIMEOUT_TICKS_MAX (UINT32_C(1) << 30) /* ticks are compared by their difference */

static void timeouts_set(struct nat_owner *owner, const struct nat_settings *settings)
{
	const uint32_t seconds[NAT_TIMERS] = {
		[NAT_TIMER_TCP_ESTABLISHED] = settings->tcp_established_s,
		[NAT_TIMER_TCP_OPENING] = settings->tcp_opening_s,
		[NAT_TIMER_TCP_CLOSING] = settings->tcp_closing_s,
		[NAT_TIMER_UDP] = settings->udp_s,
		[NAT_TIMER_ICMP] = settings->icmp_s,
	};

	owner->shortest_timeout = TIMEOUT_TICKS_MAX;
	for (int state = 0; state < NAT_STATES; state++) {
		if (state == NAT_STATE_MAPPING)
			continue; /* ends when it says */
		uint64_t ticks = (uint64_t)seconds[nat_state_text[state].timer] * TICKS_PER_S;
		owner->timeout[state] = (uint32_t)RTE_MIN(ticks, (uint64_t)TIMEOUT_TICKS_MAX);
		owner->shortest_timeout = RTE_MIN(owner->shortest_timeout, owner->timeout[state]);
	}
	/* Outbound packets must refresh a UDP mapping, inbound ones may (RFC 4787 REQ-6). They do unless told
	 * otherwise: who only receives, a stream say, would else be cut off, and only the remote of the session,
	 * whom the host has called, can keep it alive. */
	owner->refreshed[NAT_UP] = NAT_STATES_REFRESHED;
	owner->refreshed[NAT_DOWN] =
		NAT_STATES_REFRESHED & ~(settings->udp_refresh_outbound_only ? 1u << NAT_STATE_UDP : 0);
	for (uint32_t i = 0; i < sizeof(owner->after); i++) {
		uint32_t way = i / (NAT_STATE_FLAGS + 1) % NAT_WAYS, before = i / sizeof(owner->after[0]);
		uint8_t after = (&nat_state_next[0][0][0])[i];
		bool refreshes = (owner->refreshed[way] >> before | owner->refreshed[way] >> after) & 1;
		(&owner->after[0][0][0])[i] = (uint8_t)(after | (refreshes ? NAT_STATE_REFRESHES : 0));
	}
}

static void forwards_reserve(struct nat_owner *owner, const struct nat_rules *rules)
{
	for (uint32_t i = 0; i < rules->forward_count; i++) {
		const struct nat_forward_settings *forward = &rules->forward[i];
		uint32_t address = nat_address_find(&owner->nat->addresses, forward->outside);
		nat_port_reserve(&owner->ports, address,
			(enum nat_port_class)nat_port_class(forward->protocol), forward->outside_port);
	}
}

static void owner_destroy(struct nat_owner *owner)
{
	if (owner == NULL)
		return;
	nat_memory_give(owner->session);
	nat_index_destroy(&owner->index);
	nat_rows_destroy(&owner->rows);
	nat_hosts_destroy(&owner->hosts);
	nat_refusals_destroy(&owner->refusals);
	if (owner->ports.set != NULL)
		nat_ports_destroy(&owner->ports);
	nat_carry_destroy(&owner->carry);
	fragment_table_destroy(owner->fragments);
	nat_memory_give(owner->mappings);
	nat_memory_give(owner->quiet_until);
	nat_events_destroy(&owner->events);
	nat_memory_give(owner);
}

static int owner_init(
	struct nat_owner *owner, const struct nat *nat, uint16_t number, const struct nat_settings *settings)
{
	const struct nat_owner_size size = nat_owner_size(settings);
	uint32_t sessions = size.sessions;
	int status;

	owner->nat = nat;
	owner->number = number;
	owner->hash_key = nat->hash_key;
	nat_retired_init(owner);
	owner->counters.capacity = sessions;
	timeouts_set(owner, settings);
	status = nat_rows_init(&owner->rows, sessions);
	if (status == 0) {
		owner->session = nat_memory_take(owner->rows.free.size, sizeof(*owner->session));
		owner->parts = owner->rows.free.size / NAT_PART_RECORDS;
		owner->quiet_until = nat_memory_take(owner->parts, sizeof(*owner->quiet_until));
		status = owner->session == NULL || owner->quiet_until == NULL ? -ENOMEM : 0;
	}
	if (status == 0)
		status = nat_index_init(&owner->index, nat_index_entries(sessions), owner->rows.free.size);
	if (status == 0)
		status = (owner->mappings = nat_mapping_queues_create()) == NULL ? -ENOMEM : 0;
	if (status == 0)
		status = nat_hosts_init(&owner->hosts, size.hosts, size.quotas, &nat->hash_key);
	if (status == 0)
		status = nat_refusals_init(&owner->refusals);
	if (status == 0)
		status = nat_ports_init(&owner->ports, &nat->addresses, number, settings->owners,
			(uint32_t)RTE_MIN(
				(uint64_t)settings->port_rest_s * TICKS_PER_S, (uint64_t)TIMEOUT_TICKS_MAX));
	if (status == 0)
		status = nat_carry_init(&owner->carry, size.carries);
	if (status == 0)
		status = nat_events_init(&owner->events, settings->log_events, settings->log_room);
	owner->ports.events = &owner->events;
	if (status == 0) {
		owner->fragments = fragment_table_create(FRAGMENT_DATAGRAMS, &nat->hash_key);
		status = owner->fragments == NULL ? -ENOMEM : 0;
	}
	if (status == 0)
		forwards_reserve(owner, &nat->rules);
	return status;
}

static int owners_make(struct nat *nat, const struct nat_settings *settings)
{
	for (uint16_t i = 0; i < settings->owners; i++) {
		int status;

		nat->owner[i] = nat_memory_take(1, sizeof(struct nat_owner));
		nat->owners = (uint16_t)(i + 1);
		status = nat->owner[i] == NULL ? -ENOMEM : owner_init(nat->owner[i], nat, i, settings);
		if (status < 0)
			return status;
	}
	return 0;
}

static bool steering_is_sane(const struct nat_settings *settings)
{
	const struct nat_steering_settings *steering = &settings->steering;

	return (!steering->outside || nat_steering_outside_fits(steering->block_shift, settings->owners)) &&
	       (!steering->inside ||
		       (rte_is_power_of_2(steering->indexes) && steering->indexes <= NAT_STEERING_INDEXES));
}

struct nat *nat_create(const struct nat_settings *settings)
{
	struct nat *nat;
	int status;

	if (settings->owners == 0 || settings->owners > NAT_OWNER_MAX || settings->max_sessions == 0 ||
		nat_owner_size(settings).sessions > NAT_SESSIONS_MAX || !steering_is_sane(settings)) {
		errno = EINVAL;
		return NULL;
	}
	nat = nat_memory_take(1, sizeof(*nat));
	if (nat == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	nat->new_sessions_in_overload = settings->new_sessions_in_overload;
	nat->unsolicited_syn_told = settings->unsolicited_syn_told;
	nat->steered_inside = settings->steering.inside;
	if (nat->steered_inside)
		nat_inside_map_make(&nat->inside_map, &settings->steering, settings->owners);
	if (settings->hash_key != NULL)
		nat->hash_key = *settings->hash_key;
	else
		flow_hash_key_random(&nat->hash_key);
	status = nat_address_init(&nat->addresses, settings);
	if (status == 0)
		status = nat_rules_init(&nat->rules, settings);
	if (status == 0)
		status = nat_bypass_init(&nat->bypass, settings);
	if (status == 0)
		status = owners_make(nat, settings);
	if (status == 0)
		return nat;
	nat_destroy(nat);
	errno = -status;
	return NULL;
}

void nat_destroy(struct nat *nat)
{
	if (nat == NULL)
		return;
	for (uint16_t i = 0; i < nat->owners; i++)
		owner_destroy(nat->owner[i]);
	nat_bypass_destroy(&nat->bypass);
	nat_rules_destroy(&nat->rules);
	nat_address_destroy(&nat->addresses);
	nat_memory_give(nat);
}

struct nat_owner *nat_owner(struct nat *nat, uint16_t index)
{
	return index < nat->owners ? nat->owner[index] : NULL;
}

size_t nat_bytes(const struct nat *nat)
{
	size_t bytes = sizeof(*nat) + nat_rules_bytes(&nat->rules) + nat_bypass_bytes(&nat->bypass) +
		       nat_address_bytes(&nat->addresses);

	for (uint16_t i = 0; i < nat->owners; i++) {
		const struct nat_owner *owner = nat->owner[i];
		bytes += sizeof(*owner) + owner->rows.free.size * sizeof(*owner->session) +
			 owner->parts * sizeof(*owner->quiet_until) + nat_rows_bytes(&owner->rows) +
			 nat_index_bytes(&owner->index) + nat_hosts_bytes(&owner->hosts) +
			 nat_refusals_bytes() + nat_ports_bytes(&owner->ports) +
			 nat_events_bytes(&owner->events) + owner->carry.size * sizeof(*owner->carry.entry) +
			 fragment_table_bytes(FRAGMENT_DATAGRAMS) + nat_mapping_queues_bytes();
	}
	return bytes;
}

bool nat_translates_source(const struct nat *nat, uint16_t segment, rte_be32_t inside)
{
	const struct nat_segment_rules *of = &nat->rules.segment[segment];

	for (uint32_t i = of->source_first; i < of->source_first + of->source_count; i++)
		if ((inside & nat->rules.source[i].mask) == nat->rules.source[i].prefix)
			return true;
	return of->hosts && key_table_find(nat->rules.host, nat_rule_host_key(segment, inside)) != INDEX_NONE;
}

bool nat_bypasses(const struct nat *nat, uint16_t segment, rte_be32_t inside, rte_be32_t remote)
{
	return nat_bypass_has(&nat->bypass, segment, inside, remote);
}

/* The host that a deterministic pool computes for a port of its address. */
static bool computed_host(const struct nat_address_table *table, uint32_t number, uint16_t port,
	uint16_t *segment, rte_be32_t *inside)
{
	const struct nat_pool *pool = &table->pool[table->address[number].pool];
	uint32_t place = nat_pool_place(pool, port);

	return place != NAT_PLACE_NONE &&
	       nat_deterministic_in(&pool->plan, number - pool->address_first, place, segment, inside);
}

bool nat_deterministic_who(
	const struct nat *nat, rte_be32_t outside, uint16_t port, uint16_t *segment, rte_be32_t *inside)
{
	uint32_t number = nat_address_find(&nat->addresses, outside);

	return number != INDEX_NONE && nat->addresses.address[number].computed &&
	       computed_host(&nat->addresses, number, port, segment, inside);
}

bool nat_block_owners_find(const struct nat *nat, rte_be32_t outside, struct nat_block_owners *owners)
{
	uint32_t number = nat_address_find(&nat->addresses, outside);

	if (number == INDEX_NONE || outside == 0)
		return false;
	const struct nat_address *address = &nat->addresses.address[number];
	if (address->forwards || address->static_binding != INDEX_NONE || address->computed)
		return false;
	*owners = (struct nat_block_owners){ .outside = outside,
		.turn = nat_address_turn(&nat->addresses, number, nat->owners),
		.block_shift = address->block_shift };
	return true;
}

uint16_t nat_owner_of_outside(
	const struct nat *nat, uint8_t protocol, rte_be32_t outside, rte_be16_t outside_port)
{
	uint32_t number = nat_address_find(&nat->addresses, outside);
	struct nat_way_in in;

	if (number == INDEX_NONE)
		return 0;
	const struct nat_address *address = &nat->addresses.address[number];
	if (unlikely(address->forwards || address->static_binding != INDEX_NONE) &&
		nat_rule_in(&nat->rules, address->static_binding, protocol, outside, outside_port, &in))
		return nat_owner_of_inside(nat, in.segment, in.inside);
	uint16_t port = rte_be_to_cpu_16(outside_port);
	if (unlikely(address->computed))
		return computed_host(&nat->addresses, number, port, &in.segment, &in.inside)
			       ? nat_owner_of_inside(nat, in.segment, in.inside)
			       : 0;
	return nat_address_owner(&nat->addresses, number, port, nat->owners);
}
