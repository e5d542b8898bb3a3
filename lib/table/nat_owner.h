/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of NAT, for the tables and for the stages nat_handoff and nat_gateway.
 *
 * Lookups go by a hash in both directions: from outside it says where the record lies (nat_row.h), from inside the index says
 * its number (nat_index.h). An array indexed by public address and port would do downwards, but its size is that of the pools,
 * three protocols and all ports, however few sessions there are: 260 MB for a pool of 256 addresses. Rows and index cost
 * some eight bytes a session beside the record, and serve static bindings and forwards with the same few lines of code. They cannot be
 * flooded from outside: the hash is keyed, and only sessions are in them. */
#pragma once

#include "base/clock.h"
#include "table/fragment_table.h"
#include "table/nat.h"
#include "table/nat_address.h"
#include "table/nat_bypass.h"
#include "table/nat_event.h"
#include "table/nat_host.h"
#include "table/nat_index.h"
#include "table/nat_port.h"
#include "table/nat_refusal.h"
#include "table/nat_retired.h"
#include "table/nat_row.h"
#include "table/nat_rule.h"
#include "table/nat_session.h"
#include "table/nat_traffic.h"

#define NAT_PART_RECORDS 8u /* of a row, that the sweep looks at together */
#define NAT_OVER_MAX     64u

/* Of an owner's index: one for the inside of each session, and for the outside of those that do not lie where it leads. */
static inline uint64_t nat_index_entries(uint32_t sessions)
{
	return (uint64_t)sessions + sessions / 16 + 16;
}

/* Sessions that got another number while nat_owner_clear was between two calls, and that it would miss. */
#define NAT_MOVED_MAX 256u
struct nat_moved {
	uint32_t cursor; /* where it goes on; 0: it is not under way */
	uint32_t count;
	uint32_t number[NAT_MOVED_MAX];
	uint32_t back; /* the lowest one beyond those that there was room for, or UINT32_MAX */
};

struct nat_owner { /* written by its lcore alone, but for what nat_session.h says */
	/* for each packet */
	struct nat_session *session; /* [rows.free.size] */
	struct nat_rows rows;
	struct nat_index index;
	struct flow_hash_key hash_key;
	uint32_t refreshed
		[NAT_WAYS]; /* states whose idle time starts anew with a packet of this way: bit mask */
	uint8_t after[NAT_STATES][NAT_WAYS]
		     [NAT_STATE_FLAGS + 1]; /* nat_state_next, with NAT_STATE_REFRESHES where that is so */
	uint32_t timeout[NAT_STATES];       /* ticks */
	/* for new sessions */
	const struct nat *nat;
	uint16_t number;
	struct nat_host_table hosts;
	struct nat_refusals refusals;
	struct nat_ports ports;
	struct nat_carry_table carry;
	struct fragment_table *fragments;
	struct nat_events events;
	struct nat_mapping_queues *mappings; /* management asks by them */
	struct nat_moved moved;
	struct nat_retired retired;
	uint64_t random;
	struct nat_owner_counters counters;
	/* for expiry */
	uint32_t shortest_timeout; /* ticks */
	uint32_t parts;            /* of rows: the first one of each row, then the second ones and so on */
	uint32_t sweep_part;       /* the next one */
	uint32_t sweep_tick;       /* when the debt was last added to */
	uint64_t sweep_debt;       /* parts to look at, times the ticks of a round */
	uint32_t *quiet_until;     /* tick, by part: none of its sessions is over before */
	uint32_t over_count;
	uint32_t over[NAT_OVER_MAX]; /* sessions that were found to be over, and are not ended yet */
} __rte_cache_aligned;

struct nat { /* written at start */
	struct flow_hash_key hash_key;
	struct nat_rules rules;
	struct nat_bypass bypass;
	struct nat_address_table addresses;
	struct nat_owner *owner[NAT_OWNER_MAX];
	uint16_t owners;
	uint32_t new_sessions_in_overload; /* as in nat_settings */
	bool unsolicited_syn_told;
	bool steered_inside; /* by this map, not by the hash key */
	struct nat_inside_map inside_map;
};

