/* SPDX-License-Identifier: BSD-3-Clause */
/* Opens the sessions of new flows from inside, in steps: ask for the host; look at it and ask for its free ports; choose the
 * public endpoint, and ask for the row of records that it leads to; choose a record, and ask for it; make the session and
 * translate. The packets go in groups, each a step behind the one before it. A flow may have several packets among the new
 * ones: the first opens the session, and the commit of the others finds it. Until then each of them holds a port and counts
 * for its host's limits; so who is refused asks again when those before it have been committed. */
#include "stage/nat_private.h"
#include <errno.h>

#define GROUP 8u

struct fresh {
	struct nat_opening opening;
	int reserved; /* 0 or -errno */
};

/* The new ones of a burst, and how far they have got: numbers of those that come next to each step. */
struct openings {
	struct nat_burst *burst;
	struct rte_mbuf **packets;
	struct nat_packet *packet;
	const struct nat_packet_list *list;
	uint8_t *verdict;
	uint32_t asked, looked, reserved, placed, done;
	uint32_t held; /* reservations that are not committed yet */
	uint32_t made; /* sessions of this burst, so that endpoints may have a binding that had none */
	struct fresh fresh[BURST_MAX];
};

static void fresh_ask(struct openings *openings, uint32_t i)
{
	const struct nat_packet *packet = &openings->packet[openings->list->at[i]];
	struct nat_opening *opening = &openings->fresh[i].opening;

	opening->flow = nat_packet_flow(packet);
	opening->inside_hash = packet->endpoint_hash;
	opening->unbound = !packet->bound;
	nat_open_ask(openings->burst->owner, opening);
}

static uint8_t fresh_commit(struct openings *openings, uint32_t i)
{
	struct nat_burst *burst = openings->burst;
	struct fresh *fresh = &openings->fresh[i];
	struct nat_packet *packet = &openings->packet[openings->list->at[i]];
	struct rte_mbuf *m = openings->packets[packet->at];
	int64_t number = fresh->reserved;

	if (likely(number == 0)) {
		openings->held--;
		number = nat_open_commit(burst->owner, &fresh->opening, burst->tick);
		openings->made += number >= 0;
	} else if (number == -ENOENT) {
		return nat_gateway_slow(burst, m, packet);
	} else {
		/* This burst may have opened the session nonetheless, for an earlier packet of the flow. */
		uint32_t found = nat_session_find_up(burst->owner, &fresh->opening.flow);
		if (found != INDEX_NONE)
			number = found;
	}
	if (unlikely(number < 0))
		return nat_open_refused(burst, m, number);
	return nat_translate(burst, m, packet, &burst->owner->session[number], NAT_UP);
}

static void fresh_finish(struct openings *openings, uint32_t end)
{
	for (; openings->done < end; openings->done++)
		openings->verdict[openings->packet[openings->list->at[openings->done]].at] =
			fresh_commit(openings, openings->done);
}

static void fresh_reserve(struct openings *openings, uint32_t i)
{
	struct nat_burst *burst = openings->burst;
	struct fresh *fresh = &openings->fresh[i];

	bool again = openings->held > 0 || openings->made > 0;

	fresh->opening.quiet = again;
	fresh->reserved = nat_open_reserve(burst->owner, &fresh->opening, burst->tick);
	if (unlikely(fresh->reserved < 0 && fresh->reserved != -ENOENT && again)) {
		fresh_finish(openings, i);
		openings->placed = i;
		fresh->opening.unbound = false;
		/* If there is a session now, fresh_commit finds it, and nothing is refused. */
		fresh->opening.quiet = nat_session_find_up(burst->owner, &fresh->opening.flow) != INDEX_NONE;
		if (!fresh->opening.quiet)
			fresh->reserved = nat_open_reserve(burst->owner, &fresh->opening, burst->tick);
	}
	fresh->opening.quiet = false; /* what the commit refuses is refused */
	openings->held += fresh->reserved == 0;
}

/* In a loop of its own, so that the requests lie close together (see fast_path.c). */
static void fresh_prefetch(const struct fresh *fresh, uint32_t from, uint32_t end)
{
	for (uint32_t i = from; i < end; i++) {
		prefetch_far(fresh[i].opening.ahead[0]);
		prefetch_far(fresh[i].opening.ahead[1]);
	}
}

static void groups_step(struct openings *openings)
{
	struct fresh *fresh = openings->fresh;
	struct nat_owner *owner = openings->burst->owner;
	uint32_t ask = RTE_MIN(openings->list->count, openings->asked + GROUP), look = openings->asked,
		 reserve = openings->looked, place = openings->reserved, finish = openings->placed;

	for (; openings->asked < ask; openings->asked++)
		fresh_ask(openings, openings->asked);
	for (; openings->looked < look; openings->looked++)
		nat_open_look(owner, &fresh[openings->looked].opening);
	fresh_prefetch(fresh, reserve, openings->looked);
	for (; openings->reserved < reserve; openings->reserved++)
		fresh_reserve(openings, openings->reserved);
	fresh_prefetch(fresh, place, openings->reserved);
	for (; openings->placed < place; openings->placed++)
		if (fresh[openings->placed].reserved == 0)
			nat_open_place(owner, &fresh[openings->placed].opening);
	fresh_prefetch(fresh, finish, openings->placed);
	fresh_finish(openings, finish);
}

void nat_gateway_new(struct nat_burst *burst, struct rte_mbuf **packets, struct nat_packet *packet,
	const struct nat_packet_list *list, uint8_t *verdict)
{
	struct openings openings;

	openings.burst = burst;
	openings.packets = packets;
	openings.packet = packet;
	openings.list = list;
	openings.verdict = verdict;
	openings.asked = openings.looked = openings.reserved = openings.placed = openings.done = 0;
	openings.held = openings.made = 0;
	while (openings.done < list->count)
		groups_step(&openings);
}
