/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_host.h"
#include "base/clock.h"
#include "table/nat_memory.h"
#include <assert.h>
#include <errno.h>
#include <stdbool.h>

/* Hosts in a full table, in percent of its slots. Moving hosts two steps deep, that never fails in practice. */
#define NAT_HOST_LOAD 90u

static uint32_t lines_for(uint32_t hosts)
{
	return (uint32_t)((uint64_t)hosts * 100 / (NAT_HOST_LOAD * NAT_HOSTS_A_LINE) + 2);
}

struct memory_need nat_hosts_need(uint32_t hosts, bool quotas)
{
	struct memory_need need = nat_memory_need(lines_for(hosts), sizeof(struct nat_host_line));

	if (quotas)
		memory_need_add(&need, nat_memory_need((uint64_t)lines_for(hosts) * NAT_HOSTS_A_LINE,
					       sizeof(struct nat_host_quota)));
	return need;
}

int nat_hosts_init(
	struct nat_host_table *table, uint32_t hosts, bool quotas, const struct flow_hash_key *hash_key)
{
	*table = (struct nat_host_table){ .lines = lines_for(hosts), .hash_key = *hash_key };
	table->line = nat_memory_take(table->lines, sizeof(*table->line));
	if (quotas)
		table->quota =
			nat_memory_take((size_t)table->lines * NAT_HOSTS_A_LINE, sizeof(*table->quota));
	return table->line == NULL || (quotas && table->quota == NULL) ? -ENOMEM : 0;
}

void nat_hosts_destroy(struct nat_host_table *table)
{
	nat_memory_give(table->line);
	nat_memory_give(table->quota);
	*table = (struct nat_host_table){ 0 };
}

size_t nat_hosts_bytes(const struct nat_host_table *table)
{
	return table->lines *
	       (sizeof(*table->line) + (table->quota == NULL ? 0 : NAT_HOSTS_A_LINE * sizeof(*table->quota)));
}

/* The slots with this address, as a bit mask: 0 is the address of the free ones. */
static uint32_t line_match(const struct nat_host_line *line, rte_be32_t inside)
{
	uint32_t match = 0;

#pragma GCC unroll 5
	for (uint32_t slot = 0; slot < NAT_HOSTS_A_LINE; slot++)
		match |= (uint32_t)(atomic_load_explicit(&line->ip[slot], memory_order_acquire) == inside)
			 << slot;
	return match;
}

static uint32_t line_slot(const struct nat_host_line *line, uint16_t segment, rte_be32_t inside)
{
	for (uint32_t match = line_match(line, inside); match != 0; match &= match - 1) {
		uint32_t slot = (uint32_t)__builtin_ctz(match);
		if (atomic_load_explicit(&line->segment[slot], memory_order_relaxed) == segment)
			return slot;
	}
	return NAT_HOSTS_A_LINE;
}

struct nat_host nat_host_find(
	const struct nat_host_table *table, uint64_t hash, uint16_t segment, rte_be32_t inside)
{
	struct nat_host host = { .line = nat_host_first_line(table, hash) };

	if (unlikely(inside == 0)) /* a sender that nobody is, and not the address of a free slot's host */
		return (struct nat_host){ 0 };
	host.slot = line_slot(host.line, segment, inside);
	if (host.slot == NAT_HOSTS_A_LINE) {
		host.line = nat_host_second_line(table, hash);
		host.slot = line_slot(host.line, segment, inside);
	}
	if (host.slot == NAT_HOSTS_A_LINE)
		host.line = NULL;
	return host;
}

static void slot_set(
	struct nat_host_line *line, uint32_t slot, uint16_t segment, rte_be32_t inside, uint32_t sessions)
{
	atomic_store_explicit(&line->segment[slot], segment, memory_order_relaxed);
	atomic_store_explicit(&line->sessions[slot], sessions, memory_order_relaxed);
	atomic_store_explicit(&line->ip[slot], inside, memory_order_release);
}

/* A free slot, or NAT_HOSTS_A_LINE. */
static uint32_t line_room(const struct nat_host_line *line)
{
	return (uint32_t)__builtin_ctz(line_match(line, 0) | 1u << NAT_HOSTS_A_LINE);
}

static struct nat_host_line *other_line(
	const struct nat_host_table *table, const struct nat_host_line *line, uint32_t slot)
{
	uint64_t hash = nat_host_hash(&table->hash_key,
		atomic_load_explicit(&line->segment[slot], memory_order_relaxed),
		atomic_load_explicit(&line->ip[slot], memory_order_relaxed));
	struct nat_host_line *first = nat_host_first_line(table, hash);

	return first == line ? nat_host_second_line(table, hash) : first;
}

/* Moves one host of a full line to its other one, for which, when `deep`, one of that one moves on. First it is there,
 * then no longer here, so that a reader misses it only when it looks in the wrong order at the very moment. The slot
 * that is free now, or NAT_HOSTS_A_LINE. */
