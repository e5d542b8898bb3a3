/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_event.h"
#include "table/nat_memory.h"
#include <errno.h>

const char *const nat_event_name[NAT_EVENT_TYPES] = {
	[NAT_EVENT_BINDING_CREATED] = "binding-created",
	[NAT_EVENT_BINDING_DELETED] = "binding-deleted",
	[NAT_EVENT_SESSION_CREATED] = "session-created",
	[NAT_EVENT_SESSION_DELETED] = "session-deleted",
	[NAT_EVENT_BLOCK_TAKEN] = "block-taken",
	[NAT_EVENT_BLOCK_RETURNED] = "block-returned",
	[NAT_EVENT_LIMIT] = "limit",
};

const char *const nat_limit_name[NAT_LIMITS] = {
	[NAT_LIMIT_POOL_PORTS] = "pool-ports",
	[NAT_LIMIT_SESSIONS] = "sessions",
	[NAT_LIMIT_HOST_SESSIONS] = "host-sessions",
	[NAT_LIMIT_HOST_PORTS] = "host-ports",
	[NAT_LIMIT_HOST_RATE] = "host-rate",
};

static size_t ring_bytes(uint32_t room)
{
	ssize_t bytes = rte_ring_get_memsize_elem(sizeof(struct nat_event), room);

	return bytes < 0 ? 0 : (size_t)bytes;
}

int nat_events_init(struct nat_events *events, uint32_t wanted, uint32_t room)
{
	*events = (struct nat_events){ .wanted = wanted };
	if (wanted == 0)
		return 0;
	events->ring = ring_bytes(room) == 0 ? NULL : nat_memory_take(1, ring_bytes(room));
	if (events->ring == NULL) {
		events->wanted = 0;
		return ring_bytes(room) == 0 ? -EINVAL : -ENOMEM;
	}
	return rte_ring_init(events->ring, "nat_events", room, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

struct memory_need nat_events_need(uint32_t wanted, uint32_t room)
{
	return wanted == 0 ? (struct memory_need){ 0 } : nat_memory_need(1, ring_bytes(room));
}

void nat_events_destroy(struct nat_events *events)
{
	nat_memory_give(events->ring);
	*events = (struct nat_events){ 0 };
}

size_t nat_events_bytes(const struct nat_events *events)
{
	return events->ring == NULL ? 0 : ring_bytes(rte_ring_get_size(events->ring));
}

void nat_event_put(struct nat_events *events, struct nat_event *event)
{
	event->cycles = rte_rdtsc();
	if (rte_ring_sp_enqueue_elem(events->ring, event, sizeof(*event)) == 0)
		events->posted++;
	else
		events->lost++;
}

void nat_event_put_limit(struct nat_events *events, enum nat_limit limit, uint8_t protocol, uint16_t segment,
	rte_be32_t inside)
{
	/* Plus one: never 0, the key of a free place. */
	uint64_t key = ((uint64_t)(limit + 1) << 48 | (uint64_t)segment << 32 | inside), now = rte_rdtsc();
	uint32_t at = (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - NAT_EVENT_LIMIT_BITS));

	/* A place is taken over only when its time is over: a flood from many hosts is told of a bounded
	 * number a second. */
	if (events->told[at].key != 0 && (int64_t)(now - events->told[at].due) < 0)
		return;
	events->told[at].key = key;
	events->told[at].due = now + rte_get_tsc_hz() * NAT_EVENT_LIMIT_S;
	struct nat_event event = { .type = NAT_EVENT_LIMIT,
		.limit = (uint8_t)limit,
		.protocol = protocol,
		.segment = segment,
		.inside = inside };
	nat_event_put(events, &event);
}

uint32_t nat_events_take(struct nat_events *events, struct nat_event *out, uint32_t max)
{
	return rte_ring_sc_dequeue_burst_elem(events->ring, out, sizeof(*out), max, NULL);
}
