/* SPDX-License-Identifier: BSD-3-Clause */
/* Opens the sessions of new flows from inside, a pipeline like the lookup: ask for the host; choose host and public
 * endpoint and ask for its bucket; make the session and translate. A flow may have several packets among the new ones:
 * the first opens the session, and the commit of the others finds it. */
#include "stage/nat_private.h"
#include <errno.h>

#define AHEAD 8u /* packets between two steps */

struct fresh {
	struct nat_opening opening;
	int reserved; /* 0 or -errno */
};

/* An attempt costs budget, also one that fails: a flood must not be dear because the table is full. */
static void fresh_reserve(struct nat_owner *owner, struct fresh *fresh, uint32_t *budget)
{
	fresh->reserved = *budget == 0 ? -EAGAIN : nat_open_reserve(owner, &fresh->opening);
	if (fresh->reserved != -EAGAIN && fresh->reserved != -ENOENT)
		(*budget)--;
}

static uint8_t fresh_finish(struct lcore_context *context, struct rte_mbuf *m, struct nat_packet *packet,
	struct fresh *fresh, uint32_t *budget)
{
	struct nat_owner *owner = context->nat;
	int64_t number = fresh->reserved;

	if (number == 0) {
		number = nat_open_commit(owner, &fresh->opening, context->tick);
		*budget += number >= 0 && fresh->opening.exists;
	} else if (number == -ENOENT || number == -EAGAIN) {
		return nat_gateway_slow(context, m, packet, budget);
	} else {
		/* This burst may have opened the session nonetheless, for an earlier packet of the flow. */
		uint32_t found = nat_session_find_up(owner, &fresh->opening.flow);
		if (found != INDEX_NONE)
			number = found;
	}
	if (unlikely(number < 0))
		return verdict_drop(nat_open_refused(number));
	return nat_translate(context, owner, m, packet, &owner->session[number], NAT_UP);
}

void nat_gateway_new(struct lcore_context *context, struct rte_mbuf **packets, struct nat_packet *packet,
	const struct nat_packet_list *list, uint32_t *budget, uint8_t *verdict)
{
	struct nat_owner *owner = context->nat;
	struct fresh fresh[BURST_MAX];

	for (uint32_t i = 0; i < list->count + 2 * AHEAD; i++) {
		uint32_t reserve = i - AHEAD, finish = i - 2 * AHEAD;

		if (i < list->count) {
			fresh[i].opening.flow = nat_packet_flow(&packet[list->at[i]]);
			nat_open_ask(owner, &fresh[i].opening);
		}
		if (reserve < list->count)
			fresh_reserve(owner, &fresh[reserve], budget);
		if (finish < list->count) {
			uint8_t at = list->at[finish];
			verdict[at] = fresh_finish(context, packets[at], &packet[at], &fresh[finish], budget);
		}
	}
}