static uint32_t line_make_room(const struct nat_host_table *table, struct nat_host_line *line, bool deep)
{
	for (uint32_t slot = 0; slot < NAT_HOSTS_A_LINE; slot++) {
		struct nat_host_line *other = other_line(table, line, slot);
		uint32_t room = line_room(other);

		if (room == NAT_HOSTS_A_LINE && deep && other != line)
			room = line_make_room(table, other, false);
		if (room == NAT_HOSTS_A_LINE)
			continue;
		other->address[room] = line->address[slot];
		if (table->quota != NULL)
			*nat_host_quota(table, (struct nat_host){ other, room }) =
				*nat_host_quota(table, (struct nat_host){ line, slot });
		slot_set(other, room, atomic_load_explicit(&line->segment[slot], memory_order_relaxed),
			atomic_load_explicit(&line->ip[slot], memory_order_relaxed),
			atomic_load_explicit(&line->sessions[slot], memory_order_relaxed));
		atomic_store_explicit(&line->ip[slot], 0, memory_order_release);
		return slot;
	}
	return NAT_HOSTS_A_LINE;
}

static struct nat_host host_room(const struct nat_host_table *table, uint64_t hash)
{
	struct nat_host_line *first = nat_host_first_line(table, hash),
			     *second = nat_host_second_line(table, hash);
	uint32_t slot = line_room(first);

	if (slot < NAT_HOSTS_A_LINE)
		return (struct nat_host){ first, slot };
	slot = line_room(second);
	if (slot < NAT_HOSTS_A_LINE)
		return (struct nat_host){ second, slot };
	slot = line_make_room(table, first, true);
	if (slot < NAT_HOSTS_A_LINE)
		return (struct nat_host){ first, slot };
	slot = line_make_room(table, second, true);
	return (struct nat_host){ slot < NAT_HOSTS_A_LINE ? second : NULL, slot };
}

struct nat_host nat_host_hold(
	struct nat_host_table *table, uint64_t hash, uint16_t segment, rte_be32_t inside)
{
	struct nat_host host = nat_host_find(table, hash, segment, inside);

	if (host.line != NULL) {
		_Atomic uint32_t *sessions = &host.line->sessions[host.slot];
		atomic_store_explicit(sessions, atomic_load_explicit(sessions, memory_order_relaxed) + 1,
			memory_order_relaxed);
		return host;
	}
	host = host_room(table, hash);
	if (host.line != NULL) {
		host.line->address[host.slot] = NAT_ADDRESS_NONE;
		if (table->quota != NULL)
			*nat_host_quota(table, host) = (struct nat_host_quota){ 0 };
		slot_set(host.line, host.slot, segment, inside, 1);
		table->count++;
	}
	return host;
}

void nat_host_release(struct nat_host_table *table, struct nat_host host)
{
	uint32_t sessions = atomic_load_explicit(&host.line->sessions[host.slot], memory_order_relaxed) - 1;

	atomic_store_explicit(&host.line->sessions[host.slot], sessions, memory_order_relaxed);
	if (sessions == 0) {
		assert(table->quota == NULL || nat_host_quota(table, host)->ports == 0);
		atomic_store_explicit(&host.line->ip[host.slot], 0, memory_order_release);
		table->count--;
	}
}

/* A leaky bucket that holds one second's sessions: each puts TICKS_PER_S units in, each tick takes `rate` out. */
static bool rate_admits(struct nat_host_quota *quota, uint32_t rate, uint32_t tick)
{
	uint64_t paid = (uint64_t)tick_age(tick, quota->rate_tick) * rate;

	quota->rate_tick = tick;
	quota->rate_used = paid < quota->rate_used ? quota->rate_used - (uint32_t)paid : 0;
	if ((uint64_t)quota->rate_used + TICKS_PER_S > (uint64_t)rate * TICKS_PER_S)
		return false;
	quota->rate_used += TICKS_PER_S;
	return true;
}

int nat_host_admit(
	struct nat_host_table *table, struct nat_host host, const struct nat_limits *limits, uint32_t tick)
{
	if (limits->sessions != 0 && atomic_load_explicit(&host.line->sessions[host.slot],
					     memory_order_relaxed) > limits->sessions)
		return -EUSERS;
	if (limits->new_sessions_a_second != 0 &&
		!rate_admits(nat_host_quota(table, host), limits->new_sessions_a_second, tick))
		return -EBUSY;
	return 0;
}

void nat_host_readmit(struct nat_host_table *table, struct nat_host host, const struct nat_limits *limits)
{
	struct nat_host_quota *quota;

	if (limits->new_sessions_a_second == 0)
		return;
	quota = nat_host_quota(table, host);
	quota->rate_used -= RTE_MIN(quota->rate_used, TICKS_PER_S);
}

uint32_t nat_host_count(
	const struct nat_host_table *table, uint64_t hash, uint16_t segment, rte_be32_t inside)
{
	struct nat_host host = nat_host_find(table, hash, segment, inside);

	return host.line == NULL
		       ? 0
		       : atomic_load_explicit(&host.line->sessions[host.slot], memory_order_relaxed);
}
