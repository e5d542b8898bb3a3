/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of virtual reassembly alone: what passes, waits and goes, in any order, within its bounds. */
#include "base/clock.h"
#include "eal_fixture.h"
#include "table/fragment_table.h"
#include <criterion/criterion.h>
#include <rte_common.h>
#include <stdlib.h>

#define PORTS 0x12345678u

static const struct flow_hash_key key = { { 1, 3, 5, 7 } };

struct fake { /* a packet as the table sees it */
	struct rte_mbuf m;
	struct packet_metadata meta;
};
static struct fake fakes[4096];
static unsigned fakes_used;

static struct rte_mbuf *packet(void)
{
	struct rte_mbuf *m = &fakes[fakes_used++ % RTE_DIM(fakes)].m;

	m->data_len = 100;
	return m;
}

static struct fragment_table *table_make(uint32_t entries)
{
	eal_start();
	struct fragment_table *table = fragment_table_create(entries, &key);
	cr_assert_not_null(table);
	return table;
}

static struct fragment piece(uint16_t id, uint16_t from, uint16_t to, bool last)
{
	return (struct fragment){ .source = RTE_BE32(0x0a000001),
		.destination = RTE_BE32(0x0a000002),
		.id = id,
		.protocol = 17,
		.last = last,
		.from = from,
		.to = to,
		.ports = from == 0 ? PORTS : 0 };
}

static enum fragment_result take(struct fragment_table *table, struct fragment fragment, uint32_t now)
{
	uint32_t ports = 0;
	enum fragment_result result = fragment_table_take(table, &fragment, packet(), now, &ports);

	if (result == FRAGMENT_PASSES)
		cr_assert_eq(ports, PORTS);
	return result;
}

static unsigned released(struct fragment_table *table)
{
	unsigned count = 0;
	struct rte_mbuf *m;

	for (; (m = fragment_table_release(table)) != NULL; count++)
		cr_assert_eq(packet_metadata(m)->ports, PORTS);
	return count;
}

static unsigned discarded(struct fragment_table *table, enum fragment_discard of)
{
	enum fragment_discard why;
	unsigned count = 0;

	while (fragment_table_discard(table, &why) != NULL)
		count += why == of;
	return count;
}

/* All orders of a datagram in 20 pieces that a shuffle brings, a thousand times: none passes before the first, all pass
 * in the end, and nothing is left. */
Test(fragment_table, a_datagram_passes_in_any_order_and_is_forgotten)
{
	struct fragment_table *table = table_make(64);
	unsigned seed = 4963;

	for (uint16_t id = 0; id < 1000; id++) {
		uint16_t order[20];
		unsigned passed = 0;
		bool first = false;

		for (uint16_t i = 0; i < 20; i++)
			order[i] = i;
		for (int i = 19; i > 0; i--) {
			int j = rand_r(&seed) % (i + 1);
			uint16_t swap = order[i];
			order[i] = order[j];
			order[j] = swap;
		}
		for (int i = 0; i < 20; i++) {
			uint16_t at = order[i];
			first |= at == 0;
			enum fragment_result result = take(table,
				piece(id, (uint16_t)(at * 185), (uint16_t)(at * 185 + 185), at == 19), 1);
			cr_assert_eq(result, first ? FRAGMENT_PASSES : FRAGMENT_WAITS);
			passed += result == FRAGMENT_PASSES;
		}
		cr_assert_eq(passed + released(table), 20);
		cr_assert_eq(fragment_table_datagrams(table), 0);
		cr_assert_eq(fragment_table_waiting(table), 0);
	}
	fragment_table_destroy(table);
}

Test(fragment_table, no_byte_passes_twice_and_none_beyond_the_last)
{
	struct fragment_table *table = table_make(64);

	cr_assert_eq(take(table, piece(1, 0, 10, false), 1), FRAGMENT_PASSES);
	cr_assert_eq(take(table, piece(1, 0, 10, false), 1), FRAGMENT_OVERLAPS);
	cr_assert_eq(take(table, piece(1, 9, 20, false), 1), FRAGMENT_OVERLAPS);
	cr_assert_eq(take(table, piece(1, 30, 40, true), 1), FRAGMENT_PASSES);
	cr_assert_eq(take(table, piece(1, 40, 50, false), 1), FRAGMENT_OVERLAPS, "beyond the last");
	cr_assert_eq(take(table, piece(1, 20, 25, true), 1), FRAGMENT_OVERLAPS, "a second last");
	cr_assert_eq(take(table, piece(1, 5, 35, false), 1), FRAGMENT_OVERLAPS);
	cr_assert_eq(take(table, piece(1, 10, 30, false), 1), FRAGMENT_PASSES);
	cr_assert_eq(fragment_table_datagrams(table), 0);
	cr_assert_eq(take(table, piece(2, 0, 10, false), 1), FRAGMENT_PASSES);
	cr_assert_eq(take(table, piece(2, 20, 30, false), 1), FRAGMENT_PASSES);
	cr_assert_eq(take(table, piece(2, 10, 15, true), 1), FRAGMENT_OVERLAPS, "a last before another");
	fragment_table_destroy(table);
}

