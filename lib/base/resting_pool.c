/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/resting_pool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define WORD_BITS 64u

static uint32_t words_of(uint32_t size)
{
	return (size + WORD_BITS - 1) / WORD_BITS;
}

size_t resting_pool_bytes(uint32_t size, bool rests)
{
	return id_pool_bytes(size) + (rests ? (size_t)RESTING_TURNS * words_of(size) * sizeof(uint64_t) : 0);
}

int resting_pool_init(struct resting_pool *pool, uint32_t size, bool rests)
{
	int status;

	*pool = (struct resting_pool){ 0 };
	status = id_pool_init(&pool->free, size);
	if (status < 0 || !rests)
		return status;
	pool->mark = calloc((size_t)RESTING_TURNS * words_of(size), sizeof(*pool->mark));
	if (pool->mark == NULL) {
		resting_pool_destroy(pool);
		return -ENOMEM;
	}
	return 0;
}

int resting_pool_init_in(struct resting_pool *pool, uint32_t size, bool rests, void *memory)
{
	*pool = (struct resting_pool){ 0 };
	if (rests)
		pool->mark = (uint64_t *)memory + id_pool_bytes(size) / sizeof(uint64_t);
	return id_pool_init_in(&pool->free, size, memory);
}

void resting_pool_destroy(struct resting_pool *pool)
{
	id_pool_destroy(&pool->free);
	free(pool->mark);
	*pool = (struct resting_pool){ 0 };
}

static uint64_t *marks_of(const struct resting_pool *pool, uint32_t turn)
{
	return pool->mark + (size_t)(turn % RESTING_TURNS) * pool->free.words[0];
}

/* The rest of what was given back in the turn that had this turn's bitmap before is over. */
static uint32_t turn_begin(struct resting_pool *pool, uint32_t turn)
{
	uint64_t *mark = marks_of(pool, turn);
	uint32_t *marked = &pool->marked[turn % RESTING_TURNS], freed = *marked;

	for (uint32_t word = 0; *marked > 0; word++) {
		if (mark[word] == 0)
			continue;
		id_pool_give_word(&pool->free, word, mark[word]);
		*marked -= (uint32_t)__builtin_popcountll(mark[word]);
		mark[word] = 0;
	}
	pool->resting -= freed;
	return freed;
}

uint32_t resting_pool_advance(struct resting_pool *pool, uint32_t turn)
{
	uint32_t passed = turn - pool->turn, freed = 0;

	/* Bitmaps are found by the turn modulo their number: over a gap, all of them have their turn once. */
	for (uint32_t i = 1; i <= RESTING_TURNS && i <= passed; i++)
		freed += turn_begin(pool, passed <= RESTING_TURNS ? pool->turn + i : i);
	pool->turn = turn;
	return freed;
}

uint32_t resting_pool_due(const struct resting_pool *pool, uint32_t turn)
{
	uint32_t passed = turn - pool->turn, due = 0;

	for (uint32_t i = 1; i <= RESTING_TURNS && i <= passed; i++)
		due += pool->marked[(passed <= RESTING_TURNS ? pool->turn + i : i) % RESTING_TURNS];
	return due;
}

void resting_pool_give(struct resting_pool *pool, uint32_t id)
{
	uint64_t bit = UINT64_C(1) << id % WORD_BITS;

	if (pool->mark == NULL) {
		id_pool_give(&pool->free, id);
		return;
	}
	uint64_t *word = &marks_of(pool, pool->turn)[id / WORD_BITS];
	assert(id < pool->free.size && !id_pool_is_free(&pool->free, id) && !(*word & bit));
	*word |= bit;
	pool->marked[pool->turn % RESTING_TURNS]++;
	pool->resting++;
}

/* The turn whose bitmap has the id, or RESTING_TURNS. */
static uint32_t turn_of(const struct resting_pool *pool, uint32_t id)
{
	uint32_t turn = 0;

	if (pool->resting == 0 || id >= pool->free.size)
		return RESTING_TURNS;
	while (turn < RESTING_TURNS && !(marks_of(pool, turn)[id / WORD_BITS] >> id % WORD_BITS & 1))
		turn++;
	return turn;
}

bool resting_pool_rests(const struct resting_pool *pool, uint32_t id)
{
	return turn_of(pool, id) < RESTING_TURNS;
}

bool resting_pool_recall(struct resting_pool *pool, uint32_t id)
{
	uint32_t turn = turn_of(pool, id);

	if (turn == RESTING_TURNS)
		return false;
	marks_of(pool, turn)[id / WORD_BITS] &= ~(UINT64_C(1) << id % WORD_BITS);
	pool->marked[turn]--;
	pool->resting--;
	return true;
}
