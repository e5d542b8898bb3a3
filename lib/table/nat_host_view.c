/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_host_view.h"
#include "table/nat_owner.h"

#define BLOCKS_COUNTED 4096u /* of a host: its chain changes under the eyes of another thread */
#define HOSTS_A_LOOK   64u
#define PLACES_A_LOOK  1024u

/* The blocks of a host. */
static uint32_t blocks_count(const struct nat_blocks *blocks, uint32_t chain)
{
	uint32_t count = 0;

	while (chain != NAT_BLOCK_NONE && chain <= blocks->count && count < BLOCKS_COUNTED) {
		chain = __atomic_load_n(&blocks->block[chain - 1].next, __ATOMIC_RELAXED);
		count++;
	}
	return count;
}

/* The pool of a host without a public address: that of its source rule. */
static uint32_t pool_by_rule(const struct nat *nat, uint16_t segment, rte_be32_t inside)
{
	struct nat_way_out out;

	if (nat_rule_out(&nat->rules, segment, 0, inside, 0, &out) && out.kind == NAT_KIND_DYNAMIC)
		return out.pool;
	return NAT_HOST_POOL_NONE;
}

static void refused_add(const struct nat_owner *owner, struct nat_host_view *view)
{
	struct nat_refused refused;

	if (nat_refusal_find(&owner->refusals,
		    nat_host_hash(&owner->nat->hash_key, view->segment, view->inside), view->segment,
		    view->inside, &refused))
		memcpy(view->refused, refused.count, sizeof(view->refused));
}

/* False when nobody is there, or the host has just left. */
static bool host_read(const struct nat_owner *owner, struct nat_host host, struct nat_host_view *view)
{
	const struct nat_address_table *addresses = &owner->nat->addresses;
	const struct nat_host_line *line = host.line;
	rte_be32_t inside = atomic_load_explicit(&line->ip[host.slot], memory_order_acquire);
	uint16_t address = __atomic_load_n(&line->address[host.slot], __ATOMIC_RELAXED);
	const struct nat_host_quota *quota = nat_host_quota(&owner->hosts, host);

	*view = (struct nat_host_view){ .inside = inside,
		.owner = owner->number,
		.segment = atomic_load_explicit(&line->segment[host.slot], memory_order_relaxed),
		.sessions = atomic_load_explicit(&line->sessions[host.slot], memory_order_relaxed),
		.counted = quota != NULL };
	if (quota != NULL) {
		view->ports = __atomic_load_n(&quota->ports, __ATOMIC_RELAXED);
		view->blocks =
			blocks_count(&owner->ports.blocks, __atomic_load_n(&quota->chain, __ATOMIC_RELAXED));
	}
	atomic_thread_fence(memory_order_acquire);
	if (inside == 0 || atomic_load_explicit(&line->ip[host.slot], memory_order_relaxed) != inside)
		return false;
	if (address < addresses->count) {
		view->outside = addresses->address[address].ip;
		view->pool = addresses->address[address].pool;
	} else {
		view->pool = pool_by_rule(owner->nat, view->segment, inside);
	}
	return true;
}

/* A host that was refused and has no session; those that have some stand in the table of hosts. */
static bool refused_read(const struct nat_owner *owner, uint32_t place, struct nat_host_view *view)
{
	struct nat_refused refused;

	if (!nat_refusal_read(&owner->refusals, place, &refused) ||
		nat_host_count(&owner->hosts,
			nat_host_hash(&owner->nat->hash_key, refused.segment, refused.inside),
			refused.segment, refused.inside) > 0)
		return false;
	*view = (struct nat_host_view){ .inside = refused.inside,
		.segment = refused.segment,
		.owner = owner->number,
		.pool = pool_by_rule(owner->nat, refused.segment, refused.inside),
		.counted = owner->hosts.quota != NULL };
	memcpy(view->refused, refused.count, sizeof(view->refused));
	return true;
}

static bool host_wanted(const struct nat_filter *filter, const struct nat_host_view *view)
{
	return filter == NULL || ((filter->segment < 0 || filter->segment == view->segment) &&
					 (filter->inside == 0 || filter->inside == view->inside) &&
					 (filter->outside == 0 || filter->outside == view->outside));
}

