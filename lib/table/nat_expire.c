/* SPDX-License-Identifier: BSD-3-Clause */
/* Ends sessions whose time is over: a sweep through the records, a slice a call, that gets round the whole table in
 * NAT_SWEEP_TICKS if it is called often enough for PARTS_MAX a call. It goes by parts of rows, the first part of all rows,
 * then the second, and so on: when very many sessions are over at once, all rows get room at the same rate, and new ones go on
 * lying where they are looked for first. The bitmap of free records tells which to look at, so that an empty table costs next
 * to nothing. And of each part it is known until when none of its sessions can be over, so that the records of millions of
 * sessions that live do not go through the cache every few seconds: packets put the end of a session off, and whatever begins
 * now has at least the shortest of the timeouts. Only management can set an earlier end. A session that takes over the record
 * of its binding's first one, when that is ended by hand, may go to where the sweep has been, and then ends a round later than
 * it might. */
#include "base/prefetch.h"
#include "table/nat_owner.h"

#define NAT_SWEEP_TICKS (4 * TICKS_PER_S)
#define SHARE_BUSY                                                                                           \
	32u /* of what is due, a call does one share in so many, so that packets hardly wait for it */
#define SHARE_RESTED   4u    /* after a pause */
#define PARTS_MAX      2048u /* a call: 16,384 records, after a pause in which nothing waited for the lcore */
#define CLOSED_ENOUGH  64u   /* end the call early: packets wait */
#define PARTS_AHEAD    2u    /* whose records are asked for, of those looked at */
#define CLOSINGS_GROUP 6u    /* of those ended, a group is asked for while the one before it is ended */

/* Ticks that a session has left without a packet; negative: it is over. */
static int32_t session_left(const struct nat_owner *owner, const struct nat_session *session, uint32_t tick)
{
	return (int32_t)(session->last_seen + owner->timeout[session->state] - tick);
}

/* The first record of a part. */
static uint32_t part_base(const struct nat_owner *owner, uint32_t part)
{
	return part % owner->rows.rows * NAT_ROW_RECORDS + part / owner->rows.rows * NAT_PART_RECORDS;
}

static uint32_t part_used(const struct nat_owner *owner, uint32_t base)
{
	return (uint32_t)(~*id_pool_word(&owner->rows.free, base) >> base % 64) & UINT8_MAX;
}
_Static_assert(NAT_PART_RECORDS == 8, "the bits of one byte");

static void part_prefetch(const struct nat_owner *owner, uint32_t part)
{
	if (part >= owner->parts)
		return;
	uint32_t base = part_base(owner, part);
	for (uint32_t used = part_used(owner, base); used != 0; used &= used - 1)
		prefetch_far(&owner->session[base + (uint32_t)__builtin_ctz(used)]);
}

/* Notes those of a part that are over. */
static void part_look(struct nat_owner *owner, uint32_t part, uint32_t tick)
{
	uint32_t base = part_base(owner, part);
	int32_t least = (int32_t)owner->shortest_timeout;

	part_prefetch(owner, part + PARTS_AHEAD);
	for (uint32_t used = part_used(owner, base); used != 0; used &= used - 1) {
		uint32_t number = base + (uint32_t)__builtin_ctz(used);
		if (owner->session[number].protocol == 0)
			continue; /* not begun yet */
		int32_t left = session_left(owner, &owner->session[number], tick);
		if (left < 0)
			owner->over[owner->over_count++] = number;
		else
			least = RTE_MIN(least, left);
	}
	owner->quiet_until[part] = tick + (uint32_t)least;
}

/* Keeps of those noted what is over still or again: a packet may have come since, or the session been ended; or, when it had
 * been the first one of its binding, the next one may have its record now, and be over too. */
static void over_check(struct nat_owner *owner, uint32_t tick)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < owner->over_count; i++) {
		const struct nat_session *session = &owner->session[owner->over[i]];
		if (session->protocol != 0 && session_left(owner, session, tick) < 0)
			owner->over[kept++] = owner->over[i];
	}
	owner->over_count = kept;
}

/* Looks at the next ones, up to `end`, and then asks for all they touch, in a loop of its own (see fast_path.c). */
static void closings_ask(
	const struct nat_owner *owner, struct nat_closing *closing, uint32_t from, uint32_t end)
{
	for (uint32_t i = from; i < end; i++)
		nat_close_look(owner, owner->over[i], &closing[i]);
	for (uint32_t i = from; i < end; i++)
		for (uint32_t line = 0; line < NAT_CLOSING_LINES; line++)
			prefetch_far(closing[i].ahead[line]);
}

/* Ends those that are noted. How many. */
static uint32_t over_end(struct nat_owner *owner, uint32_t tick)
{
	struct nat_closing closing[NAT_OVER_MAX];
	uint32_t count = owner->over_count, asked = 0, done = 0, ended = 0;

	while (done < count) {
		uint32_t ask = RTE_MIN(count, asked + CLOSINGS_GROUP), end = ask < count ? asked : count;
		closings_ask(owner, closing, asked, ask);
		asked = ask;
		for (; done < end; done++)
			ended += nat_close_looked(owner, &closing[done]);
	}
	owner->counters.sessions_expired += ended;
	over_check(owner, tick);
	return ended;
}

/* The next parts, up to `slice`, until as many are noted as there is room for. How many parts. */
static uint32_t parts_look(struct nat_owner *owner, uint32_t slice, uint32_t tick)
{
	uint32_t looked = 0;

	for (; looked < slice && owner->over_count + NAT_PART_RECORDS <= NAT_OVER_MAX; looked++) {
		if ((int32_t)(tick - owner->quiet_until[owner->sweep_part]) >= 0)
			part_look(owner, owner->sweep_part, tick);
		owner->sweep_part = owner->sweep_part + 1 == owner->parts ? 0 : owner->sweep_part + 1;
	}
	return looked;
}

void nat_owner_expire(struct nat_owner *owner, uint32_t tick)
{
	uint32_t parts = owner->parts, elapsed = tick_age(tick, owner->sweep_tick), closed = 0;

	nat_ports_tick(&owner->ports, tick);
	nat_retired_poll(owner);
	if (elapsed > 0) {
		owner->sweep_tick = tick;
		owner->sweep_debt += (uint64_t)RTE_MIN(elapsed, NAT_SWEEP_TICKS) * parts;
		owner->sweep_debt = RTE_MIN(owner->sweep_debt, (uint64_t)parts * NAT_SWEEP_TICKS);
	}
	/* A busy lcore calls often, and what is due with a tick it does bit by bit; one that slept owes much, and has the
	 * time. */
	uint64_t due = owner->sweep_debt / NAT_SWEEP_TICKS;
	uint64_t share = due / (elapsed > 1 ? SHARE_RESTED : SHARE_BUSY);
	uint32_t slice = (uint32_t)RTE_MIN(RTE_MIN(due, RTE_MAX(share, 1u)), PARTS_MAX);
	if (unlikely(owner->over_count > 0))
		over_check(owner, tick);
	while ((slice > 0 || owner->over_count > 0) && closed < CLOSED_ENOUGH) {
		/* None is noted twice: of a round that comes before those of the last one are ended. */
		uint32_t looked = owner->over_count > 0 ? 0 : parts_look(owner, slice, tick);

		slice -= looked;
		owner->sweep_debt -= (uint64_t)looked * NAT_SWEEP_TICKS;
		if (owner->over_count > 0)
			closed += over_end(owner, tick);
	}
}
