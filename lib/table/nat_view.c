/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions, bindings and pools as people and tests look at them, from any thread and without asking the owners.
 *
 * A session is one cache line that its owner lcore alone writes, with plain stores. Reading it from another thread:
 * each word is read whole, by a relaxed atomic load of eight bytes; no field crosses a word. The owner writes the
 * protocol of a new record last (release) and takes it away first when the session ends, so that a record that is being
 * made has none. What remains is a record that ends and is made anew while it is read: it is read twice, with an
 * acquire fence between, and the words that say whose flow it is must agree. The second reading starts after the first
 * has ended; were the first a mixture of an old and a new flow, the second would see no protocol or the whole
 * new flow, and differ. A mixture that agrees needs the same record to be made twice within the few nanoseconds of
 * two readings, and to end a session and make one takes longer. A session that takes the record of its binding's first one
 * over moves to another number: a list under way may have it twice or not at all. Counters and times go on meanwhile, each word by itself.
 *
 * The owner's plain stores are a data race to the letter of C11, as all lock-free tables of this kind have (a seqlock's
 * too); on the machines that DPDK knows an aligned store of a word is one store. The owner pays nothing for it; a
 * reader takes the line from its cache for a moment, as any reader of a counter does. */
#include "table/nat_mapping.h"
#include "table/nat_owner.h"

const char *const nat_kind_name[NAT_KINDS] = {
	[NAT_KIND_DYNAMIC] = "dynamic",
	[NAT_KIND_STATIC] = "static",
	[NAT_KIND_FORWARD] = "forward",
};

static bool filter_endpoint(rte_be32_t wanted, uint16_t wanted_port, rte_be32_t address, rte_be16_t port)
{
	return (wanted == 0 || wanted == address) &&
	       (wanted_port == 0 || wanted_port == rte_be_to_cpu_16(port));
}

static bool filter_port(uint16_t wanted, const struct nat_session *session)
{
	rte_be16_t port = rte_cpu_to_be_16(wanted);

	return wanted == 0 || port == session->inside_port || port == session->outside_port ||
	       port == session->remote_port;
}

static bool filter_word(const char *wanted, const char *word)
{
	return wanted == NULL || strcmp(wanted, word) == 0;
}

static bool filter_accepts(const struct nat_filter *filter, const struct nat_session *session)
{
	return filter == NULL || (filter_word(filter->kind, nat_kind_name[session->kind]) &&
					 filter_word(filter->state, nat_state_text[session->state].name) &&
					 filter_port(filter->port, session) &&
					 (filter->segment < 0 || filter->segment == session->segment) &&
					 (filter->protocol == 0 || filter->protocol == session->protocol) &&
					 filter_endpoint(filter->inside, filter->inside_port, session->inside,
						 session->inside_port) &&
					 filter_endpoint(filter->outside, filter->outside_port,
						 session->outside, session->outside_port) &&
					 filter_endpoint(filter->remote, filter->remote_port, session->remote,
						 session->remote_port));
}

#define SESSION_WORDS     (sizeof(struct nat_session) / sizeof(uint64_t))
#define WORDS_OF_THE_FLOW 3 /* all that is before ip_delta */
#define TRIES             8 /* its state may change between two readings, hardly eight times */
_Static_assert(
	offsetof(struct nat_session, ip_delta) == WORDS_OF_THE_FLOW * sizeof(uint64_t), "whose flow it is");

