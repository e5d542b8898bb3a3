/* SPDX-License-Identifier: BSD-3-Clause */
/* NAT as a small obvious implementation: a list of sessions that is searched from end to end, a list of the hosts that
 * have any, and for each public port how many sessions it has and since when it has had none. What it cannot know, which
 * port of several is taken, it is told, and says whether that was allowed. */
#pragma once

#include "nat_fixture.h"
#include "table/nat_mapping.h"

enum {
	MODEL_SESSIONS = 220,
	MODEL_OWNERS = 3,
	MODEL_POOLS = SEGMENTS, /* a segment's pool has its number */
	MODEL_ADDRESSES = 3,    /* of the pools */
	MODEL_PORT_FIRST = 960, /* what pools have of ports, and more */
	MODEL_PORTS = 2304,
	MODEL_BLOCK = 64,
};

struct model_session {
	uint16_t segment;
	uint8_t protocol;
	rte_be32_t inside, remote, outside;
	uint16_t inside_port, remote_port, outside_port;
	enum nat_kind kind;
	enum nat_state state;
	uint32_t last_seen; /* of a mapping: when it ends */
	uint64_t packets[2];
	bool synchronised[2]; /* a SYN from that way has said where its sequence numbers are */
};

struct model_host { /* there while it has sessions */
	uint16_t segment;
	rte_be32_t inside, address; /* 0: no dynamic binding yet */
	bool tried;                 /* an address may have been chosen for a binding that failed */
	uint32_t rate_used, rate_tick;
};

struct model_port { /* of one address and protocol */
	uint16_t sessions;
	bool forwarded, was_used;
	uint32_t freed; /* tick */
};

struct model_block {
	uint16_t bindings;
	bool was_used;
	uint32_t freed, freed_again; /* again: it may have been taken out of its rest, for nothing */
	uint16_t segment;            /* of who has it, or had it last */
	rte_be32_t inside;
};

enum model_refusal {
	REFUSED_NO_PORTS,
	REFUSED_TABLE_FULL,
	REFUSED_FILTERED,
	REFUSED_HOST_PORTS,
	REFUSED_HOST_SESSIONS,
	REFUSED_HOST_RATE,
	MODEL_REFUSALS
};

struct model {
	struct nat_settings settings;
	struct nat_pool_settings pool[MODEL_POOLS];
	const struct nat *nat; /* asked only which owner has a host or a port */
	struct model_session session[MODEL_SESSIONS];
	struct model_host host[MODEL_SESSIONS];
	uint32_t count, hosts;
	struct model_port port[MODEL_ADDRESSES][NAT_CLASSES][MODEL_PORTS];
	struct model_block block[MODEL_ADDRESSES][MODEL_PORTS / MODEL_BLOCK];
	uint32_t tick, step;
	unsigned seed;
	bool in_burst;
	uint32_t refused[MODEL_REFUSALS]; /* how often, to know that the test has seen them */
};

/* What became of a new flow. */
struct model_result {
	int status; /* 0 or -errno */
	rte_be32_t outside;
	uint16_t outside_port;
	uint16_t wanted_port; /* to be taken if it is free; 0: the inside one */
};

/* The text ends with the step at which it was. */
#define model_assert(model, condition, text, ...)                                                            \
	cr_assert((condition) ? true : false, text " (step %u)" __VA_OPT__(, ) __VA_ARGS__, (model)->step)

void model_init(struct model *model, const struct nat_settings *settings, const struct nat *nat);

/* The flow's session, or NULL. */
struct model_session *model_find_up(struct model *model, const struct model_session *flow);
struct model_session *model_find_down(struct model *model, const struct model_session *flow);
bool model_same_binding(const struct model_session *a, const struct model_session *b);

/* By rule, static binding or forward: true, and the other endpoint. */
bool model_rule_out(const struct model *model, struct model_session *flow);
bool model_rule_in(const struct model *model, struct model_session *flow);

/* Judges what became of a new flow from inside; its session, if it got one. */
struct model_session *model_open_up(
	struct model *model, struct model_session flow, const struct model_result *result);
/* The verdict that a new flow from outside must have, and its session, if it gets one. */
struct model_session *model_open_down(
	struct model *model, struct model_session flow, bool opens, uint8_t *verdict);
/* Brings the session up to date with a packet. */
void model_note(const struct model *model, struct model_session *session, bool up, uint8_t tcp_flags);
/* Was -EADDRINUSE the right answer to who wants this public endpoint (0: any) for the flow, or none? */
void model_refused_other(struct model *model, struct model_session flow, rte_be32_t outside, uint16_t port);
void model_end(struct model *model, uint32_t number); /* the last session takes its number */
void model_expire(struct model *model);

/* For the comparison. */
uint32_t model_timeout(const struct model *model, enum nat_state state); /* ticks */
uint32_t model_host_sessions(const struct model *model, uint16_t segment, rte_be32_t inside);
uint32_t model_host_bindings(const struct model *model, uint16_t segment, rte_be32_t inside);
uint32_t model_host_blocks(const struct model *model, uint16_t segment, rte_be32_t inside, uint32_t address);
rte_be32_t model_address(const struct model *model, uint32_t number); /* of the pools; 0: beyond the last */
uint32_t model_address_pool(const struct model *model, uint32_t number);
/* Is the port one that dynamic bindings of the pool may have? (Of those that are forwarded none says so here.) */
bool model_pool_has(const struct model *model, uint32_t pool, uint16_t port);
uint16_t model_owner_of_port(const struct model *model, uint8_t protocol, uint32_t address, uint16_t port);
/* nat_model_compare.c: everything. */
void model_compare(struct gateway *gateway, struct model *model);
static inline uint8_t model_protocol(int class)
{
	return class == NAT_CLASS_TCP ? IPPROTO_TCP : class == NAT_CLASS_UDP ? IPPROTO_UDP : IPPROTO_ICMP;
}
