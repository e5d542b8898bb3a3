/* SPDX-License-Identifier: BSD-3-Clause */
/* Read this first. The way of a packet:
 *
 *   from a segment  classify > vxlan_decap > mac_learn > route > nat_handoff > nat_gateway > mac_lookup > transmit
 *   from outside    classify > route > nat_handoff > nat_gateway > mac_lookup > vxlan_encap > transmit
 *   between segments, without NAT    ... mac_learn > route > mac_lookup > vxlan_encap > transmit
 *   too big for the way out, DF clear    ... mac_lookup > fragment > vxlan_encap or transmit
 *   for the gateway itself, unresolved, expired    > punt > management lcore > inject > mac_lookup and on
 *
 * Where all stages are on one lcore, packets of sessions that exist are seen through by fast_path.c before any stage has
 * them; it does for them what the stages would do, and leaves the others here. It sees through packets of any lcore's sessions; what
 * only the owner can see to goes to it as it came (handoff.h), and takes this path there.
 *
 * Each stage gives every packet of a burst a verdict; this file sends the packets where the verdicts say: a call of
 * the next stage, a ring to the lcore that runs it, management, or a counted end. The path is run depth first with the
 * whole burst, so that a burst of one kind, the common case, is never copied. */
#include "stage/packet_path.h"
#include "slowpath/slowpath.h"
#include "stage/burst_link.h"
#include "stage/fast_path_level.h"
#include "stage/handoff.h"
#include "stage/lcore_command.h"
#include "stage/nat_fragment.h"
#include "stage/overload.h"
#include "stage/transmit.h"
#include "table/nat_mapping.h"
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_rcu_qsbr.h>
#include <string.h>

