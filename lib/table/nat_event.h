/* SPDX-License-Identifier: BSD-3-Clause */
/* What an owner tells the log of NAT: bindings, port blocks and sessions that come and go, limits that were reached.
 *
 * One bounded ring an owner: its lcore puts in, one thread of the management side takes out (lib/management/nat_log.h).
 * A full ring loses the event and counts it; a packet never waits. With the log off, or without this type of event in
 * it, an event is one test of a bit. The time is the time stamp counter, for the other side to make a clock time of.
 *
 * An event of a binding or a block is complete in itself: its end repeats what its beginning said (RFC 6888
 * section 4, RFC 8158 section 5.6). */
#pragma once

#include "base/memory_need.h"
#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_ring_elem.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nat_event_type {
	NAT_EVENT_BINDING_CREATED, /* dynamic ones */
	NAT_EVENT_BINDING_DELETED,
	NAT_EVENT_SESSION_CREATED, /* of every kind */
	NAT_EVENT_SESSION_DELETED,
	NAT_EVENT_BLOCK_TAKEN, /* by an inside host */
	NAT_EVENT_BLOCK_RETURNED,
	NAT_EVENT_LIMIT, /* something was refused, see enum nat_limit */
	NAT_EVENT_TYPES
};
#define NAT_EVENT_BIT(type) (1u << (type))
extern const char *const nat_event_name[NAT_EVENT_TYPES]; /* "binding-created", ... */

/* What was at its limit when a new session was refused. */
enum nat_limit {
	NAT_LIMIT_POOL_PORTS,    /* no free port in the pool */
	NAT_LIMIT_SESSIONS,      /* the session table is full */
	NAT_LIMIT_HOST_SESSIONS, /* the host has as many sessions as it may have */
	NAT_LIMIT_HOST_PORTS,    /* the same of ports or port blocks */
	NAT_LIMIT_HOST_RATE,     /* the same of new sessions a second */
	NAT_LIMITS
};
extern const char *const nat_limit_name[NAT_LIMITS]; /* "pool-ports", ... */

struct nat_event {
	uint64_t cycles;                    /* time stamp counter */
	rte_be32_t inside, outside, remote; /* 0: none */
	rte_be16_t inside_port, remote_port;
	rte_be16_t outside_port; /* of a block: the first one */
	rte_be16_t last_port;    /* of a block: the last one */
	uint16_t segment;
	uint8_t type;     /* enum nat_event_type */
	uint8_t protocol; /* of a block: 0 when it is one of all protocols */
	uint8_t limit;    /* enum nat_limit */
};
_Static_assert(sizeof(struct nat_event) == 40, "an element of the ring is a multiple of 4 bytes");

/* Hosts at a limit that are remembered, so that one is not told again for each packet. */
#define NAT_EVENT_LIMIT_BITS  6u
#define NAT_EVENT_LIMIT_HOSTS (1u << NAT_EVENT_LIMIT_BITS)
#define NAT_EVENT_LIMIT_S     10u

struct nat_events {            /* of one owner, written by its lcore */
	struct rte_ring *ring; /* NULL: no log */
	uint32_t wanted;       /* bit mask by type */
	uint64_t posted, lost; /* lost: the ring was full */
	struct {
		uint64_t key, due; /* due: time stamp counter from which it is told again */
	} told[NAT_EVENT_LIMIT_HOSTS];
};

/* `wanted` 0: no log, no memory. `room` events, a power of two. 0 or -errno. */
int nat_events_init(struct nat_events *events, uint32_t wanted, uint32_t room);
struct memory_need nat_events_need(uint32_t wanted, uint32_t room);
void nat_events_destroy(struct nat_events *events);
size_t nat_events_bytes(const struct nat_events *events);

/* The owner lcore. Fills in the time. */
void nat_event_put(struct nat_events *events, struct nat_event *event);
/* A limit was reached: told once in NAT_EVENT_LIMIT_S a host (or so, under a flood) and limit. */
void nat_event_put_limit(struct nat_events *events, enum nat_limit limit, uint8_t protocol, uint16_t segment,
	rte_be32_t inside);

/* One other thread: up to `max` events, oldest first; how many there were. */
uint32_t nat_events_take(struct nat_events *events, struct nat_event *out, uint32_t max);

static inline bool nat_event_wanted(const struct nat_events *events, enum nat_event_type type)
{
	return unlikely(events->wanted & NAT_EVENT_BIT(type));
}

/* A block of public ports first..last (host byte order) is the host's from now on, or no longer. `protocol` 0: one
 * block for all protocols. `type`: NAT_EVENT_BLOCK_TAKEN or NAT_EVENT_BLOCK_RETURNED. */
static inline void nat_event_block(struct nat_events *events, enum nat_event_type type, uint8_t protocol,
	uint16_t segment, rte_be32_t inside, rte_be32_t outside, uint16_t first, uint16_t last)
{
	if (nat_event_wanted(events, type)) {
		struct nat_event event = { .type = (uint8_t)type,
			.protocol = protocol,
			.segment = segment,
			.inside = inside,
			.outside = outside,
			.outside_port = rte_cpu_to_be_16(first),
			.last_port = rte_cpu_to_be_16(last) };
		nat_event_put(events, &event);
	}
}

static inline void nat_event_limit(struct nat_events *events, enum nat_limit limit, uint8_t protocol,
	uint16_t segment, rte_be32_t inside)
{
	if (nat_event_wanted(events, NAT_EVENT_LIMIT))
		nat_event_put_limit(events, limit, protocol, segment, inside);
}
