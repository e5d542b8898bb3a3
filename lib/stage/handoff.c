/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/handoff.h"

#include "stage/burst_link.h"
#include "stage/transmit.h"
#include "table/data_plane.h"
#include <rte_rcu_qsbr.h>

static void shed(struct lcore_context *context, struct rte_mbuf **packets, uint16_t count, uint16_t came_by)
{
	for (uint16_t i = 0; came_by != HANDOFF_AT_NAT && i < count; i++) {
		context->counters.interface[came_by].rx_packets++;
		context->counters.interface[came_by].rx_bytes += packets[i]->pkt_len;
	}
	burst_link_shed(context, STAGE_NAT_GATEWAY, packets, count);
}

void handoff_send(struct lcore_context *context, struct rte_mbuf **packets, uint16_t *owner, uint16_t count,
	uint16_t came_by)
{
	struct rte_mbuf *to_owner[BURST_MAX];

	transmit_flush(context);
	while (count > 0) {
		uint16_t to = owner[0], n = 0, left = 0;

		for (uint16_t i = 0; i < count; i++) {
			if (owner[i] == to) {
				packets[i]->port = came_by;
				to_owner[n++] = packets[i];
			} else {
				owner[left] = owner[i];
				packets[left++] = packets[i];
			}
		}
		context->counters.handed_off += n;
		uint16_t sent = burst_link_put(&context->handoff[to], to_owner, n);
		context->handed.sent[to] += sent;
		if (unlikely(sent < n))
			shed(context, &to_owner[sent], (uint16_t)(n - sent), came_by);
		count = left;
	}
}

static void held_send(struct lcore_context *context, interface_id port)
{
	struct held_packets *held = &context->held[port];
	uint16_t count = held->count;

	held->count = 0;
	held->rounds = 0;
	for (uint16_t i = 0; i < count; i++)
		handoff_note_flow(context, held->flow[i]);
	context->counters.handed_early += count;
	for (uint16_t i = 0; i < count; i = (uint16_t)(i + BURST_MAX))
		handoff_send(context, &held->packet[i], &held->owner[i],
			(uint16_t)RTE_MIN((uint16_t)(count - i), BURST_MAX), port);
}

void handoff_held_room(struct lcore_context *context, interface_id port, uint16_t count)
{
	if (unlikely(context->held[port].count + count > HELD_MAX))
		held_send(context, port);
}

void handoff_hold(
	struct lcore_context *context, interface_id port, struct rte_mbuf *m, uint16_t owner, uint16_t flow)
{
	struct held_packets *held = &context->held[port];

	held->packet[held->count] = m;
	held->owner[held->count] = owner;
	held->flow[held->count++] = flow;
	context->held_any = true;
}

void handoff_held_send(struct lcore_context *context)
{
	if (likely(!context->held_any))
		return;
	context->held_any = false;
	for (interface_id port = 0; port < context->plane->port_count; port++)
		if (context->held[port].count > 0)
			held_send(context, port);
}

/* Have the owners taken all out of the rings that was sent before the mark? */
static bool rings_passed(const struct lcore_context *context)
{
	const struct handed_flows *handed = &context->handed;

	for (uint16_t to = 0; to < context->owner_count; to++) {
		const struct rte_ring *ring = context->handoff[to].ring;

		if (ring != NULL && (int32_t)(handed->sent[to] - rte_ring_count(ring) - handed->mark[to]) < 0)
			return false;
	}
	return true;
}

/* Begins to wait for the owners. */
static void mark(struct handed_flows *handed)
{
	memset(&handed->late, 0, sizeof(handed->late));
	memcpy(handed->mark, handed->sent, sizeof(handed->mark));
	handed->marked = true;
	handed->passed = false;
}

static bool any_in(const uint64_t *words, size_t count)
{
	uint64_t all = 0;

	for (size_t i = 0; i < count; i++)
		all |= words[i];
	return all != 0;
}

static __rte_noinline bool forget(struct lcore_context *context)
{
	struct handed_flows *handed = &context->handed;

	if (!handed->marked)
		mark(handed);
	if (!handed->passed) {
		if (!rings_passed(context))
			return false;
		handed->passed = true;
		handed->token = rte_rcu_qsbr_start(context->turns);
	}
	if (rte_rcu_qsbr_check(context->turns, handed->token, false) != 1)
		return false;
	handed->noted = handed->late;
	handed->any = any_in(handed->noted.flow, RTE_DIM(handed->noted.flow));
	handed->any_pair = any_in(handed->noted.pair, RTE_DIM(handed->noted.pair));
	handed->any |= handed->any_pair;
	handed->marked = false;
	if (handed->any)
		mark(handed);
	return context->held_any;
}

bool handoff_forget(struct lcore_context *context)
{
	return unlikely(context->handed.any) && !context->handed.all && forget(context);
}
