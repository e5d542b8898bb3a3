/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions come and go: their record and its row, their entry in the index, their binding. */
#include "base/prefetch.h"
#include "packet/checksum.h"
#include "table/nat_owner.h"
#include <assert.h>
#include <errno.h>

/* By what the session is found: from inside in the index, from outside in its row. */
static struct nat_session_hashes hashes_of(
	const struct nat_owner *owner, const struct nat_session *session, bool first)
{
	const struct flow_hash_key *key = &owner->hash_key;
	struct nat_session_hashes hashes = {
		nat_inside_hash(
			key, session->segment, session->protocol, session->inside, session->inside_port),
		nat_outside_hash(key, session->protocol, session->outside, session->outside_port),
	};

	if (!first) {
		hashes.inside = nat_flow_hash(key, hashes.inside, session->remote, session->remote_port);
		hashes.outside = nat_flow_hash(key, hashes.outside, session->remote, session->remote_port);
	}
	return hashes;
}

static int keys_insert(struct nat_owner *owner, uint32_t number, struct nat_session_hashes hashes)
{
	if (nat_index_insert(&owner->index, hashes.inside, number) < 0)
		return -ENFILE;
	if (unlikely(!nat_record_show(&owner->rows, hashes.outside, number)) &&
		nat_index_insert(&owner->index, hashes.outside, number) < 0) {
		nat_record_hide(&owner->rows, hashes.outside, number);
		nat_index_remove(&owner->index, hashes.inside, number);
		return -ENFILE;
	}
	return 0;
}

static void keys_remove(struct nat_owner *owner, uint32_t number, const struct nat_session_hashes *hashes)
{
	nat_index_remove(&owner->index, hashes->inside, number);
	if (unlikely(!nat_record_hide(&owner->rows, hashes->outside, number)))
		nat_index_remove(&owner->index, hashes->outside, number);
}

/* Joins the binding behind its first session. */
static void binding_join(struct nat_owner *owner, uint32_t first, uint32_t number)
{
	struct nat_session *head = &owner->session[first], *session = &owner->session[number];

	session->next = head->next;
	session->previous = first;
	if (head->next != INDEX_NONE)
		owner->session[head->next].previous = number;
	head->next = number;
	head->previous++;
}

static void binding_leave(struct nat_owner *owner, uint32_t number)
{
	struct nat_session *session = &owner->session[number];
	const struct nat_flow flow = { .inside = session->inside,
		.inside_port = session->inside_port,
		.segment = session->segment,
		.protocol = session->protocol };
	uint32_t first = nat_binding_find_inside(owner, &flow, nat_flow_inside_hash(owner, &flow));

	assert(first != INDEX_NONE);
	owner->session[session->previous].next = session->next;
	if (session->next != INDEX_NONE)
		owner->session[session->next].previous = session->previous;
	owner->session[first].previous--;
}

/* Nobody else reads the record from now on as this session's (nat_view.c). */
static void record_end(struct nat_session *session)
{
	__atomic_store_n(&session->protocol, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE); /* before anything is written over it */
}

/* Last of what is written, for who reads records from another thread: one with a protocol is whole (nat_view.c). */
static void record_begin(struct nat_session *session, uint8_t protocol)
{
	__atomic_store_n(&session->protocol, protocol, __ATOMIC_RELEASE);
}

static void session_free(struct nat_owner *owner, uint32_t number)
{
	record_end(&owner->session[number]);
	nat_record_retire(owner, number);
}

static void moved_note(struct nat_moved *moved, uint32_t number)
{
	if (moved->count < NAT_MOVED_MAX)
		moved->number[moved->count++] = number;
	else
		moved->back = RTE_MIN(moved->back, number);
}

/* The next session of the binding takes the place of its first one: as the binding, and its record, to which the bare endpoints
 * lead. It is looked at soon, as it may be over as well. */
static void binding_pass_on(struct nat_owner *owner, uint32_t number)
{
	struct nat_session *session = &owner->session[number];
	uint32_t at = session->next, sessions = session->previous;
	struct nat_session heir = owner->session[at];
	struct nat_session_hashes hashes = hashes_of(owner, &heir, false);
	uint8_t protocol = heir.protocol;

	keys_remove(owner, at, &hashes);
	nat_traffic_move(&owner->carry, &heir, at, number);
	session_free(owner, at);
	heir.flags |= NAT_SESSION_FIRST;
	heir.previous = sessions - 1;
	if (heir.next != INDEX_NONE)
		owner->session[heir.next].previous = number;
	record_end(session);
	heir.protocol = 0;
	*session = heir;
	record_begin(session, protocol);
	nat_session_hurry(owner, number, owner->sweep_tick);
	if (unlikely(number < owner->moved.cursor && at >= owner->moved.cursor))
		moved_note(&owner->moved, number);
}

