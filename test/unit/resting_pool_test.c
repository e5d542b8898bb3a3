/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers that rest, against a list of when each was given back. */
#include "base/resting_pool.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 1000, STEPS = 300000, FREE = -2, TAKEN = -1 };

struct model {
	int64_t given[SIZE]; /* turn, FREE or TAKEN */
	uint32_t turn, free, resting;
};

static void model_turn(struct model *model, uint32_t turn)
{
	model->turn = turn;
	for (int id = 0; id < SIZE; id++)
		if (model->given[id] >= 0 && turn >= (uint32_t)model->given[id] + RESTING_TURNS) {
			model->given[id] = FREE;
			model->free++;
			model->resting--;
		}
}

/* One random step: time passes, a number is taken, recalled or given back. */
static void step(struct resting_pool *pool, struct model *model, unsigned *seed)
{
	uint32_t id = (uint32_t)rand_r(seed) % SIZE;

	switch (rand_r(seed) % 8) {
	case 0: {
		uint32_t turn = model->turn + (rand_r(seed) % 8 == 0 ? (uint32_t)rand_r(seed) % 20 : 1),
			 free = model->free;
		model_turn(model, turn);
		cr_assert_eq(resting_pool_due(pool, turn), model->free - free);
		cr_assert_eq(resting_pool_advance(pool, turn), model->free - free);
		break;
	}
	case 1:
		cr_assert_eq(resting_pool_rests(pool, id), model->given[id] >= 0);
		if (resting_pool_recall(pool, id)) {
			cr_assert_geq(model->given[id], 0);
			model->given[id] = TAKEN;
			model->resting--;
		} else {
			cr_assert_lt(model->given[id], 0);
		}
		break;
	case 2:
	case 3:
	case 4:
		id = id_pool_take(&pool->free, id);
		cr_assert_eq(id == ID_NONE, model->free == 0);
		if (id != ID_NONE) {
			cr_assert_eq(model->given[id], FREE, "%u was not free", id);
			model->given[id] = TAKEN;
			model->free--;
		}
		break;
	default:
		if (model->given[id] != TAKEN)
			break;
		resting_pool_give(pool, id);
		model->given[id] = model->turn;
		model->resting++;
	}
}

Test(resting_pool, a_number_is_free_again_after_its_whole_turns_and_not_before)
{
	struct resting_pool pool;
	struct model model = { .free = SIZE };
	unsigned seed = 7;

	for (int id = 0; id < SIZE; id++)
		model.given[id] = FREE;
	cr_assert_eq(resting_pool_init(&pool, SIZE, true), 0);
	for (int i = 0; i < STEPS; i++) {
		step(&pool, &model, &seed);
		cr_assert_eq(pool.free.free, model.free);
		cr_assert_eq(pool.resting, model.resting);
	}
	resting_pool_destroy(&pool);
}

Test(resting_pool, without_rests_a_number_is_free_at_once)
{
	struct resting_pool pool;

	cr_assert_eq(resting_pool_init(&pool, 1, false), 0);
	cr_assert_eq(id_pool_take(&pool.free, 0), 0);
	resting_pool_give(&pool, 0);
	cr_assert_eq(id_pool_take(&pool.free, 0), 0);
	resting_pool_destroy(&pool);
}
