/* SPDX-License-Identifier: BSD-3-Clause */
/* The way out of the slow path. Everything leaves by the first channel: the wiring makes each packet lcore able to
 * carry it on. */
#include "slowpath/slowpath_private.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void packet_drop(struct slowpath *slowpath, struct rte_mbuf *m, enum slowpath_drop reason)
{
	slowpath->counters.drop[reason]++;
	rte_pktmbuf_free(m);
}

struct rte_mbuf *control_packet(struct slowpath *slowpath, uint16_t length)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(slowpath->plane->control_pool);

	if (m == NULL) {
		slowpath->counters.drop[SLOWPATH_DROP_CONTROL_POOL_EMPTY]++;
		return NULL;
	}
	*packet_metadata(m) = (struct packet_metadata){ .ingress = INTERFACE_NONE,
		.egress = INTERFACE_NONE,
		.neighbour = INDEX_NONE,
		.tunnel = INDEX_NONE,
		.fdb = INDEX_NONE };
	void *data = rte_pktmbuf_append(m, length);
	if (data == NULL) {
		packet_drop(slowpath, m, SLOWPATH_DROP_CONTROL_POOL_EMPTY);
		return NULL;
	}
	memset(data, 0, length);
	return m;
}

static void inject(struct slowpath *slowpath, struct rte_mbuf *m, enum inject_target target)
{
	struct packet_metadata *meta = packet_metadata(m);

	meta->flags |= PACKET_LOCAL_ORIGIN;
	meta->inject_stage = (uint16_t)target;
	if (rte_ring_sp_enqueue(slowpath->channel[0].inject, m) != 0) {
		packet_drop(slowpath, m, SLOWPATH_DROP_RING_FULL);
		return;
	}
	slowpath->injected = true;
}

void inject_port(struct slowpath *slowpath, struct rte_mbuf *m, interface_id port)
{
	packet_metadata(m)->egress = port;
	inject(slowpath, m, INJECT_PORT);
}

void inject_tunnel(struct slowpath *slowpath, struct rte_mbuf *m, uint32_t tunnel)
{
	struct packet_metadata *meta = packet_metadata(m);

	meta->tunnel = tunnel;
	meta->fdb = INDEX_NONE; /* the tunnel says where, not a MAC's location */
	meta->flags |= PACKET_INNER_READY;
	inject(slowpath, m, INJECT_TUNNEL);
}

void inject_next_hop(struct slowpath *slowpath, struct rte_mbuf *m, interface_id egress, rte_be32_t next_hop)
{
	struct packet_metadata *meta = packet_metadata(m);

	meta->egress = egress;
	meta->next_hop = next_hop;
	meta->neighbour = INDEX_NONE;
	inject(slowpath, m, INJECT_RESOLVED_NEXT_HOP);
}

void inject_nat(struct slowpath *slowpath, struct rte_mbuf *m)
{
	packet_metadata(m)->nat = NAT_FROM_OUTSIDE;
	inject(slowpath, m, INJECT_NAT);
}

bool inject_back(struct slowpath *slowpath, struct rte_mbuf *m, interface_id ingress, rte_be32_t destination)
{
	/* Segments may overlap in addresses, so the one it came from goes before the FIB. */
	if (interface_is_segment(ingress) && on_link(slowpath, ingress, destination)) {
		inject_next_hop(slowpath, m, ingress, destination);
		return true;
	}
	const struct next_hop *hop = fib_find(slowpath->plane->fib, destination);
	switch (hop->kind) {
	case NEXT_HOP_CONNECTED:
		inject_next_hop(slowpath, m, hop->interface, destination);
		return true;
	case NEXT_HOP_VIA:
		inject_next_hop(slowpath, m, hop->interface, hop->gateway);
		return true;
	case NEXT_HOP_NAT:
	case NEXT_HOP_LOCAL_NAT:
		inject_nat(slowpath, m);
		return true;
	default:
		packet_drop(slowpath, m, SLOWPATH_DROP_NO_ROUTE);
		return false;
	}
}

static struct rte_mbuf *frame_packet(struct slowpath *slowpath, const void *frame, uint16_t length)
{
	struct rte_mbuf *m = control_packet(slowpath, length);

	if (m != NULL)
		memcpy(rte_pktmbuf_mtod(m, void *), frame, length);
	return m;
}

void inject_frame_port(struct slowpath *slowpath, interface_id port, const void *frame, uint16_t length)
{
	struct rte_mbuf *m = frame_packet(slowpath, frame, length);

	if (m != NULL)
		inject_port(slowpath, m, port);
}

void inject_frame_tunnel(struct slowpath *slowpath, uint32_t tunnel, const void *frame, uint16_t length)
{
	struct rte_mbuf *m = frame_packet(slowpath, frame, length);

	if (m != NULL)
		inject_tunnel(slowpath, m, tunnel);
}

void inject_flood(struct slowpath *slowpath, uint16_t segment, const void *frame, uint16_t length)
{
	const struct flood_list *flood = &slowpath->flood;

	for (uint32_t i = flood->first[segment]; i < flood->first[segment + 1]; i++)
		inject_frame_tunnel(slowpath, flood->tunnel[i], frame, length);
}

/* The tunnels that flood come from the configuration, so their list never changes. */
int flood_list_init(struct slowpath *slowpath)
{
	const struct tunnel_table *tunnels = slowpath->plane->tunnels;
	const struct segment_table *segments = slowpath->plane->segments;
	struct flood_list *flood = &slowpath->flood;
	uint32_t n = 0;

	flood->first = calloc(segments->count + 1u, sizeof(*flood->first));
	flood->tunnel = calloc(tunnels->count + segments->count + 1u, sizeof(*flood->tunnel));
	if (flood->first == NULL || flood->tunnel == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < tunnels->count; i++)
		if (tunnels->tunnel[i].flood && segments->segment[tunnels->tunnel[i].segment].group == 0)
			flood->first[tunnels->tunnel[i].segment + 1]++;
	for (uint16_t s = 0; s < segments->count; s++) {
		bool group =
			segments->segment[s].group != 0 && segments->segment[s].group_tunnel != INDEX_NONE;
		flood->first[s + 1] += flood->first[s] + group;
		if (group)
			flood->tunnel[flood->first[s + 1] - 1] = segments->segment[s].group_tunnel;
	}
	uint32_t *next = calloc(segments->count + 1u, sizeof(*next));
	if (next == NULL)
		return -ENOMEM;
	memcpy(next, flood->first, segments->count * sizeof(*next));
	for (; n < tunnels->count; n++)
		if (tunnels->tunnel[n].flood && segments->segment[tunnels->tunnel[n].segment].group == 0)
			flood->tunnel[next[tunnels->tunnel[n].segment]++] = n;
	free(next);
	return 0;
}
