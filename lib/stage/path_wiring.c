/* SPDX-License-Identifier: BSD-3-Clause */
/* Lays the path over the lcores: contexts, and a ring for each edge that leads from one lcore to another. */
#include "base/log.h"
#include "stage/fast_path_level.h"
#include "stage/handoff.h"
#include "stage/overload.h"
#include "stage/packet_path.h"
#include "table/data_plane.h"
#include "table/nat_owner.h"
#include <errno.h>
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>
#include <stdio.h>
#include <stdlib.h>

#define PUNT_RING_SIZE   4096u
#define INJECT_RING_SIZE 1024u
#define EVENT_RING_SIZE  1024u

#define BIT(stage) (1u << (stage))
#define ENTERED_BY_INJECTION                                                                                 \
	(BIT(STAGE_NAT_HANDOFF) | BIT(STAGE_MAC_LOOKUP) | BIT(STAGE_VXLAN_ENCAP) | BIT(STAGE_TRANSMIT))

/* The stages that each stage can lead to; nat_gateway is reached by the handoff rings alone. */
static const uint32_t successors[STAGES] = {
	[STAGE_CLASSIFY] = BIT(STAGE_VXLAN_DECAP) | BIT(STAGE_ROUTE),
	[STAGE_VXLAN_DECAP] = BIT(STAGE_MAC_LEARN),
	[STAGE_MAC_LEARN] = BIT(STAGE_ROUTE),
	[STAGE_ROUTE] = BIT(STAGE_NAT_HANDOFF) | BIT(STAGE_MAC_LOOKUP),
	[STAGE_NAT_GATEWAY] = BIT(STAGE_MAC_LOOKUP),
	[STAGE_MAC_LOOKUP] = BIT(STAGE_FRAGMENT) | BIT(STAGE_VXLAN_ENCAP) | BIT(STAGE_TRANSMIT),
	[STAGE_FRAGMENT] = BIT(STAGE_VXLAN_ENCAP) | BIT(STAGE_TRANSMIT),
	[STAGE_VXLAN_ENCAP] = BIT(STAGE_TRANSMIT),
};

