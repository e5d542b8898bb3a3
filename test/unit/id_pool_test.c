/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/id_pool.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

static const uint32_t sizes[] = { 1, 2, 63, 64, 65, 4095, 4096, 4097, 64512, 262144, 262145 };
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

Test(id_pool, gives_out_every_id_once_and_then_none)
{
	for (size_t s = 0; s < SIZES; s++) {
		struct id_pool pool;
		bool *seen = calloc(sizes[s], sizeof(*seen));

		cr_assert_eq(id_pool_init(&pool, sizes[s]), 0);
		for (uint32_t i = 0; i < sizes[s]; i++) {
			uint32_t id = id_pool_take(&pool, (uint32_t)random() % (sizes[s] + 70));
			cr_assert_lt(id, sizes[s]);
			cr_assert_not(seen[id], "id %u twice", id);
			seen[id] = true;
		}
		cr_assert_eq(pool.free, 0);
		cr_assert_eq(id_pool_take(&pool, 0), ID_NONE);
		cr_assert_eq(id_pool_take(&pool, sizes[s] - 1), ID_NONE);
		id_pool_give(&pool, sizes[s] - 1);
		cr_assert_eq(id_pool_take(&pool, 0), sizes[s] - 1);
		id_pool_destroy(&pool);
		free(seen);
	}
}

Test(id_pool, takes_the_first_free_one_after_the_hint_and_wraps)
{
	struct id_pool pool;

	cr_assert_eq(id_pool_init(&pool, 10000), 0);
	cr_assert_eq(id_pool_take(&pool, 5000), 5000);
	cr_assert_eq(id_pool_take(&pool, 5000), 5001);
	cr_assert_eq(id_pool_take(&pool, 9999), 9999);
	cr_assert_eq(id_pool_take(&pool, 9999), 0);
	for (uint32_t i = 1; i < 9000; i++)
		id_pool_take_exact(&pool, i);
	cr_assert_eq(id_pool_take(&pool, 1), 9000);
	id_pool_destroy(&pool);
}

Test(id_pool, an_exact_id_is_given_once_until_it_is_back)
{
	struct id_pool pool;

	cr_assert_eq(id_pool_init(&pool, 100), 0);
	cr_assert(id_pool_take_exact(&pool, 42));
	cr_assert_not(id_pool_take_exact(&pool, 42));
	cr_assert_not(id_pool_is_free(&pool, 42));
	cr_assert_not(id_pool_take_exact(&pool, 100), "beyond the end");
	id_pool_give(&pool, 42);
	cr_assert(id_pool_take_exact(&pool, 42));
	id_pool_destroy(&pool);
}

Test(id_pool, agrees_with_a_plain_array_over_random_operations)
{
	enum { SIZE = 5000, STEPS = 300000 };
	static bool used[SIZE];
	struct id_pool pool;
	uint32_t free_ids = SIZE;

	srandom(7);
	cr_assert_eq(id_pool_init(&pool, SIZE), 0);
	for (int step = 0; step < STEPS; step++) {
		uint32_t hint = (uint32_t)random() % SIZE, expected = ID_NONE;

		/* long phases of filling and of emptying, so that both ends are reached */
		if ((uint32_t)random() % 10 < (step / 20000 % 2 ? 2u : 8u)) {
			for (uint32_t i = 0; i < SIZE && expected == ID_NONE; i++)
				if (!used[(hint + i) % SIZE])
					expected = (hint + i) % SIZE;
			cr_assert_eq(id_pool_take(&pool, hint), expected);
			if (expected != ID_NONE)
				used[expected] = true, free_ids--;
		} else if (used[hint]) {
			id_pool_give(&pool, hint);
			used[hint] = false, free_ids++;
		}
		cr_assert_eq(pool.free, free_ids);
		cr_assert_eq(id_pool_is_free(&pool, hint), !used[hint]);
	}
	id_pool_destroy(&pool);
}

Test(id_pool, refuses_sizes_it_cannot_hold)
{
	struct id_pool pool;

	cr_assert_eq(id_pool_init(&pool, 0), -EINVAL);
	cr_assert_eq(id_pool_init(&pool, ID_POOL_MAX + 1), -EINVAL);
	cr_assert_eq(id_pool_init(&pool, ID_POOL_MAX), 0);
	cr_assert_eq(id_pool_take(&pool, ID_POOL_MAX - 1), ID_POOL_MAX - 1);
	cr_assert_eq(id_pool_bytes(ID_POOL_MAX), (2097152 + 32768 + 512 + 8 + 1) * sizeof(uint64_t));
	id_pool_destroy(&pool);
}

Test(id_pool, tells_runs_of_free_ids_apart)
{
	struct id_pool pool;

	cr_assert_eq(id_pool_init(&pool, 3 * ID_POOL_RUN - 1), 0);
	cr_assert(id_pool_take_exact(&pool, ID_POOL_RUN - 1));
	cr_assert_not(id_pool_is_free_run(&pool, 0), "its last id is taken");
	cr_assert(id_pool_is_free_run(&pool, ID_POOL_RUN));
	cr_assert_not(id_pool_is_free_run(&pool, ID_POOL_RUN + 1), "no run starts there");
	cr_assert_not(id_pool_is_free_run(&pool, 2 * ID_POOL_RUN), "the pool ends within it");
	cr_assert_not(id_pool_is_free_run(&pool, 3 * ID_POOL_RUN), "beyond the pool");
	id_pool_destroy(&pool);
}

Test(id_pool, takes_the_first_one_among_those_of_a_word)
{
	struct id_pool pool;

	cr_assert_eq(id_pool_init(&pool, 100), 0);
	cr_assert_eq(id_pool_take_among(&pool, 1, UINT64_C(0xf0)), 64u + 4);
	cr_assert_eq(id_pool_take_among(&pool, 1, UINT64_C(0x30)), 64u + 5);
	cr_assert_eq(id_pool_take_among(&pool, 1, UINT64_C(0x30)), ID_NONE);
	cr_assert_eq(id_pool_take_among(&pool, 1, UINT64_C(1) << 63), ID_NONE, "beyond the end");
	cr_assert_eq(pool.free, 98);
	cr_assert(!id_pool_is_free(&pool, 68));
	id_pool_give(&pool, 68);
	cr_assert_eq(id_pool_take_among(&pool, 1, UINT64_MAX), 64u);
	id_pool_destroy(&pool);
}
