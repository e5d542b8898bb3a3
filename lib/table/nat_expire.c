/* SPDX-License-Identifier: BSD-3-Clause */
/* Ends sessions whose time is over: a sweep through the records, a slice a call, that gets round the whole table in
 * NAT_SWEEP_TICKS however often it is called. The bitmap of free records tells which to look at, so that an empty
 * table costs next to nothing. And of each word of it is known until when none of its sessions can be over, so that the
 * records of millions of sessions that live do not go through the cache every few seconds: packets put the end of a session
 * off, and whatever begins now has at least the shortest of the timeouts. Only management can set an earlier end. */
#include "table/nat_owner.h"

#define NAT_SWEEP_TICKS (4 * TICKS_PER_S)
#define SHARE_BUSY                                                                                           \
	32u /* of what is due, a call does one part in so many, so that packets hardly wait for it */
#define SHARE_RESTED   4u   /* after a pause */
#define WORDS_MAX      256u /* a call: 16,384 records, after a pause in which nothing waited for the lcore */
#define CLOSED_ENOUGH  64u  /* end the call early: packets wait */
#define RECORDS_AHEAD  16u  /* prefetched, of those looked at */
#define CLOSINGS_GROUP 6u   /* of those ended, a group is asked for while the one before it is ended */

/* Ticks that a session has left without a packet; negative: it is over. */
static int32_t session_left(const struct nat_owner *owner, const struct nat_session *session, uint32_t tick)
{
	return (int32_t)(session->last_seen + owner->timeout[session->state] - tick);
}

/* Those of the 64 sessions behind one word of the bitmap that are over. */
static uint32_t word_look(struct nat_owner *owner, uint32_t word, uint32_t tick, uint32_t *over)
{
	uint32_t base = word * NAT_SESSIONS_A_WORD, count = 0;
	int32_t least = (int32_t)owner->shortest_timeout;
	uint64_t used = ~owner->rows.free.level[0][word];

	if (owner->rows.free.size - base < NAT_SESSIONS_A_WORD)
		used &= (UINT64_C(1) << (owner->rows.free.size - base)) - 1;
	for (; used != 0; used &= used - 1) {
		uint32_t number = base + (uint32_t)__builtin_ctzll(used);
		__builtin_prefetch(&owner->session[number + RECORDS_AHEAD]);
		if (owner->session[number].protocol == 0)
			continue; /* not begun yet */
		int32_t left = session_left(owner, &owner->session[number], tick);
		if (left < 0)
			over[count++] = number;
		else
			least = RTE_MIN(least, left);
	}
	owner->quiet_until[word] = tick + (uint32_t)least;
	return count;
}

/* Looks at the next ones, up to `end`, and then asks for all they touch, in a loop of its own (see fast_path.c). */
static void closings_ask(const struct nat_owner *owner, const uint32_t *over, struct nat_closing *closing,
	uint32_t from, uint32_t end)
{
	for (uint32_t i = from; i < end; i++)
		nat_close_look(owner, over[i], &closing[i]);
	for (uint32_t i = from; i < end; i++)
		for (uint32_t line = 0; line < NAT_CLOSING_LINES; line++)
			__builtin_prefetch(closing[i].ahead[line], 1);
}

static uint32_t word_sweep(struct nat_owner *owner, uint32_t word, uint32_t tick)
{
	uint32_t over[NAT_SESSIONS_A_WORD], count = word_look(owner, word, tick, over), asked = 0, done = 0,
					    closed = 0;
	struct nat_closing closing[NAT_SESSIONS_A_WORD];

	while (done < count) {
		uint32_t ask = RTE_MIN(count, asked + CLOSINGS_GROUP), end = ask < count ? asked : count;
		closings_ask(owner, over, closing, asked, ask);
		asked = ask;
		for (; done < end; done++)
			closed += nat_close_looked(owner, &closing[done]);
	}
	owner->counters.sessions_expired += closed;
	return closed;
}

static inline bool word_is_due(const struct nat_owner *owner, uint32_t tick)
{
	return (int32_t)(tick - owner->quiet_until[owner->sweep_word]) >= 0;
}

void nat_owner_expire(struct nat_owner *owner, uint32_t tick)
{
	uint32_t words = owner->rows.free.words[0], elapsed = tick_age(tick, owner->sweep_tick), closed = 0;

	nat_ports_tick(&owner->ports, tick);
	if (elapsed > 0) {
		owner->sweep_tick = tick;
		owner->sweep_debt += (uint64_t)RTE_MIN(elapsed, NAT_SWEEP_TICKS) * words;
		owner->sweep_debt = RTE_MIN(owner->sweep_debt, (uint64_t)words * NAT_SWEEP_TICKS);
	}
	/* A busy lcore calls often, and what is due with a tick it does bit by bit; one that slept owes much, and has the
	 * time. */
	uint64_t due = owner->sweep_debt / NAT_SWEEP_TICKS;
	uint64_t share = due / (elapsed > 1 ? SHARE_RESTED : SHARE_BUSY);
	uint64_t slice = RTE_MIN(RTE_MIN(due, RTE_MAX(share, 1u)), WORDS_MAX);
	while (slice > 0 && closed < CLOSED_ENOUGH) {
		uint32_t ended = word_is_due(owner, tick) ? word_sweep(owner, owner->sweep_word, tick) : 0;

		closed += ended;
		if (ended > 0 && word_is_due(owner, tick))
			continue; /* the next session of a binding took the place of one that ended, and may be over too */
		slice--;
		owner->sweep_word = owner->sweep_word + 1 == words ? 0 : owner->sweep_word + 1;
		owner->sweep_debt -= NAT_SWEEP_TICKS;
	}
}
