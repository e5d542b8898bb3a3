/* SPDX-License-Identifier: BSD-3-Clause */
/* The path of a packet through the stages, and its wiring over lcores. */
#pragma once

#include "base/memory_need.h"
#include "stage/lcore_context.h"
#include "stage/stage.h"

/* Which stages run on which lcore, and which queues each lcore serves: all that differs between a fused and a split
 * plan. Made from the configuration by app/vxgate/lcore_plan.c, or by hand in a test. */
struct lcore_plan_entry {
	unsigned lcore;  /* EAL lcore id */
	uint32_t stages; /* bit mask of enum stage_id */
	struct {
		interface_id port;
		uint16_t device, queue;
	} rx[PORT_MAX], tx[PORT_MAX];
	uint16_t rx_count, tx_count; /* rx only where classify runs, tx only where transmit runs */
	bool sleeps;                 /* "idle": "sleep" */
};
struct lcore_plan {
	struct lcore_plan_entry entry[PACKET_LCORE_MAX];
	uint16_t count;
	uint32_t ring_size; /* of each ring; a power of two */
};

/* Passes packets on that a stage has kept, to the stage or end that `verdict` says; for a stage of this lcore only. */
void packet_path_pass(
	struct lcore_context *context, uint8_t verdict, struct rte_mbuf **packets, uint16_t count);

/* Creates the contexts and the rings between them. `name` makes the ring names unique. Where a stage runs on several
 * lcores, a lcore without it links to the one with the same position among its kind (modulo their number).
 * NULL with errno; the reason is logged. */
struct packet_path *packet_path_wire(const char *name, const struct lcore_plan *plan,
	struct data_plane *plane, struct doorbell *management_doorbell);
/* The memory that this takes for a plan of so many lcores, whatever is on each. */
struct memory_need packet_path_need(uint16_t lcores, uint32_t ring_size, uint16_t segments, uint32_t tunnels);
void packet_path_unwire(struct packet_path *path); /* frees what is still in the rings */

struct packet_path {
	struct lcore_context **context; /* [count] */
	uint16_t count;
	struct lcore_plan plan;
	struct data_plane *plane;
	struct rte_rcu_qsbr
		*turns; /* of the lcores, by index; NULL: each sees its own sessions through alone */
};

/* Run `count` packets through `stage` and all that follows on this lcore. */
void packet_path_run(
	struct lcore_context *context, enum stage_id stage, struct rte_mbuf **packets, uint16_t count);

/* One turn of a packet lcore: commands, input rings (downstream first), injected packets, RX queues, expiry of
 * sessions, sending what was collected. Returns the number of packets handled. `now` is the time stamp counter. */
unsigned packet_path_poll(struct lcore_context *context, uint64_t now);

/* Where lcores run at the same time: before the first turn, and before the next one after `offline`; and after the last turn, or
 * when there will be none for a while, so that none waits for this one (nat_retired.h, handoff.h). The lcore's own thread. */
void packet_path_online(struct lcore_context *context);
void packet_path_offline(struct lcore_context *context);
