/* SPDX-License-Identifier: BSD-3-Clause */
/* Opens the sessions of new flows from inside, a pipeline like the lookup: ask for the host; look at it and ask for its
 * free ports; choose the public endpoint and ask for its bucket; make the session and translate. A flow may have several
 * packets among the new ones: the first opens the session, and the commit of the others finds it. */
#include "stage/nat_private.h"
#include <errno.h>

#define AHEAD 8u /* packets between two steps */

struct fresh {
	struct nat_opening opening;
	int reserved; /* 0 or -errno */
};

static void fresh_ask(struct nat_owner *owner, const struct nat_packet *packet, struct fresh *fresh)
{
	fresh->opening.flow = nat_packet_flow(packet);
	fresh->opening.inside_hash = packet->endpoint_hash;
	fresh->opening.unbound = !packet->bound;
	nat_open_ask(owner, &fresh->opening);
}

/* An attempt costs budget, also one that fails: a flood must not be dear because the table is full. */
static void fresh_reserve(struct nat_burst *burst, struct fresh *fresh)
{
	fresh->reserved =
		burst->budget == 0 ? -EAGAIN : nat_open_reserve(burst->owner, &fresh->opening, burst->tick);
	if (fresh->reserved != -EAGAIN && fresh->reserved != -ENOENT)
		burst->budget--;
}

static uint8_t fresh_finish(
	struct nat_burst *burst, struct rte_mbuf *m, struct nat_packet *packet, struct fresh *fresh)
{
	int64_t number = fresh->reserved;

	if (likely(number == 0)) {
		number = nat_open_commit(burst->owner, &fresh->opening, burst->tick);
		burst->budget += number >= 0 && fresh->opening.exists;
	} else if (number == -ENOENT || number == -EAGAIN) {
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

void nat_gateway_new(struct nat_burst *burst, struct rte_mbuf **packets, struct nat_packet *packet,
	const struct nat_packet_list *list, uint8_t *verdict)
{
	struct fresh fresh[BURST_MAX];

	for (uint32_t i = 0; i < list->count + 3 * AHEAD; i++) {
		/* At first beyond any count. */
		uint32_t look = i - AHEAD, reserve = i - 2 * AHEAD, finish = i - 3 * AHEAD;

		if (i < list->count)
			fresh_ask(burst->owner, &packet[list->at[i]], &fresh[i]);
		if (look < list->count)
			nat_open_look(burst->owner, &fresh[look].opening);
		if (reserve < list->count)
			fresh_reserve(burst, &fresh[reserve]);
		if (finish < list->count) {
			struct nat_packet *finished = &packet[list->at[finish]];
			verdict[finished->at] =
				fresh_finish(burst, packets[finished->at], finished, &fresh[finish]);
		}
	}
}