static void deltas_set(struct nat_session *session, uint8_t protocol)
{
	uint32_t address = checksum_delta32(session->inside, session->outside);
	uint32_t port = checksum_delta16(session->inside_port, session->outside_port);

	session->ip_delta = checksum_fold(address);
	/* ICMP has no pseudo header. */
	session->l4_delta = checksum_fold(protocol == IPPROTO_ICMP ? port : address + port);
}

/* Tells the log that a session begins or ends, and its binding with it. Rare: only with a log. */
static void __attribute__((noinline))
events_put(struct nat_owner *owner, const struct nat_session *session, bool begins, bool binding)
{
	struct nat_event event = { .inside = session->inside,
		.outside = session->outside,
		.remote = session->remote,
		.inside_port = session->inside_port,
		.outside_port = session->outside_port,
		.remote_port = session->remote_port,
		.segment = session->segment,
		.protocol = session->protocol };

	event.type = begins ? NAT_EVENT_SESSION_CREATED : NAT_EVENT_SESSION_DELETED;
	if (nat_event_wanted(&owner->events, (enum nat_event_type)event.type))
		nat_event_put(&owner->events, &event);
	event.type = begins ? NAT_EVENT_BINDING_CREATED : NAT_EVENT_BINDING_DELETED;
	if (!binding || !nat_event_wanted(&owner->events, (enum nat_event_type)event.type))
		return;
	event.remote = 0;
	event.remote_port = 0;
	nat_event_put(&owner->events, &event);
}

/* Will it be the first one of its binding, and so be found by its endpoints? */
static bool makes_binding(const struct nat_opening *opening)
{
	return opening->first == INDEX_NONE && !opening->apart;
}

uint64_t nat_opening_flow_hash(
	const struct nat_owner *owner, const struct nat_opening *opening, enum nat_way way)
{
	return nat_flow_hash(&owner->hash_key, way == NAT_UP ? opening->inside_hash : opening->outside_hash,
		opening->flow.remote, opening->flow.remote_port);
}

uint64_t nat_opening_row_hash(const struct nat_owner *owner, const struct nat_opening *opening)
{
	return makes_binding(opening) ? opening->outside_hash
				      : nat_opening_flow_hash(owner, opening, NAT_DOWN);
}

static void record_take(struct nat_owner *owner, struct nat_opening *opening)
{
	uint64_t hash = nat_opening_row_hash(owner, opening);

	opening->record = nat_record_take(&owner->rows, hash);
	if (unlikely(opening->record == ID_NONE && owner->rows.retired > 0)) {
		nat_retired_poll(owner);
		opening->record = nat_record_take(&owner->rows, hash);
	}
	opening->has_record = opening->record != ID_NONE;
}

void nat_open_place(struct nat_owner *owner, struct nat_opening *opening)
{
	record_take(owner, opening);
	if (unlikely(!opening->has_record))
		return;
	opening->ahead[0] = &owner->session[opening->record];
	opening->ahead[1] = &owner->rows.row[opening->record / NAT_ROW_RECORDS];
	uint32_t next = opening->first == INDEX_NONE ? INDEX_NONE : owner->session[opening->first].next;
	if (unlikely(next != INDEX_NONE)) /* before which it joins the binding */
		prefetch_far(&owner->session[next]);
}

void nat_opening_record_give(struct nat_owner *owner, struct nat_opening *opening)
{
	if (opening->has_record)
		nat_record_give(&owner->rows, opening->record);
	opening->has_record = false;
}

