/* SPDX-License-Identifier: BSD-3-Clause */
/* Bindings that a host asked for (PCP, NAT-PMP): they last as long as was agreed, idle or not, and let anyone in.
 *
 * Such a mapping is a session without a remote end, in a state of its own. So it is the binding of its inside endpoint for
 * all flows, those that come in and those that go out (endpoint-independent mapping), and holds the public port as any
 * session does. Its `last_seen` is the tick at which it ends.
 *
 * Bindings belong to their owner lcore. The management lcore asks by a queue of requests, and the owner answers by another,
 * both with one writer and one reader. What was ended by hand it tells by the second one, without having been asked. */
#pragma once

#include "table/nat.h"
#include <rte_byteorder.h>

struct nat_session;

#define NAT_MAPPING_LIFETIME_MAX (20u * 24 * 3600) /* seconds; ticks are compared by their difference */

enum nat_mapping_operation {
	NAT_MAPPING_MAKE, /* or prolong */
	NAT_MAPPING_END,
	NAT_MAPPING_PEER,    /* a session to `remote`, as if the host had sent a packet */
	NAT_MAPPING_ADDRESS, /* by which public address does the host go out? */
	NAT_MAPPING_FLOW, /* has the flow from `remote` to the wanted public endpoint a session? -ENOENT: no */
	NAT_MAPPING_CLEARED, /* none that can be asked: the owner tells that a mapping was ended before its time */
};

struct nat_mapping_request {
	uint32_t id; /* the answer has it */
	uint8_t operation;
	uint8_t protocol; /* TCP or UDP */
	uint16_t segment;
	rte_be32_t inside, remote;
	rte_be16_t inside_port, remote_port;
	rte_be32_t wanted_outside; /* 0: any */
	rte_be16_t wanted_port;    /* 0: any. Taken when it is free and the host's owner has it */
	bool recall; /* `wanted` was the host's not long ago, and nobody's since: out of its rest, if it rests */
	bool or_nothing; /* fail with -EADDRINUSE rather than give another one */
	uint32_t lifetime_s;
};

struct nat_mapping_answer {
	uint32_t id;
	uint8_t operation; /* of the request */
	uint8_t protocol;  /* this, segment and inside: what was mapped, with NAT_MAPPING_CLEARED */
	uint16_t segment;
	rte_be32_t inside;
	rte_be16_t inside_port;
	bool by_rule; /* it is that of a static binding or a forward, which nobody has to ask for, and nobody ends */
	int32_t status; /* 0; -ENOENT: no rule translates the host; -EPERM: not to be ended; else why there is none, as of
			   nat_open_reserve */
	rte_be32_t outside;
	rte_be16_t outside_port;
	uint32_t lifetime_s;
};

struct nat_mapping_queues;
struct nat_mapping_queues *nat_mapping_queues_create(void);
size_t nat_mapping_queues_bytes(void); /* NULL: no memory */

/* Management lcore. False: the queue of the host's owner is full. */
bool nat_mapping_ask(struct nat *nat, const struct nat_mapping_request *request);
/* The next answer of any owner; false: none. */
bool nat_mapping_answer_take(struct nat *nat, struct nat_mapping_answer *answer);

/* The owner lcore, once a loop: serves a few requests. How many. */
unsigned nat_mapping_poll(struct nat_owner *owner, uint32_t tick);

/* The owner: tells management that this session, a mapping, ends now though its time is not over. False: there is no room for
 * the message, and the session has to wait. */
bool nat_mapping_clear(struct nat_owner *owner, const struct nat_session *session);

/* The owner: has the binding that this session is of been asked for? */
bool nat_mapping_lets_in(const struct nat_owner *owner, const struct nat_session *session);
