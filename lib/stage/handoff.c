/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/handoff.h"

#include "stage/burst_link.h"
#include "stage/transmit.h"
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

	if (count > 0)
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

/* Have the owners taken all out of the rings that was handed over before `late` began? */
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

static __rte_noinline void forget(struct lcore_context *context)
{
	struct handed_flows *handed = &context->handed;

	if (!handed->passed) {
		if (!rings_passed(context))
			return;
		handed->passed = true;
		handed->token = rte_rcu_qsbr_start(context->turns);
	}
	if (rte_rcu_qsbr_check(context->turns, handed->token, false) != 1)
		return;
	memcpy(handed->noted, handed->late, sizeof(handed->noted));
	memset(handed->late, 0, sizeof(handed->late));
	memcpy(handed->mark, handed->sent, sizeof(handed->mark));
	handed->any = handed->any_late;
	handed->any_late = handed->passed = false;
}

void handoff_forget(struct lcore_context *context)
{
	if (unlikely(context->handed.any))
		forget(context);
}
