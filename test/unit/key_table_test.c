/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal_fixture.h"
#include "packet/packet_metadata.h"
#include "table/key_table.h"
#include <errno.h>
#include <stdlib.h>

TestSuite(key_table, .init = eal_start);

Test(key_table, finds_every_key_up_to_its_capacity_and_none_that_is_not_there)
{
	enum { KEYS = 20000 };
	struct key_table *table = key_table_create(KEYS);

	for (uint64_t key = 1; key <= KEYS; key++)
		cr_assert_eq(key_table_insert(table, key * 0x100000001, (uint32_t)key), 0, "key %lu", key);
	for (uint64_t key = 1; key <= KEYS; key++)
		cr_assert_eq(key_table_find(table, key * 0x100000001), key);
	for (uint64_t key = KEYS + 1; key <= 2 * KEYS; key++)
		cr_assert_eq(key_table_find(table, key * 0x100000001), INDEX_NONE);
	key_table_destroy(table);
}

Test(key_table, takes_as_many_as_it_was_made_for_whatever_the_seed_of_its_hash)
{
	enum { TABLES = 4000, KEYS = 250 };

	for (unsigned i = 0; i < TABLES; i++) {
		struct key_table *table = key_table_create(KEYS);

		for (uint32_t host = 0; host < KEYS;
			host++) /* neighbouring addresses, as in a rule for each */
			cr_assert_eq(
				key_table_insert(table, (uint64_t)1 << 32 | rte_cpu_to_be_32(host), host), 0,
				"key %u of table %u", host, i);
		for (uint32_t host = 0; host < KEYS; host++)
			cr_assert_eq(key_table_find(table, (uint64_t)1 << 32 | rte_cpu_to_be_32(host)), host);
		for (uint32_t host = 0; host < KEYS; host++)
			cr_assert_eq(key_table_remove(table, (uint64_t)1 << 32 | rte_cpu_to_be_32(host)), 0);
		cr_assert_eq(table->count, 0);
		for (uint32_t bucket = 0; bucket <= table->mask; bucket++)
			cr_assert_eq(table->bucket[bucket].overflowed, 0);
		key_table_destroy(table);
	}
}

Test(key_table, refuses_a_key_twice_and_keeps_the_first_value)
{
	struct key_table *table = key_table_create(16);

	cr_assert_eq(key_table_insert(table, 7, 70), 0);
	cr_assert_eq(key_table_insert(table, 7, 71), -EEXIST);
	cr_assert_eq(key_table_find(table, 7), 70);
	key_table_destroy(table);
}

Test(key_table, refuses_what_does_not_fit_and_keeps_what_is_there)
{
	struct key_table *table = key_table_create(4);
	uint64_t key = 1;

	while (key_table_insert(table, key, (uint32_t)key) == 0)
		cr_assert_lt(key++, 1000u, "a table for four took a thousand");
	cr_assert_gt(key, 4u);
	for (uint64_t there = 1; there < key; there++)
		cr_assert_eq(key_table_find(table, there), there);
	cr_assert_eq(table->count, key - 1);
	cr_assert_eq(key_table_remove(table, 1), 0);
	cr_assert_eq(key_table_remove(table, 1), -ENOENT);
	key_table_destroy(table);
}

/* Against a plain array, long enough that both buckets of many keys fill and empty. */
Test(key_table, agrees_with_a_plain_array_over_random_insertions_and_removals)
{
	enum { SPACE = 4096, STEPS = 400000 };
	struct key_table *table = key_table_create(SPACE / 2);
	static uint32_t expected[SPACE + 1];
	unsigned seed = 20260101, there = 0;

	for (int step = 0; step < STEPS; step++) {
		uint32_t key = 1 + (uint32_t)rand_r(&seed) % SPACE,
			 value = 1 + (uint32_t)rand_r(&seed) % 1000000;
		if (rand_r(&seed) % 2 == 0) {
			int status = key_table_insert(table, key, value);
			cr_assert_eq(status == -EEXIST, expected[key] != 0);
			if (status == 0)
				expected[key] = value, there++;
		} else {
			cr_assert_eq(key_table_remove(table, key) == 0, expected[key] != 0);
			there -= expected[key] != 0;
			expected[key] = 0;
		}
		uint32_t other = 1 + (uint32_t)rand_r(&seed) % SPACE;
		cr_assert_eq(key_table_find(table, other),
			expected[other] != 0 ? expected[other] : INDEX_NONE, "step %d, key %u, seed 20260101",
			step, other);
	}
	cr_assert_eq(table->count, there);
	key_table_destroy(table);
}