/* The hosts of a line of the table; how many. */
static uint32_t line_hosts(const struct nat_owner *owner, uint32_t line, const struct nat_filter *filter,
	struct nat_host_view *out)
{
	uint32_t found = 0;

	for (uint32_t slot = 0; slot < NAT_HOSTS_A_LINE; slot++) {
		struct nat_host host = { &owner->hosts.line[line], slot };

		if (host_read(owner, host, &out[found]) && host_wanted(filter, &out[found])) {
			refused_add(owner, &out[found]);
			found++;
		}
	}
	return found;
}

/* The cursor counts through the lines of hosts, then through the places of those that were refused. */
uint32_t nat_owner_hosts(const struct nat_owner *owner, uint32_t *cursor, const struct nat_filter *filter,
	struct nat_host_view *out, uint32_t max, uint32_t scan)
{
	uint32_t lines = owner->hosts.lines, found = 0;

	for (; scan > 0 && *cursor < lines + NAT_REFUSALS && found + NAT_HOSTS_A_LINE <= max;
		scan--, (*cursor)++) {
		if (*cursor < lines)
			found += line_hosts(owner, *cursor, filter, &out[found]);
		else
			found += refused_read(owner, *cursor - lines, &out[found]) &&
				 host_wanted(filter, &out[found]);
	}
	if (*cursor >= lines + NAT_REFUSALS)
		*cursor = UINT32_MAX;
	return found;
}

bool nat_block_who(
	const struct nat *nat, rte_be32_t outside, uint16_t port, uint16_t *segment, rte_be32_t *inside)
{
	const struct nat_address_table *table = &nat->addresses;
	uint32_t number = nat_address_find(table, outside);

	if (number == INDEX_NONE || !nat_address_is_dynamic(table, &table->address[number], port) ||
		!table->pool[table->address[number].pool].blocks)
		return false;
	const struct nat_ports *ports =
		&nat->owner[nat_address_owner(table, number, port, nat->owners)]->ports;
	const struct nat_block *block =
		&ports->blocks.block[ports->blocks.set[number].first + nat_port_row(ports, number, port)];
	*segment = __atomic_load_n(&block->segment, __ATOMIC_RELAXED);
	*inside = __atomic_load_n(&block->inside, __ATOMIC_RELAXED);
	return __atomic_load_n(&block->used, __ATOMIC_RELAXED) > 0;
}

static void limits_add(struct nat_limits_view *view, const struct nat_host_view *host)
{
	const struct nat_limits *limits = &view->limits;
	uint64_t ports = (uint64_t)host->ports * 100, sessions = (uint64_t)host->sessions * 100;

	view->hosts += host->sessions > 0;
	view->near_ports += limits->ports != 0 && ports >= (uint64_t)limits->ports * NAT_LIMIT_NEAR_PERCENT;
	view->at_ports += limits->ports != 0 && host->ports >= limits->ports;
	view->near_sessions +=
		limits->sessions != 0 && sessions >= (uint64_t)limits->sessions * NAT_LIMIT_NEAR_PERCENT;
	view->at_sessions += limits->sessions != 0 && host->sessions >= limits->sessions;
	for (int limit = 0; limit < NAT_LIMITS; limit++)
		view->refused[limit] += host->refused[limit];
}

uint32_t nat_limits_look(const struct nat *nat, struct nat_limits_view *out, uint32_t max)
{
	const struct nat_address_table *table = &nat->addresses;
	struct nat_host_view host[HOSTS_A_LOOK];
	uint32_t pools = RTE_MIN(table->pools, max);

	for (uint32_t p = 0; p < pools; p++)
		out[p] = (struct nat_limits_view){ .pool = table->pool[p].name,
			.limits = table->pool[p].limits };
	for (uint16_t i = 0; i < nat->owners; i++)
		for (uint32_t cursor = 0; cursor != UINT32_MAX;) {
			uint32_t found = nat_owner_hosts(
				nat->owner[i], &cursor, NULL, host, HOSTS_A_LOOK, PLACES_A_LOOK);
			for (uint32_t h = 0; h < found; h++)
				if (host[h].pool < pools)
					limits_add(&out[host[h].pool], &host[h]);
		}
	return table->pools;
}