static void words_read(const struct nat_session *session, uint64_t word[SESSION_WORDS])
{
	const uint64_t *from = (const uint64_t *)session;

	for (size_t i = 0; i < SESSION_WORDS; i++)
		word[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

/* False when there is no session there. */
static bool session_read(const struct nat_session *session, struct nat_session *copy)
{
	uint64_t before[SESSION_WORDS], after[SESSION_WORDS];

	for (int i = 0; i < TRIES; i++) {
		words_read(session, before);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		words_read(session, after);
		if (memcmp(before, after, WORDS_OF_THE_FLOW * sizeof(uint64_t)) == 0) {
			memcpy(copy, after, sizeof(*copy));
			return copy->protocol != 0;
		}
	}
	return false;
}

static struct nat_session_view session_view(
	const struct nat_owner *owner, const struct nat_session *session, uint32_t number, uint32_t tick)
{
	uint32_t idle = tick_age(tick, session->last_seen), timeout = owner->timeout[session->state];
	uint32_t left = idle < timeout ? timeout - idle : 0;

	if (session->state == NAT_STATE_MAPPING)
		left = tick_age(session->last_seen, tick);
	struct nat_session_view view = { .segment = session->segment,
		.protocol = session->protocol,
		.state = nat_state_text[session->state].name,
		.kind = nat_kind_name[session->kind],
		.inside = session->inside,
		.outside = session->outside,
		.remote = session->remote,
		.inside_port = rte_be_to_cpu_16(session->inside_port),
		.outside_port = rte_be_to_cpu_16(session->outside_port),
		.remote_port = rte_be_to_cpu_16(session->remote_port),
		.idle_s = idle / TICKS_PER_S,
		.expires_in_s = left / TICKS_PER_S,
		.owner = owner->number };

	nat_traffic_sum(&owner->carry, session, number, NAT_UP, &view.packets_up, &view.bytes_up);
	nat_traffic_sum(&owner->carry, session, number, NAT_DOWN, &view.packets_down, &view.bytes_down);
	return view;
}

/* A copy of the next session in use from the cursor on, among `scan` records; INDEX_NONE when there is none among them. A
 * run of free ones counts as one, so that a large table with few sessions is read quickly. */
static uint32_t next_in_use(
	const struct nat_owner *owner, uint32_t *cursor, uint32_t *scan, struct nat_session *copy)
{
	while (*scan > 0 && *cursor < owner->rows.free.size) {
		(*scan)--;
		if (id_pool_is_free_run(&owner->rows.free, *cursor)) {
			*cursor += ID_POOL_RUN;
			continue;
		}
		uint32_t number = (*cursor)++;
		if (!id_pool_is_free(&owner->rows.free, number) &&
			session_read(&owner->session[number], copy))
			return number;
	}
	if (*cursor >= owner->rows.free.size)
		*cursor = UINT32_MAX;
	return INDEX_NONE;
}

uint32_t nat_owner_sessions(const struct nat_owner *owner, uint32_t *cursor, const struct nat_filter *filter,
	struct nat_session_view *out, uint32_t max, uint32_t scan, uint32_t tick)
{
	struct nat_session session;
	uint32_t copied = 0;

	while (copied < max) {
		uint32_t number = next_in_use(owner, cursor, &scan, &session);
		if (number == INDEX_NONE)
			break;
		if (filter_accepts(filter, &session))
			out[copied++] = session_view(owner, &session, number, tick);
	}
	return copied;
}

uint32_t nat_owner_bindings(const struct nat_owner *owner, uint32_t *cursor, const struct nat_filter *filter,
	struct nat_binding_view *out, uint32_t max, uint32_t scan, uint32_t tick)
{
	struct nat_session first;
	uint32_t copied = 0;

	(void)tick;
	while (copied < max) {
		if (next_in_use(owner, cursor, &scan, &first) == INDEX_NONE)
			break;
		first.remote_port = 0; /* no part of a binding */
		if (!(first.flags & NAT_SESSION_FIRST) || first.kind != NAT_KIND_DYNAMIC ||
			!filter_accepts(filter, &first))
			continue;
		out[copied++] = (struct nat_binding_view){ .segment = first.segment,
			.protocol = first.protocol,
			.kind = nat_kind_name[first.kind],
			.inside = first.inside,
			.outside = first.outside,
			.inside_port = rte_be_to_cpu_16(first.inside_port),
			.outside_port = rte_be_to_cpu_16(first.outside_port),
			.sessions = first.previous,
			.owner = owner->number };
	}
	return copied;
}

/* Ends the session if it matches, and those of its binding that take its number over. False: not now, as the end of a mapping
 * cannot be told, or as `max` have ended. */
static bool number_clear(struct nat_owner *owner, uint32_t number, const struct nat_filter *filter,
	uint32_t max, uint32_t *ended)
{
	struct nat_session *session = &owner->session[number];

	while (session->protocol != 0 && filter_accepts(filter, session)) {
		if (*ended >= max ||
			(session->state == NAT_STATE_MAPPING && !nat_mapping_clear(owner, session)))
			return false;
		nat_close(owner, number);
		(*ended)++;
	}
	return true;
}

/* Those that have moved since from where the cursor had not been to where it had. */
static bool moved_clear(
	struct nat_owner *owner, const struct nat_filter *filter, uint32_t max, uint32_t *ended)
{
	struct nat_moved *moved = &owner->moved;

	for (; moved->count > 0; moved->count--)
		if (!number_clear(owner, moved->number[moved->count - 1], filter, max, ended))
			return false;
	return true;
}

/* Ends those that match, of `scan` records: a lookup of the record, as everybody else's, and the owner's own closing. Stops at
 * a mapping whose end cannot be told now. */
uint32_t nat_owner_clear(struct nat_owner *owner, uint32_t *cursor, const struct nat_filter *filter,
	uint32_t max, uint32_t scan)
{
	struct nat_moved *moved = &owner->moved;
	struct nat_session session;
	uint32_t ended = 0, number;

	if (*cursor == 0)
		moved->count = 0;
	else
		*cursor = RTE_MIN(*cursor, moved->back);
	moved->back = UINT32_MAX;
	if (moved_clear(owner, filter, max, &ended))
		while (ended < max && (number = next_in_use(owner, cursor, &scan, &session)) != INDEX_NONE)
			if (!number_clear(owner, number, filter, max, &ended)) {
				*cursor = number;
				break;
			}
	moved->cursor = *cursor == UINT32_MAX ? 0 : *cursor;
	return ended;
}

uint32_t nat_rule_bindings(const struct nat *nat, struct nat_binding_view *out, uint32_t max, uint32_t skip)
{
	const struct nat_rules *rules = &nat->rules;
	uint32_t total = rules->static_count + rules->forward_count;

	for (uint32_t i = 0; i < max && skip + i < total; i++) {
		uint32_t number = skip + i;
		if (number < rules->static_count) {
			const struct nat_static_settings *binding = &rules->static_binding[number];
			out[i] = (struct nat_binding_view){ .segment = binding->segment,
				.kind = nat_kind_name[NAT_KIND_STATIC],
				.inside = binding->inside,
				.outside = binding->outside,
				.owner = nat_owner_of_inside(nat, binding->segment, binding->inside) };
		} else {
			const struct nat_forward_settings *forward =
				&rules->forward[number - rules->static_count];
			out[i] = (struct nat_binding_view){ .segment = forward->segment,
				.protocol = forward->protocol,
				.kind = nat_kind_name[NAT_KIND_FORWARD],
				.inside = forward->inside,
				.outside = forward->outside,
				.inside_port = forward->inside_port,
				.outside_port = forward->outside_port,
				.owner = nat_owner_of_inside(nat, forward->segment, forward->inside) };
		}
	}
	return total;
}

uint32_t nat_host_sessions(const struct nat *nat, uint16_t segment, rte_be32_t inside)
{
	const struct nat_owner *owner = nat->owner[nat_owner_of_inside(nat, segment, inside)];

	return nat_host_count(&owner->hosts, nat_host_hash(&nat->hash_key, segment, inside), segment, inside);
}

const struct nat_owner_counters *nat_owner_counters(const struct nat_owner *owner)
{
	return &owner->counters;
}

static void pool_use_add(struct nat_pool_view *view, const struct nat_pool_use *use)
{
	for (int class = 0; class < NAT_CLASSES; class ++) {
		view->used[class] += use->used[class];
		view->most[class] += use->most[class];
		view->resting[class] += use->resting[class];
	}
	view->blocks += use->blocks;
	view->blocks_used += use->blocks_used;
	view->blocks_most += use->blocks_most;
	view->blocks_resting += use->blocks_resting;
}

uint32_t nat_pools(const struct nat *nat, struct nat_pool_view *out, uint32_t max)
{
	const struct nat_address_table *table = &nat->addresses;
	uint32_t count = RTE_MIN(table->pools, max);

	for (uint32_t p = 0; p < count; p++) {
		const struct nat_pool *pool = &table->pool[p];
		out[p] = (struct nat_pool_view){ .name = pool->name,
			.addresses = pool->addresses,
			.ports = (uint64_t)pool->addresses * pool->ports,
			.block_size = pool->blocks ? 1u << pool->block_shift : 0,
			.deterministic = pool->plan.hosts > 0,
			.limits = pool->limits };
		for (uint16_t i = 0; i < nat->owners; i++)
			pool_use_add(&out[p], &nat->owner[i]->ports.use[p]);
	}
	return table->pools;
}