static inline uint16_t nat_owner_of_inside(const struct nat *nat, uint16_t segment, rte_be32_t inside)
{
	if (nat->steered_inside)
		return nat_steering_owner(&nat->inside_map, inside);
	/* Both rounds of it: one leaves addresses in a row in an arithmetic progression, and of 190 of them an owner of
	 * five may get none. */
	uint64_t hash = flow_hash(&nat->hash_key, (uint64_t)segment << 32 | inside, UINT64_C(1) << 61);
	return (uint16_t)nat_host_scale((uint32_t)(hash >> 32), nat->owners);
}

/* The owner of a public endpoint; of one that nothing is bound to, any. Forwards and static bindings belong to the
 * owner of the inside host, a port of a pool to the one that has its block. */
uint16_t nat_owner_of_outside(
	const struct nat *nat, uint8_t protocol, rte_be32_t outside, rte_be16_t outside_port);

/* Where nothing but its port blocks says which owners a public address has: fills them in; false: there is more to ask, or no such
 * address. */
bool nat_block_owners_find(const struct nat *nat, rte_be32_t outside, struct nat_block_owners *owners);

/* Where the public endpoint of a flow leads by rule; false: nowhere. */
bool nat_rule_in_flow(const struct nat *nat, const struct nat_flow *flow, struct nat_way_in *in);

/* The number of the session of a flow, or INDEX_NONE. Upwards by inside and remote, downwards by remote and outside. */
uint32_t nat_session_find_up(const struct nat_owner *owner, const struct nat_flow *flow);
uint32_t nat_session_find_down(const struct nat_owner *owner, const struct nat_flow *flow);
/* As nat_session_find_up, for who has looked for the binding already: its first session, or INDEX_NONE. */
uint32_t nat_session_find_beside(
	const struct nat_owner *owner, const struct nat_flow *flow, uint64_t inside_hash, uint32_t first);

/* Has the sweep look at a session that ends earlier than it did. */
static inline void nat_session_hurry(struct nat_owner *owner, uint32_t number, uint32_t tick)
{
	uint32_t row = number / NAT_ROW_RECORDS, part = number % NAT_ROW_RECORDS / NAT_PART_RECORDS;

	owner->quiet_until[part * owner->rows.rows + row] = tick;
}

/* The first session of the binding of an endpoint, or INDEX_NONE. `hash` is that of the endpoint. */
uint32_t nat_binding_find_inside(const struct nat_owner *owner, const struct nat_flow *flow, uint64_t hash);
uint32_t nat_binding_find_outside(const struct nat_owner *owner, const struct nat_flow *flow, uint64_t hash);

static inline uint64_t nat_flow_inside_hash(const struct nat_owner *owner, const struct nat_flow *flow)
{
	return nat_inside_hash(
		&owner->hash_key, flow->segment, flow->protocol, flow->inside, flow->inside_port);
}

static inline uint64_t nat_flow_outside_hash(const struct nat_owner *owner, const struct nat_flow *flow)
{
	return nat_outside_hash(&owner->hash_key, flow->protocol, flow->outside, flow->outside_port);
}

/* Opening a session for a flow from inside that has none, in five steps, so that the cache misses of several new
 * flows overlap: each step says what the next one will write. Between the steps other sessions may be opened, for the
 * same flow too, but none closed. A reservation that succeeded must be committed or cancelled. Errors:
 *   -ENOENT          no rule translates it
 *   -EADDRNOTAVAIL   no free port
 *   -EDQUOT          the host has as many ports or blocks as it may
 *   -EUSERS          the host has as many sessions as it may
 *   -EBUSY           the host has opened as many of late as it may
 *   -ENFILE          no room for the session or its host
 *   -EEXIST          another session has the same flow on its outside */