Test(fragment_table, time_runs_out_for_the_first_fragment_and_for_the_rest)
{
	struct fragment_table *table = table_make(64);

	take(table, piece(1, 10, 20, false), 100);
	take(table, piece(2, 0, 10, false), 100);
	cr_assert_not(fragment_table_expire(table, 100 + FRAGMENT_WAIT_S * TICKS_PER_S - 1));
	cr_assert(fragment_table_expire(table, 100 + FRAGMENT_WAIT_S * TICKS_PER_S));
	cr_assert_eq(discarded(table, FRAGMENT_TIMED_OUT), 1);
	cr_assert_eq(fragment_table_datagrams(table), 1);
	cr_assert_not(fragment_table_expire(table, 100 + FRAGMENT_LIFE_S * TICKS_PER_S));
	cr_assert_eq(fragment_table_datagrams(table), 0);
	fragment_table_destroy(table);
}

Test(fragment_table, pieces_beyond_count_have_no_room)
{
	struct fragment_table *table = table_make(1024);

	take(table, piece(1, 0, 1, false), 1);
	for (uint16_t i = 1; i < 24; i++)
		cr_assert_eq(take(table, piece(1, (uint16_t)(i * 2), (uint16_t)(i * 2 + 1), false), 1),
			FRAGMENT_PASSES);
	cr_assert_eq(take(table, piece(1, 48, 49, false), 1), FRAGMENT_NO_ROOM);
	cr_assert_eq(take(table, piece(1, 47, 48, false), 1), FRAGMENT_PASSES, "it joins another");
	fragment_table_destroy(table);
}

/* A flood of first fragments drops nothing: that it pushes others out shows in this number alone. */
Test(fragment_table, datagrams_that_pass_and_make_room_for_newer_ones_are_counted)
{
	struct fragment_table *table = table_make(64);

	for (uint16_t i = 0; i < 32 + 5; i++) {
		struct fragment first = piece(i, 0, 10, false);
		first.source = i; /* one source has a share only */
		cr_assert_eq(take(table, first, 1), FRAGMENT_PASSES);
		cr_assert_eq(fragment_table_forgotten(table), i < 32 ? 0 : i - 31);
	}
	for (uint16_t i = 0; i < 64; i++) {
		struct fragment later = piece(i, 10, 20, false);
		later.source = 1000 + i;
		cr_assert_eq(take(table, later, 1), FRAGMENT_WAITS);
	}
	cr_assert_eq(fragment_table_forgotten(table), 5, "packets that waited are counted as drops");
	fragment_table_destroy(table);
}

/* Whatever comes, the bounds hold, and every packet is released, discarded, refused or waits. */
Test(fragment_table, random_fragments_stay_within_the_bounds_and_none_is_lost)
{
	struct fragment_table *table = table_make(256);
	unsigned seed = 1858;
	uint32_t waits = 0, out = 0;

	for (uint32_t n = 0; n < 300000; n++) {
		struct fragment fragment = piece((uint16_t)(rand_r(&seed) % 200),
			(uint16_t)(rand_r(&seed) % 4 * 10), 0, rand_r(&seed) % 8 == 0);

		fragment.to = (uint16_t)(fragment.from + 10);
		fragment.ports = PORTS;
		fragment.source = (uint32_t)rand_r(&seed) % 50;
		waits += take(table, fragment, n / 100) == FRAGMENT_WAITS;
		if (n % 64 == 0 && fragment_table_expire(table, n / 100)) {
			out += released(table);
			enum fragment_discard why;
			while (fragment_table_discard(table, &why) != NULL)
				out++;
		}
		cr_assert_leq(fragment_table_datagrams(table), 256);
		cr_assert_eq(fragment_table_waiting(table), waits - out);
		cr_assert_leq(waits - out, FRAGMENT_WAITING_PACKETS + 2 * 64);
	}
	fragment_table_expire(table, 300000 / 100 + FRAGMENT_LIFE_S * TICKS_PER_S + 1);
	cr_assert_eq(fragment_table_datagrams(table), 0);
	enum fragment_discard why;
	while (fragment_table_discard(table, &why) != NULL || fragment_table_release(table) != NULL)
		out++;
	cr_assert_eq(out, waits);
	fragment_table_destroy(table);
}