const struct stage stage_table[STAGES] = {
#define STAGE(identifier, stage_name, stage_sentence)                                                        \
	[STAGE_##identifier] = { .name = stage_name, .sentence = stage_sentence },
#include "stage/stage.def"
#undef STAGE
};

static stage_process *const process[STAGES] = {
	[STAGE_CLASSIFY] = classify_process,
	[STAGE_VXLAN_DECAP] = vxlan_decap_process,
	[STAGE_MAC_LEARN] = mac_learn_process,
	[STAGE_ROUTE] = route_process,
	[STAGE_NAT_HANDOFF] = nat_handoff_process,
	[STAGE_NAT_GATEWAY] = nat_gateway_process,
	[STAGE_MAC_LOOKUP] = mac_lookup_process,
	[STAGE_FRAGMENT] = fragment_process,
	[STAGE_VXLAN_ENCAP] = vxlan_encap_process,
	[STAGE_TRANSMIT] = transmit_process,
};

int stage_by_name(const char *name)
{
	for (int i = 0; i < STAGES; i++)
		if (strcmp(stage_table[i].name, name) == 0)
			return i;
	return -1;
}

/* What data packets can make management do is metered apart from ARP and IGMP, so that neither a flood of packets to
 * unresolved hosts nor one of ARP stops the other. */
#define PUNT_DATA_A_SECOND    20000u
#define PUNT_CONTROL_A_SECOND 20000u
#define PUNT_BURST            1024u

static bool punt_is_control(uint8_t reason)
{
	return reason == PUNT_ARP || reason == PUNT_IGMP;
}

static bool punt_admit(struct lcore_context *context, bool control)
{
	uint64_t rate = control ? PUNT_CONTROL_A_SECOND : PUNT_DATA_A_SECOND;
	uint64_t a_token = context->cycles_per_tick * TICKS_PER_S / rate;
	uint64_t earned = (context->now - context->punt_meter[control].refilled) / a_token;

	if (earned > 0) {
		context->punt_meter[control].refilled += earned * a_token;
		context->punt_meter[control].tokens =
			RTE_MIN(context->punt_meter[control].tokens + earned, (uint64_t)PUNT_BURST);
	}
	if (context->punt_meter[control].tokens == 0)
		return false;
	context->punt_meter[control].tokens--;
	return true;
}

static void punt(struct lcore_context *context, struct rte_mbuf **packets, uint16_t count)
{
	for (uint16_t i = 0; i < count; i++) {
		uint8_t reason = packet_metadata(packets[i])->punt;
		enum drop_reason drop = DROP_PUNT_RATE;

		if (punt_admit(context, punt_is_control(reason))) {
			drop = DROP_PUNT_RING_FULL;
			if (rte_ring_sp_enqueue(context->punt, packets[i]) == 0) {
				context->counters.punted[reason]++;
				continue;
			}
		}
		if (reason != PUNT_NAT_REFUSED && reason != PUNT_NAT_SYN) /* those are counted already */
			context->counters.drop[drop]++;
		rte_pktmbuf_free(packets[i]);
	}
	doorbell_ring(context->management_doorbell);
}

static void handoff(struct lcore_context *context, struct rte_mbuf **packets, uint16_t count)
{
	uint16_t owner[BURST_MAX];

	handoff_held_send(context);
	for (uint16_t i = 0; i < count; i++) {
		owner[i] = packet_metadata(packets[i])->owner;
		handoff_note_pair(
			context, handoff_pair_bit(rte_pktmbuf_mtod_offset(packets[i], void *, L3_OFFSET)));
	}
	handoff_send(context, packets, owner, count, HANDOFF_AT_NAT);
}

/* `count` packets that all got the same verdict. */
static void deliver(struct lcore_context *context, uint8_t verdict, struct rte_mbuf **packets, uint16_t count)
{
	if (likely(verdict < STAGES)) {
		const struct burst_link *link = &context->link[verdict];
		if (likely(link->ring == NULL))
			packet_path_run(context, (enum stage_id)verdict, packets, count);
		else
			burst_link_send(context, link, (enum stage_id)verdict, packets, count);
		return;
	}
	switch (verdict) {
	case VERDICT_KEPT:
		return;
	case VERDICT_PUNT:
		punt(context, packets, count);
		return;
	case VERDICT_HANDOFF:
		handoff(context, packets, count);
		return;
	default:
		context->counters.drop[verdict - VERDICT_DROP] += count;
		rte_pktmbuf_free_bulk(packets, count);
	}
}

void packet_path_pass(
	struct lcore_context *context, uint8_t verdict, struct rte_mbuf **packets, uint16_t count)
{
	deliver(context, verdict, packets, count);
}

static bool verdicts_agree(const uint8_t *verdict, uint16_t count)
{
	uint8_t differ = 0;

	for (uint16_t i = 0; i < count; i++)
		differ |= (uint8_t)(verdict[i] ^ verdict[0]);
	return differ == 0;
}

/* Sorts into one burst a verdict; the order within each is kept. */
static void deliver_mixed(
	struct lcore_context *context, const uint8_t *verdict, struct rte_mbuf **packets, uint16_t count)
{
	struct rte_mbuf *group[BURST_MAX];
	uint64_t left = count == BURST_MAX ? UINT64_MAX : (UINT64_C(1) << count) - 1;

	while (left != 0) {
		uint8_t first = verdict[__builtin_ctzll(left)];
		uint16_t n = 0;

		for (uint64_t rest = left; rest != 0; rest &= rest - 1) {
			int i = __builtin_ctzll(rest);
			if (verdict[i] == first) {
				group[n++] = packets[i];
				left &= ~(UINT64_C(1) << i);
			}
		}
		deliver(context, first, group, n);
	}
}

void packet_path_run(
	struct lcore_context *context, enum stage_id stage, struct rte_mbuf **packets, uint16_t count)
{
	struct stage_counters *counters = &context->counters.stage[stage];
	uint8_t verdict[BURST_MAX];

	process[stage](context, packets, count, verdict);
	uint64_t now = rte_rdtsc();
	counters->cycles += now - context->stage_clock; /* with the way to this stage */
	context->stage_clock = now;
	counters->packets += count;
	counters->bursts++;
	if (likely(verdicts_agree(verdict, count)))
		deliver(context, verdict[0], packets, count);
	else
		deliver_mixed(context, verdict, packets, count);
}

static void tick_advance(struct lcore_context *context, uint64_t now)
{
	context->now = now;
	if (likely((int64_t)(now - context->tick_due) < 0))
		return;
	uint64_t ticks = (now - context->tick_due) / context->cycles_per_tick + 1;
	context->tick += (uint32_t)ticks;
	context->tick_due += ticks * context->cycles_per_tick;
}

/* Nothing is gained by looking at what is not for the fast path, as what is routed without NAT: after some such bursts of a port
 * in a row it rests for some. What comes in bursts of its own between those of sessions, as a flood of fragments may, does not
 * send these through the stages. Where it refuses a flood of new flows it has work, but for the bursts before the lcore is overloaded
 * (overload.c). */
#define FAST_REST_BURSTS 15u
#define FAST_REST_AFTER  3u
#define FAST_REST_MIN    32u /* packets: small bursts leave the time to look */
#define FAST_SHARE_MIN                                                                                       \
	8u /* it rests when fewer than one in so many took it, of those that belong to this lcore */

/* What share of a burst of the port the fast path took: whether it rests. */
static inline void fast_path_judge(
	struct lcore_context *context, interface_id port, uint32_t taken, uint32_t ours, uint16_t count)
{
	uint8_t *idle = &context->fast_idle[port];

	if (likely(taken * FAST_SHARE_MIN >= ours))
		*idle = 0;
	else if (count >= FAST_REST_MIN && ++*idle >= FAST_REST_AFTER) {
		*idle = FAST_REST_AFTER - 1; /* after the rest, one more is enough */
		context->fast_rest[port] = FAST_REST_BURSTS;
	}
}

/* How many packets it came to, and how many of these are left for the stages. */
static struct fast_path_result fast_path(struct lcore_context *context, interface_id port,
	struct rte_mbuf **packets, uint16_t count, bool handed)
{
	struct stage_counters *counters = &context->counters.fast_path;
	uint16_t burst = (uint16_t)RTE_MIN(count, BURST_MAX);

	context->admitted = 0;
	if (unlikely(!context->fast))
		return (struct fast_path_result){ burst, burst };
	if (unlikely(context->fast_rest[port] > 0)) {
		context->fast_rest[port]--;
		return (struct fast_path_result){ burst, burst };
	}
	if (!handed)
		handoff_held_room(context, port, burst);
	struct fast_path_result result = context->fast_path->run(context, port, packets, count, handed);
	uint64_t now = rte_rdtsc();
	uint32_t ours = (uint32_t)(result.came_to - result.handed), taken = ours - result.left;

	counters->cycles += now - context->stage_clock;
	context->stage_clock = now;
	counters->packets += taken;
	counters->bursts++;
	fast_path_judge(context, port, taken, ours, result.came_to);
	return result;
}

/* Packets of a port, as they came in. Returns how many of them the fast path refused. */
static uint32_t receive(struct lcore_context *context, interface_id port, struct rte_mbuf **packets,
	uint16_t count, bool handed)
{
	uint32_t refused = 0;

	while (count > 0) {
		struct fast_path_result result = fast_path(context, port, packets, count, handed);

		for (uint16_t i = 0; i < result.left; i++)
			packet_metadata(packets[i])->ingress = port;
		if (result.left > 0)
			packet_path_run(context, STAGE_CLASSIFY, packets, result.left);
		refused += result.refused;
		packets += result.came_to;
		count = (uint16_t)(count - result.came_to);
	}
	return refused;
}

/* What another lcore handed over, in order: runs of packets as they came by a port, or of packets for nat_gateway. Those may be
 * of the same flows. */
static void handed_over_take(struct lcore_context *context, struct rte_mbuf **packets, uint16_t count)
{
	uint16_t end;

	/* All of it is in the other lcore's cache, much farther away than what a device has written. */
	for (uint16_t i = 0; i < count; i++)
		rte_prefetch0_write(packets[i]);
	for (uint16_t i = 0; i < count; i++) {
		rte_prefetch0_write(rte_pktmbuf_mtod(packets[i], uint8_t *));
		rte_prefetch0_write(rte_pktmbuf_mtod_offset(packets[i], uint8_t *, RTE_CACHE_LINE_SIZE));
	}
	for (uint16_t from = 0; from < count; from = end) {
		uint16_t came_by = handoff_came_by(packets[from]);

		for (end = (uint16_t)(from + 1); end < count && handoff_came_by(packets[end]) == came_by;)
			end++;
		if (came_by == HANDOFF_AT_NAT)
			packet_path_run(context, STAGE_NAT_GATEWAY, &packets[from], (uint16_t)(end - from));
		else
			receive(context, came_by, &packets[from], (uint16_t)(end - from), true);
	}
}

static unsigned input_poll(struct lcore_context *context)
{
	struct rte_mbuf *packets[BURST_MAX];
	unsigned handled = 0;

	for (uint16_t i = 0; i < context->input_count; i++) {
		unsigned n =
			rte_ring_sc_dequeue_burst(context->input[i].ring, (void **)packets, BURST_MAX, NULL);
		context->turn_is_full |= n == BURST_MAX;
		if (n > 0 && context->input[i].stage == STAGE_NAT_GATEWAY)
			handed_over_take(context, packets, (uint16_t)n);
		else if (n > 0)
			packet_path_run(context, context->input[i].stage, packets, (uint16_t)n);
		handled += n;
	}
	return handled;
}

/* Packets of a port that were held go on, as they came. */
static void held_release(struct lcore_context *context, interface_id port)
{
	struct rte_mbuf *packets[HELD_MAX];
	uint16_t count = context->held[port].count;

	if (count == 0)
		return;
	memcpy(packets, context->held[port].packet, count * sizeof(packets[0]));
	context->held[port].count = 0;
	context->holds = context->held[port].rounds < HELD_ROUNDS;
	for (uint16_t i = 0; i < count; i = (uint16_t)(i + BURST_MAX))
		receive(context, port, &packets[i], (uint16_t)RTE_MIN((uint16_t)(count - i), BURST_MAX),
			false);
	context->held[port].rounds =
		context->held[port].count > 0 ? (uint8_t)(context->held[port].rounds + 1) : 0;
	context->holds = true;
}

static void held_release_all(struct lcore_context *context)
{
	context->held_any = false;
	for (interface_id port = 0; port < context->plane->port_count; port++)
		held_release(context, port);
}

static unsigned inject_poll(struct lcore_context *context)
{
	static const uint8_t entry[] = { [INJECT_RESOLVED_NEXT_HOP] = STAGE_MAC_LOOKUP,
		[INJECT_TUNNEL] = STAGE_VXLAN_ENCAP,
		[INJECT_PORT] = STAGE_TRANSMIT,
		[INJECT_NAT] = STAGE_NAT_HANDOFF };
	struct rte_mbuf *packets[BURST_MAX];
	uint8_t verdict[BURST_MAX];

	if (likely(rte_ring_empty(context->inject)))
		return 0;
	unsigned n = rte_ring_sc_dequeue_burst(context->inject, (void **)packets, BURST_MAX, NULL);
	for (unsigned i = 0; i < n; i++)
		verdict[i] = entry[packet_metadata(packets[i])->inject_stage];
	if (n > 0)
		deliver_mixed(context, verdict, packets, (uint16_t)n);
	return n;
}

/* Of an overloaded lcore that refuses a part of what comes by a queue, the rest shall still come to whole bursts: it receives more at
 * once. */
#define REFUSES_SHARE 8u /* one in so many */
static uint16_t rx_burst(
	struct lcore_context *context, const struct rx_queue *rx, struct rte_mbuf *packets[FAST_MAX])
{
	uint16_t n = rte_eth_rx_burst(rx->device, rx->queue, packets, BURST_MAX);

	if (n < BURST_MAX)
		return n;
	context->turn_is_full = true;
	if (unlikely(context->overloaded && rx->refuses))
		n = (uint16_t)(n +
			       rte_eth_rx_burst(rx->device, rx->queue, &packets[n], FAST_MAX - BURST_MAX));
	return n;
}

static unsigned rx_poll(struct lcore_context *context)
{
	struct rte_mbuf *packets[FAST_MAX];
	unsigned handled = 0;

	for (uint16_t q = 0; q < context->rx_count; q++) {
		struct rx_queue *rx = &context->rx[q];
		uint16_t n = rx_burst(context, rx, packets);

		handled += n;
		if (n > 0) {
			context->stage_clock = rte_rdtsc();
			uint32_t refused = receive(context, rx->port, packets, n, false);
			rx->refuses = refused * REFUSES_SHARE >= n;
		}
	}
	return handled;
}

static void nat_poll(struct lcore_context *context)
{
	nat_owner_expire(context->nat, context->tick);
	nat_fragment_poll(context);
}

unsigned packet_path_poll(struct lcore_context *context, uint64_t now)
{
	unsigned handled;

	tick_advance(context, now);
	context->moves = atomic_load_explicit(&context->plane->fdb->moves, memory_order_acquire);
	context->turn_is_full = false;
	context->stage_clock = now;
	if (unlikely(handoff_forget(context)))
		held_release_all(context);
	handled = lcore_command_poll(context); /* a command under way keeps the lcore from sleeping, too */
	handled += input_poll(context);
	handled += inject_poll(context);
	handled += rx_poll(context);
	handled += context->held_any; /* until they have gone on, it does not sleep */
	overload_note(context);
	if (context->nat != NULL) {
		nat_poll(context);
		if (unlikely(nat_mapping_poll(context->nat, context->tick) > 0))
			doorbell_ring(context->management_doorbell);
	}
	transmit_flush(context);
	context->counters.polls++;
	if (handled == 0)
		context->counters.empty_polls++;
	if (context->online)
		rte_rcu_qsbr_quiescent(context->turns, context->index);
	return handled;
}

void packet_path_online(struct lcore_context *context)
{
	if (context->turns == NULL)
		return;
	rte_rcu_qsbr_thread_online(context->turns, context->index);
	context->online = true;
}

void packet_path_offline(struct lcore_context *context)
{
	if (!context->online)
		return;
	context->online = false;
	rte_rcu_qsbr_thread_offline(context->turns, context->index);
}