static struct rte_ring *ring_make(
	const char *name, const char *kind, uint16_t from, uint16_t to, uint32_t size)
{
	char ring_name[RTE_RING_NAMESIZE];

	snprintf(ring_name, sizeof(ring_name), "%.5s.%.9s.%hu.%hu", name, kind, from, to);
	struct rte_ring *ring =
		rte_ring_create(ring_name, size, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (ring == NULL)
		log_error("cannot make the ring %s of %u entries: %s", ring_name, size,
			rte_strerror(rte_errno));
	return ring;
}

static int input_add(struct lcore_context *context, struct rte_ring *ring, enum stage_id stage)
{
	uint16_t at = context->input_count;

	if (at == INPUT_RINGS_MAX)
		return -ENOSPC;
	/* Most downstream first: what is nearly done leaves before more is taken in. */
	for (; at > 0 && context->input[at - 1].stage < stage; at--)
		context->input[at] = context->input[at - 1];
	context->input[at] = (struct input_ring){ ring, stage };
	context->input_count++;
	return 0;
}

static int link_make(const char *name, const char *kind, struct burst_link *link,
	const struct lcore_context *from, struct lcore_context *to, enum stage_id stage, uint32_t size)
{
	link->ring = ring_make(name, kind, from->index, to->index, size);
	link->doorbell = &to->doorbell;
	return link->ring == NULL ? -ENOMEM : input_add(to, link->ring, stage);
}

/* The lcore that runs `stage` for `from`: the one with the same position among its kind. */
static struct lcore_context *stage_place(const struct packet_path *path, uint16_t from, enum stage_id stage)
{
	uint16_t places[PACKET_LCORE_MAX], count = 0, position = 0;

	for (uint16_t i = 0; i < path->count; i++)
		if (path->plan.entry[i].stages & BIT(stage))
			places[count++] = i;
	for (uint16_t i = 0; i < from; i++)
		position = (uint16_t)(position + !(path->plan.entry[i].stages & BIT(stage)));
	return count == 0 ? NULL : path->context[places[position % count]];
}

static int stages_link(struct packet_path *path, const char *name, uint16_t from)
{
	struct lcore_context *context = path->context[from];
	uint32_t wanted = ENTERED_BY_INJECTION;

	for (int stage = 0; stage < STAGES; stage++)
		if (context->stages_here & BIT(stage))
			wanted |= successors[stage];
	for (int stage = 0; stage < STAGES; stage++) {
		struct lcore_context *to = stage_place(path, from, (enum stage_id)stage);

		if (!(wanted & BIT(stage)) || context->stages_here & BIT(stage))
			continue;
		if (to == NULL) {
			log_error("the plan runs the stage %s on no lcore", stage_table[stage].name);
			return -EINVAL;
		}
		int status = link_make(name, stage_table[stage].name, &context->link[stage], context, to,
			(enum stage_id)stage, path->plan.ring_size);
		if (status < 0)
			return status;
	}
	return 0;
}

static int owners_link(struct packet_path *path, const char *name)
{
	uint16_t owners = 0;
	struct lcore_context *owner[PACKET_LCORE_MAX];
	bool early = true;

	for (uint16_t i = 0; i < path->count; i++) {
		path->context[i]->owner_index = UINT16_MAX;
		if (!(path->context[i]->stages_here & BIT(STAGE_NAT_GATEWAY)))
			continue;
		path->context[i]->owner_index = owners;
		path->context[i]->nat = nat_owner(path->plane->nat, owners);
		early &= path->context[i]->stages_here == BIT(STAGES) - 1;
		overload_init(path->context[i]);
		owner[owners++] = path->context[i];
	}
	for (uint16_t i = 0; i < path->count; i++) {
		struct lcore_context *from = path->context[i];
		from->owner_count = owners;
		from->hands_early = early;
		if (!(from->stages_here & (BIT(STAGE_NAT_HANDOFF) | BIT(STAGE_NAT_GATEWAY))))
			continue;
		for (uint16_t to = 0; to < owners; to++) {
			int status = owner[to] == from
					     ? 0
					     : link_make(name, "handoff", &from->handoff[to], from, owner[to],
						       STAGE_NAT_GATEWAY, path->plan.ring_size);
			if (status < 0)
				return status;
		}
	}
	return 0;
}

/* Has each owner all stages, and a queue of each port to send by? Else packets that it sends may be on their way to the port still
 * when it is between two turns. */
static bool owners_send(const struct packet_path *path)
{
	for (uint16_t i = 0; i < path->count; i++) {
		const struct lcore_context *context = path->context[i];

		if (context->nat == NULL)
			continue;
		if (context->stages_here != BIT(STAGES) - 1)
			return false;
		for (uint16_t port = 0; port < path->plane->port_count; port++)
			if (!context->tx[port].mine)
				return false;
	}
	return true;
}

/* So that each sees when the others are between two turns: then it sees packets of their sessions through. */
static int turns_make(struct packet_path *path)
{
	if (path->context[0]->owner_count < 2 || !owners_send(path)) {
		for (uint16_t i = 0; i < path->count; i++)
			handoff_note_all(path->context[i]);
		return 0;
	}
	path->turns = rte_zmalloc("turns", rte_rcu_qsbr_get_memsize(path->count), RTE_CACHE_LINE_SIZE);
	if (path->turns == NULL)
		return -ENOMEM;
	if (rte_rcu_qsbr_init(path->turns, path->count) != 0)
		return -rte_errno;
	for (uint16_t i = 0; i < path->count; i++) {
		if (rte_rcu_qsbr_thread_register(path->turns, i) != 0)
			return -rte_errno;
		path->context[i]->turns = path->turns;
		path->context[i]->holds = true;
		if (path->context[i]->nat != NULL)
			nat_retired_read_by(path->context[i]->nat, path->turns);
	}
	return 0;
}

static struct lcore_context *port_sender(const struct packet_path *path, interface_id port)
{
	for (uint16_t i = 0; i < path->count; i++)
		if (path->context[i]->tx[port].mine)
			return path->context[i];
	return NULL;
}

/* A lcore that runs transmit without a queue of its own on a port sends by the one that has it; one ring a pair. */
static int transmit_link(struct packet_path *path, const char *name, struct lcore_context *from)
{
	struct burst_link to_lcore[PACKET_LCORE_MAX] = { 0 };

	for (interface_id port = 0; port < path->plane->port_count; port++) {
		struct lcore_context *to = port_sender(path, port);

		if (!(from->stages_here & BIT(STAGE_TRANSMIT)) || from->tx[port].mine || to == NULL)
			continue;
		struct burst_link *link = &to_lcore[to->index];
		if (link->ring == NULL) {
			int status =
				link_make(name, "port", link, from, to, STAGE_TRANSMIT, path->plan.ring_size);
			if (status < 0)
				return status;
		}
		from->tx[port].link = *link;
	}
	return 0;
}

static int channels_make(const char *name, struct lcore_context *context)
{
	char ring_name[RTE_RING_NAMESIZE];

	context->punt = ring_make(name, "punt", context->index, 0, PUNT_RING_SIZE);
	context->inject = ring_make(name, "inject", 0, context->index, INJECT_RING_SIZE);
	snprintf(ring_name, sizeof(ring_name), "%.5s.events.%hu", name, context->index);
	context->events->ring = rte_ring_create_elem(ring_name, sizeof(struct fdb_event), EVENT_RING_SIZE,
		SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	return context->punt == NULL || context->inject == NULL || context->events->ring == NULL ? -ENOMEM
												 : 0;
}

static int queues_take(struct lcore_context *context, const struct lcore_plan_entry *entry)
{
	context->rx = calloc(RTE_MAX(entry->rx_count, 1), sizeof(*context->rx));
	if (context->rx == NULL)
		return -ENOMEM;
	for (uint16_t i = 0; i < entry->rx_count; i++)
		context->rx[i] = (struct rx_queue){ entry->rx[i].device, entry->rx[i].queue,
			entry->rx[i].port, false };
	context->rx_count = entry->rx_count;
	for (uint16_t i = 0; i < entry->tx_count; i++) {
		struct tx_queue *tx = &context->tx[entry->tx[i].port];
		tx->mine = true;
		tx->device = entry->tx[i].device;
		tx->queue = entry->tx[i].queue;
	}
	return 0;
}

static int context_make(
	struct packet_path *path, const char *name, uint16_t at, struct doorbell *management_doorbell)
{
	const struct lcore_plan_entry *entry = &path->plan.entry[at];
	const struct data_plane *plane = path->plane;
	struct lcore_context *context = rte_zmalloc("lcore_context", sizeof(*context), 64);

	if (context == NULL)
		return -ENOMEM;
	path->context[at] = context;
	context->index = at;
	context->lcore = entry->lcore;
	context->plane = plane;
	context->stages_here = entry->stages;
	context->fast = entry->stages == BIT(STAGES) - 1;
	context->fast_path = fast_path_level();
	context->fast_path->init(context);
	context->management_doorbell = management_doorbell;
	context->cycles_per_tick = RTE_MAX(rte_get_tsc_hz() / TICKS_PER_S, UINT64_C(1));
	context->tick = 1;
	context->counters.interface = rte_zmalloc(
		"counters", (PORT_MAX + plane->segments->count) * sizeof(struct interface_counters), 64);
	context->counters.tunnel =
		rte_zmalloc("counters", (plane->tunnels->capacity + 1) * sizeof(struct tunnel_state), 64);
	context->events = rte_zmalloc("events", sizeof(*context->events), 64);
	if (context->counters.interface == NULL || context->counters.tunnel == NULL ||
		context->events == NULL)
		return -ENOMEM;
	int status = doorbell_open(&context->doorbell, entry->sleeps);
	if (status == 0)
		status = queues_take(context, entry);
	return status == 0 ? channels_make(name, context) : status;
}

/* All count their ticks from one moment: what several of them stamp with the tick is then written once a tick, and not by turns. */
static void ticks_begin(struct packet_path *path)
{
	uint64_t now = rte_rdtsc();

	for (uint16_t i = 0; i < path->count; i++)
		path->context[i]->tick_due = now + path->context[i]->cycles_per_tick;
}

static int path_link(struct packet_path *path, const char *name)
{
	int status = owners_link(path, name);

	if (status == 0)
		status = turns_make(path);
	for (uint16_t i = 0; i < path->count && status == 0; i++) {
		status = stages_link(path, name, i);
		if (status == 0)
			status = transmit_link(path, name, path->context[i]);
	}
	return status;
}

static struct memory_need ring_need(uint32_t size, uint32_t element)
{
	return memory_of_table(1, (uint64_t)rte_ring_get_memsize_elem(element, size) + RTE_CACHE_LINE_SIZE);
}

struct memory_need packet_path_need(uint16_t lcores, uint32_t ring_size, uint16_t segments, uint32_t tunnels)
{
	uint32_t links = lcores > 1 ? lcores * (lcores + STAGES) : 0;
	struct memory_need need = { 0 };

	for (uint32_t i = 0; i < links; i++)
		memory_need_add(&need, ring_need(ring_size, sizeof(void *)));
	memory_need_add(&need, memory_of_table(1, rte_rcu_qsbr_get_memsize(lcores)));
	for (uint16_t i = 0; i < lcores; i++) {
		memory_need_add(&need, memory_of_table(1, sizeof(struct lcore_context)));
		memory_need_add(
			&need, memory_of_table(PORT_MAX + segments, sizeof(struct interface_counters)));
		memory_need_add(&need, memory_of_table(tunnels + 1u, sizeof(struct tunnel_state)));
		memory_need_add(&need, memory_of_table(1, sizeof(struct fdb_event_ring)));
		memory_need_add(&need, ring_need(PUNT_RING_SIZE, sizeof(void *)));
		memory_need_add(&need, ring_need(INJECT_RING_SIZE, sizeof(void *)));
		memory_need_add(&need, ring_need(EVENT_RING_SIZE, sizeof(struct fdb_event)));
	}
	return need;
}

struct packet_path *packet_path_wire(const char *name, const struct lcore_plan *plan,
	struct data_plane *plane, struct doorbell *management_doorbell)
{
	struct packet_path *path = calloc(1, sizeof(*path));
	int status = 0;

	if (path == NULL)
		return NULL;
	path->plan = *plan;
	path->plane = plane;
	path->context = calloc(plan->count, sizeof(*path->context));
	if (path->context == NULL)
		status = -ENOMEM;
	else
		path->count = plan->count;
	for (uint16_t i = 0; i < path->count && status == 0; i++)
		status = context_make(path, name, i, management_doorbell);
	if (status == 0)
		status = path_link(path, name);
	if (status == 0) {
		ticks_begin(path);
		return path;
	}
	log_error("cannot lay the packet path over %u lcores: %s", plan->count, rte_strerror(-status));
	packet_path_unwire(path);
	errno = -status;
	return NULL;
}

static void ring_free(struct rte_ring *ring)
{
	void *packet;

	while (ring != NULL && rte_ring_sc_dequeue(ring, &packet) == 0)
		rte_pktmbuf_free(packet);
	rte_ring_free(ring);
}

static void context_free(struct lcore_context *context)
{
	if (context == NULL)
		return;
	if (context->turns != NULL && context->nat != NULL)
		nat_retired_read_by(context->nat, NULL);
	for (uint16_t i = 0; i < context->input_count; i++)
		ring_free(context->input[i].ring);
	for (uint16_t port = 0; port < PORT_MAX; port++) {
		rte_pktmbuf_free_bulk(context->tx[port].buffer, context->tx[port].buffered);
		rte_pktmbuf_free_bulk(context->held[port].packet, context->held[port].count);
	}
	ring_free(context->punt);
	ring_free(context->inject);
	if (context->events != NULL)
		rte_ring_free(context->events->ring);
	rte_free(context->events);
	rte_free(context->counters.interface);
	rte_free(context->counters.tunnel);
	doorbell_close(&context->doorbell);
	free(context->rx);
	rte_free(context);
}

void packet_path_unwire(struct packet_path *path)
{
	if (path == NULL)
		return;
	for (uint16_t i = 0; i < path->count; i++)
		context_free(path->context[i]);
	rte_free(path->turns);
	free(path->context);
	free(path);
}
