/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets that wait for the MAC of their next hop: a few for each neighbour, bounded in all, for a second. All wait
 * equally long, so the first of a neighbour's queue is always the one whose time is over first. */
#include "slowpath/slowpath_private.h"

void pending_init(struct slowpath *slowpath)
{
	for (uint32_t i = 0; i < PENDING_MAX; i++)
		slowpath->pending[i].next = i + 1 < PENDING_MAX ? i + 1 : INDEX_NONE;
	slowpath->pending_free = 0;
}

bool pending_add(struct slowpath *slowpath, uint32_t neighbour, struct rte_mbuf *m)
{
	struct host *host = &slowpath->host[neighbour];
	uint32_t at = slowpath->pending_free;

	if (at == INDEX_NONE || host->waiting == PENDING_PER_NEIGHBOUR)
		return false;
	struct pending_packet *slot = &slowpath->pending[at];
	slowpath->pending_free = slot->next;
	*slot = (struct pending_packet){ m, slowpath->now_ns + PENDING_NS, neighbour, INDEX_NONE };
	if (host->waiting_last == INDEX_NONE)
		host->waiting_first = at;
	else
		slowpath->pending[host->waiting_last].next = at;
	host->waiting_last = at;
	host->waiting++;
	slowpath->pending_count++;
	slowpath->counters.pending_queued++;
	return true;
}

static struct rte_mbuf *pending_take(struct slowpath *slowpath, uint32_t neighbour)
{
	struct host *host = &slowpath->host[neighbour];
	uint32_t at = host->waiting_first;

	if (at == INDEX_NONE)
		return NULL;
	struct pending_packet *slot = &slowpath->pending[at];
	struct rte_mbuf *m = slot->packet;
	host->waiting_first = slot->next;
	if (host->waiting_first == INDEX_NONE)
		host->waiting_last = INDEX_NONE;
	host->waiting--;
	slot->packet = NULL;
	slot->next = slowpath->pending_free;
	slowpath->pending_free = at;
	slowpath->pending_count--;
	return m;
}

void packet_unreachable(struct slowpath *slowpath, struct rte_mbuf *m)
{
	/* What NAT has translated does not look as its sender knows it any more, so nothing is told about it. */
	if (packet_metadata(m)->nat == NAT_NONE)
		icmp_error_send(slowpath, m, ICMP_DESTINATION_UNREACHABLE, ICMP_HOST_UNREACHABLE, 0);
	packet_drop(slowpath, m, SLOWPATH_DROP_NEIGHBOUR_UNRESOLVED);
}

void pending_send(struct slowpath *slowpath, uint32_t neighbour)
{
	struct rte_mbuf *m;

	while ((m = pending_take(slowpath, neighbour)) != NULL) {
		struct packet_metadata *meta = packet_metadata(m);
		meta->resolutions++;
		slowpath->counters.pending_sent++;
		inject_next_hop(slowpath, m, meta->egress, meta->next_hop);
	}
}

void pending_fail(struct slowpath *slowpath, uint32_t neighbour)
{
	struct rte_mbuf *m;

	while ((m = pending_take(slowpath, neighbour)) != NULL) {
		slowpath->counters.pending_dropped++;
		packet_unreachable(slowpath, m);
	}
}

void pending_expire(struct slowpath *slowpath)
{
	if (slowpath->pending_count == 0)
		return;
	for (uint32_t i = 0; i < PENDING_MAX; i++) {
		const struct pending_packet *slot = &slowpath->pending[i];
		if (slot->packet == NULL || slot->deadline_ns > slowpath->now_ns)
			continue;
		uint32_t neighbour = slot->neighbour;
		uint32_t first;
		while ((first = slowpath->host[neighbour].waiting_first) != INDEX_NONE &&
			slowpath->pending[first].deadline_ns <= slowpath->now_ns) {
			slowpath->counters.pending_dropped++;
			packet_drop(slowpath, pending_take(slowpath, neighbour),
				SLOWPATH_DROP_NEIGHBOUR_UNRESOLVED);
		}
	}
}

void pending_free_all(struct slowpath *slowpath)
{
	for (uint32_t i = 0; i < PENDING_MAX; i++)
		rte_pktmbuf_free(slowpath->pending[i].packet);
}
