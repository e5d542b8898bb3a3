/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/handoff.h"

#include "stage/burst_link.h"

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
		if (unlikely(sent < n))
			shed(context, &to_owner[sent], (uint16_t)(n - sent), came_by);
		count = left;
	}
}