struct nat_opening {
	struct nat_flow flow; /* filled in by who opens */
	uint64_t inside_hash; /* likewise */
	uint64_t host_hash, outside_hash;
	struct nat_host host; /* after looking: where it was then */
	uint32_t random;      /* for the port */
	uint32_t first;       /* session of the binding that it joins, or INDEX_NONE */
	uint8_t kind;         /* enum nat_kind */
	uint8_t way;          /* enum nat_way */
	bool apart;
	bool quiet;   /* filled in: a refusal leaves no trace, for it will be asked again */
	bool unbound; /* filled in: the endpoint is known to have had no binding before this burst */
	rte_be16_t wanted_port; /* 0, or after nat_open_ask: the public port to take if it is free */
	uint32_t
		wanted_address; /* INDEX_NONE, or after nat_open_ask: of the rule's pool; by it goes a host that has none yet */
	uint32_t record; /* after placing, if it has one: for the session */
	bool has_record;
	bool exists;          /* after the commit: the session was there already */
	const void *ahead[2]; /* after looking, reserving and placing: what the next step will write */
};
void nat_open_ask(struct nat_owner *owner, struct nat_opening *opening);
/* Takes the asking back, before any reservation: the next one is as if there had been none. */
static inline void nat_open_leave(struct nat_owner *owner)
{
	owner->random--;
}
void nat_open_look(const struct nat_owner *owner, struct nat_opening *opening); /* may be left out */
int nat_open_reserve(struct nat_owner *owner, struct nat_opening *opening, uint32_t tick); /* 0 or -errno */
void nat_open_place(struct nat_owner *owner, struct nat_opening *opening); /* may be left out */
int64_t nat_open_commit(
	struct nat_owner *owner, struct nat_opening *opening, uint32_t tick); /* number or -errno */
void nat_open_cancel(struct nat_owner *owner, struct nat_opening *opening);

/* Opens a session for a flow that came in by rule and has none; fills in segment and inside endpoint. The number of
 * the session, or -errno as above. */
int64_t nat_open_from_outside(struct nat_owner *owner, const struct nat_flow *flow, uint32_t tick);

/* Does the pool's filtering let `remote` reach the dynamic binding whose first session this is, beyond its sessions?
 * Bounded: of a binding with very many sessions only the latest are looked at. */
bool nat_binding_admits(const struct nat_owner *owner, uint32_t first, rte_be32_t remote);
/* Opens a session of that binding for a flow that came in from outside. The number, or -errno as above. */
int64_t nat_binding_open(struct nat_owner *owner, uint32_t first, const struct nat_flow *flow, uint32_t tick);

/* The public address by which dynamic bindings of the host go, or would now; 0: none. */
rte_be32_t nat_open_address(const struct nat_owner *owner, uint16_t segment, rte_be32_t inside);

/* Makes the session of an opening that has all but its session. Number or -ENFILE. */
int64_t nat_session_add(struct nat_owner *owner, struct nat_opening *opening, uint32_t tick);
/* The hash by which the session will be found from outside. */
uint64_t nat_opening_row_hash(const struct nat_owner *owner, const struct nat_opening *opening);
/* The one by which it will be found, either way, if it is not the first of its binding. */
uint64_t nat_opening_flow_hash(
	const struct nat_owner *owner, const struct nat_opening *opening, enum nat_way way);
void nat_opening_record_give(struct nat_owner *owner, struct nat_opening *opening);
/* Gives the public endpoint of a dynamic binding of the host back. `was_used`: packets may have gone by it, so that it
 * rests before somebody else gets it. */
struct nat_endpoint {
	rte_be32_t outside;
	rte_be16_t port;
	uint8_t protocol;
};
void nat_endpoint_give(
	struct nat_owner *owner, struct nat_host host, const struct nat_endpoint *endpoint, bool was_used);

/* Those of the pool of a dynamic binding's public address. */
static inline const struct nat_limits *nat_owner_limits(const struct nat_owner *owner, rte_be32_t outside)
{
	const struct nat_address_table *addresses = &owner->nat->addresses;

	return &addresses->pool[addresses->address[nat_address_find(addresses, outside)].pool].limits;
}

/* Ends a session. Of a binding that has others, the next one takes the record over, so that the number may be in use
 * thereafter. For many, in two steps: the first says which lines the second will touch; between the two, other sessions may
 * end. False: the session has another number since, and has not been ended. */
#define NAT_CLOSING_LINES 5u
struct nat_closing {
	uint32_t number;
	struct nat_session_hashes {
		uint64_t inside, outside; /* by which it is found */
	} hashes;
	uint64_t host_hash;
	const void *ahead[NAT_CLOSING_LINES];
};
void nat_close_look(const struct nat_owner *owner, uint32_t number, struct nat_closing *closing);
bool nat_close_looked(struct nat_owner *owner, const struct nat_closing *closing);
void nat_close(struct nat_owner *owner, uint32_t number);
