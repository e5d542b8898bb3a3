/* SPDX-License-Identifier: BSD-3-Clause */
/* The contract of a stage.
 *
 * A stage is one function: it looks at a burst of packets and gives each a verdict, one byte: the stage that is
 * next, or a named drop. It never enqueues, frees or counts drops: packet_path.c does, for all of them. It does
 * not know whether the next stage runs on the same lcore (a call) or on another (a ring): burst_link.h does. */
#pragma once

#include "stage/drop_reason.h"
#include <rte_mbuf.h>
#include <stdint.h>

#define BURST_MAX 64

enum stage_id {
#define STAGE(identifier, name, sentence) STAGE_##identifier,
#include "stage/stage.def"
#undef STAGE
	STAGES
};

/* A verdict: 0..STAGES-1 the next stage; then these; then the drops. */
enum verdict {
	VERDICT_PUNT = STAGES, /* to the management lcore; metadata says why */
	VERDICT_HANDOFF, /* to the nat_gateway of another lcore; only from nat_handoff, and from nat_gateway for hairpins */
	VERDICT_KEPT, /* the stage took the packet over: see below */
	VERDICT_DROP, /* + enum drop_reason */
};
_Static_assert(VERDICT_DROP + DROP_REASONS <= 256, "a verdict is one byte");

static inline uint8_t verdict_drop(enum drop_reason reason)
{
	return (uint8_t)(VERDICT_DROP + reason);
}

struct lcore_context;

/* A stage that does not give back what it got, one packet for one, answers VERDICT_KEPT and owns the packet from then
 * on: transmit buffers it, fragment makes several of it, nat_gateway lets a fragment wait. What comes of it later goes on
 * by packet_path_pass (packet_path.h), with metadata of its own as the next stage expects it, and is counted as a packet
 * of that stage; an end of it is counted by the stage as a drop, once for each buffer. New packets come from the pool of
 * the packet that they are made of, so that they have the headroom for the tunnel's headers.
 *
 * verdict[i] for packets[i], i < count <= BURST_MAX. Runs on the packet lcore of `context` only. */
typedef void stage_process(
	struct lcore_context *context, struct rte_mbuf **packets, uint16_t count, uint8_t *verdict);

struct stage {
	const char *name;
	const char *sentence;
};
extern const struct stage stage_table[STAGES];

stage_process classify_process, vxlan_decap_process, mac_learn_process, route_process, nat_handoff_process,
	nat_gateway_process, mac_lookup_process, fragment_process, vxlan_encap_process, transmit_process;

/* -1 when there is no stage of that name. */
int stage_by_name(const char *name);
