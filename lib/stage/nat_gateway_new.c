/* SPDX-License-Identifier: BSD-3-Clause */
/* Opens the sessions of new flows from inside, in steps: ask for the host; look at it and ask for its free ports; choose the
 * public endpoint, and ask for the row of records that it leads to; choose a record, and ask for it; make the session and
 * translate. The packets go in groups, each a step behind the one before it. A flow may have several packets among the new
 * ones: the first opens the session, and the commit of the others finds it. */
#include "stage/nat_private.h"
#include <errno.h>

#define GROUP 8u

struct fresh {
	struct nat_opening opening;
	int reserved; /* 0 or -errno */
};

static void fresh_ask(struct nat_owner *owner, const struct nat_packet *packet, struct fresh *fresh)
{
	fresh->opening.flow = nat_packet_flow(packet);
	fresh->opening.inside_hash = packet->endpoint_hash;
	fresh->opening.unbound = !packet->bound;
	fresh->opening.quiet = false;
	nat_open_ask(owner, &fresh->opening);
}

static uint8_t fresh_finish(
	struct nat_burst *burst, struct rte_mbuf *m, struct nat_packet *packet, struct fresh *fresh)
{
	int64_t number = fresh->reserved;

	if (likely(number == 0)) {
		number = nat_open_commit(burst->owner, &fresh->opening, burst->tick);
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

/* In a loop of its own, so that the requests lie close together (see fast_path.c). */
static void fresh_prefetch(const struct fresh *fresh, uint32_t from, uint32_t end)
{
	for (uint32_t i = from; i < end; i++) {
		__builtin_prefetch(fresh[i].opening.ahead[0], 1);
		__builtin_prefetch(fresh[i].opening.ahead[1], 1);
	}
}

void nat_gateway_new(struct nat_burst *burst, struct rte_mbuf **packets, struct nat_packet *packet,
	const struct nat_packet_list *list, uint8_t *verdict)
{
	uint32_t asked = 0, looked = 0, reserved = 0, placed = 0, done = 0;
	struct fresh fresh[BURST_MAX];

	while (done < list->count) {
		uint32_t ask = RTE_MIN(list->count, asked + GROUP), look = asked, reserve = looked,
			 place = reserved, finish = placed;

		for (; asked < ask; asked++)
			fresh_ask(burst->owner, &packet[list->at[asked]], &fresh[asked]);
		for (; looked < look; looked++)
			nat_open_look(burst->owner, &fresh[looked].opening);
		fresh_prefetch(fresh, reserve, looked);
		for (; reserved < reserve; reserved++)
			fresh[reserved].reserved =
				nat_open_reserve(burst->owner, &fresh[reserved].opening, burst->tick);
		fresh_prefetch(fresh, place, reserved);
		for (; placed < place; placed++)
			if (fresh[placed].reserved == 0)
				nat_open_place(burst->owner, &fresh[placed].opening);
		fresh_prefetch(fresh, finish, placed);
		for (; done < finish; done++) {
			struct nat_packet *finished = &packet[list->at[done]];
			verdict[finished->at] =
				fresh_finish(burst, packets[finished->at], finished, &fresh[done]);
		}
	}
}