int64_t nat_session_add(struct nat_owner *owner, struct nat_opening *opening, uint32_t tick)
{
	const struct nat_flow *flow = &opening->flow;
	bool first = makes_binding(opening);
	struct nat_session_hashes hashes = { opening->inside_hash, opening->outside_hash };

	if (!opening->has_record)
		record_take(owner, opening);
	if (unlikely(!opening->has_record))
		return -ENFILE;
	uint32_t number = opening->record;
	struct nat_session *session = &owner->session[number];
	*session = (struct nat_session){ .inside = flow->inside,
		.remote = flow->remote,
		.outside = flow->outside,
		.inside_port = flow->inside_port,
		.remote_port = flow->remote_port,
		.outside_port = flow->outside_port,
		.segment = flow->segment,
		.state = (uint8_t)nat_state_first(flow->protocol, (enum nat_way)opening->way),
		.kind = opening->kind & 3u,
		.flags = ((first ? NAT_SESSION_FIRST : 0u) | (opening->apart ? NAT_SESSION_APART : 0u)) & 63u,
		.last_seen = tick,
		.neighbour = INDEX_NONE,
		.next = INDEX_NONE,
		.previous = first ? 1 : INDEX_NONE };
	deltas_set(session, flow->protocol);
	record_begin(session, flow->protocol);
	opening->has_record = false;
	if (!first)
		hashes = (struct nat_session_hashes){ nat_opening_flow_hash(owner, opening, NAT_UP),
			nat_opening_flow_hash(owner, opening, NAT_DOWN) };
	if (unlikely(keys_insert(owner, number, hashes) < 0)) {
		session_free(owner, number);
		return -ENFILE;
	}
	if (!first && !opening->apart)
		binding_join(owner, opening->first, number);
	owner->counters.sessions++;
	owner->counters.sessions_created++;
	owner->counters.bindings += first && opening->kind == NAT_KIND_DYNAMIC;
	owner->counters.hosts = owner->hosts.count;
	if (unlikely(owner->events.wanted != 0))
		events_put(owner, session, true, first && opening->kind == NAT_KIND_DYNAMIC);
	return number;
}

/* The public port of a dynamic binding that ends. */
static void binding_end(struct nat_owner *owner, const struct nat_session *session, struct nat_host host)
{
	const struct nat_endpoint endpoint = {
		.outside = session->outside, .port = session->outside_port, .protocol = session->protocol
	};

	nat_endpoint_give(owner, host, &endpoint, true);
	owner->counters.bindings--;
}

bool nat_close_looked(struct nat_owner *owner, const struct nat_closing *closing)
{
	uint32_t number = closing->number;
	struct nat_session *session = &owner->session[number];

	if (unlikely(session->protocol == 0)) /* it has taken the place of its binding's first one since */
		return false;
	struct nat_host host =
		nat_host_find(&owner->hosts, closing->host_hash, session->segment, session->inside);
	bool first = session->flags & NAT_SESSION_FIRST, last = session->next == INDEX_NONE;
	assert(host.line != NULL);
	if (unlikely(owner->events.wanted != 0))
		events_put(owner, session, false, first && last && session->kind == NAT_KIND_DYNAMIC);
	if (unlikely(session->flags & NAT_SESSION_CARRIED))
		nat_traffic_forget(&owner->carry, number);
	if (first && !last) {
		binding_pass_on(owner, number);
	} else {
		keys_remove(owner, number, &closing->hashes);
		if (!first && !(session->flags & NAT_SESSION_APART))
			binding_leave(owner, number);
		if (first && session->kind == NAT_KIND_DYNAMIC)
			binding_end(owner, session, host);
		session_free(owner, number);
	}
	nat_host_release(&owner->hosts, host);
	owner->counters.sessions--;
	owner->counters.hosts = owner->hosts.count;
	return true;
}

void nat_close_look(const struct nat_owner *owner, uint32_t number, struct nat_closing *closing)
{
	const struct nat_session *session = &owner->session[number];

	bool first = session->flags & NAT_SESSION_FIRST;

	closing->number = number;
	closing->hashes = hashes_of(owner, session, first);
	closing->host_hash = nat_host_hash(&owner->hash_key, session->segment, session->inside);
	closing->ahead[0] = nat_index_first(&owner->index, closing->hashes.inside);
	closing->ahead[1] = &owner->rows.row[number / NAT_ROW_RECORDS];
	closing->ahead[2] = nat_host_first_line(&owner->hosts, closing->host_hash);
	closing->ahead[3] = closing->ahead[4] = closing->ahead[2];
	if (likely(first && session->kind == NAT_KIND_DYNAMIC))
		nat_port_give_words(&owner->ports, nat_address_find(&owner->nat->addresses, session->outside),
			(enum nat_port_class)nat_port_class(session->protocol),
			rte_be_to_cpu_16(session->outside_port), &closing->ahead[3]);
}

void nat_close(struct nat_owner *owner, uint32_t number)
{
	struct nat_closing closing;

	nat_close_look(owner, number, &closing);
	nat_close_looked(owner, &closing);
}
