/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_host.h"
#include "table/nat_memory.h"
#include <assert.h>
#include <errno.h>
#include <stdbool.h>

/* Of a table at its limit, three quarters are in use: with two lines to choose from that always finds room. */
int nat_hosts_init(struct nat_host_table *table, uint32_t hosts, const struct flow_hash_key *hash_key)
{
	*table = (struct nat_host_table){ .lines = hosts / 3 + 2, .hash_key = *hash_key };
	table->line = nat_memory_take(table->lines, sizeof(*table->line));
	return table->line == NULL ? -ENOMEM : 0;
}

void nat_hosts_destroy(struct nat_host_table *table)
{
	nat_memory_give(table->line);
	*table = (struct nat_host_table){ 0 };
}

size_t nat_hosts_bytes(const struct nat_host_table *table)
{
	return table->lines * sizeof(*table->line);
}

static uint32_t number_of(const struct nat_host_table *table, const struct nat_host_line *line, uint32_t i)
{
	return (uint32_t)(line - table->line) * NAT_HOSTS_A_LINE + i;
}

static uint32_t line_find(const struct nat_host_table *table, const struct nat_host_line *line, uint64_t key)
{
	for (uint32_t i = 0; i < NAT_HOSTS_A_LINE; i++)
		if (atomic_load_explicit(&line->host[i].key, memory_order_acquire) == key)
			return number_of(table, line, i);
	return INDEX_NONE;
}

uint32_t nat_host_find(const struct nat_host_table *table, uint64_t hash, uint64_t key)
{
	uint32_t number = line_find(table, nat_host_first_line(table, hash), key);

	return number != INDEX_NONE ? number : line_find(table, nat_host_second_line(table, hash), key);
}

/* How many are free, and one of them. */
static uint32_t line_room(const struct nat_host_line *line, uint32_t *room)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < NAT_HOSTS_A_LINE; i++)
		if (atomic_load_explicit(&line->host[i].key, memory_order_relaxed) == 0) {
			*room = i;
			count++;
		}
	return count;
}

uint32_t nat_host_add(struct nat_host_table *table, uint64_t hash, uint64_t key)
{
	const struct nat_host_line *first = nat_host_first_line(table, hash),
				   *second = nat_host_second_line(table, hash);
	uint32_t number = nat_host_find(table, hash, key), in_first = 0, in_second = 0;

	if (number != INDEX_NONE)
		return number;
	uint32_t free_first = line_room(first, &in_first), free_second = line_room(second, &in_second);
	if (free_first == 0 && free_second == 0)
		return INDEX_NONE;
	number = free_first >= free_second ? number_of(table, first, in_first)
					   : number_of(table, second, in_second);
	struct nat_host *host = nat_host_at(table, number);
	host->address = INDEX_NONE;
	atomic_store_explicit(&host->sessions, 0, memory_order_relaxed);
	atomic_store_explicit(&host->key, key, memory_order_release);
	table->count++;
	return number;
}

void nat_host_hold(struct nat_host_table *table, uint32_t number)
{
	struct nat_host *host = nat_host_at(table, number);

	atomic_store_explicit(&host->sessions,
		atomic_load_explicit(&host->sessions, memory_order_relaxed) + 1, memory_order_relaxed);
}

void nat_host_release(struct nat_host_table *table, uint32_t number)
{
	struct nat_host *host = nat_host_at(table, number);
	uint32_t sessions = atomic_load_explicit(&host->sessions, memory_order_relaxed);

	assert(sessions > 0);
	atomic_store_explicit(&host->sessions, sessions - 1, memory_order_relaxed);
	if (sessions == 1) {
		atomic_store_explicit(&host->key, 0, memory_order_release);
		table->count--;
	}
}
