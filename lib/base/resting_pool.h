/* SPDX-License-Identifier: BSD-3-Clause */
/* An id pool whose ids rest before they are handed out again. Time comes as turns, each half of the rest. Ids given
 * back within a turn are marked in the bitmap of that turn, and all together become free once two whole turns have
 * passed: so an id rests for at least the rest and at most half longer, for one bit an id and turn, however many
 * rest. A resting id is not free: nobody gets it, but who names it (resting_pool_recall).
 * Not thread safe: one owner; the counts may be read by any thread. */
#pragma once

#include "base/id_pool.h"

#define RESTING_PARTS 2u
#define RESTING_TURNS (RESTING_PARTS + 1) /* the turn under way, and as many whole ones */

struct resting_pool {
	struct id_pool free;
	uint64_t *mark; /* [RESTING_TURNS][words of the lowest level]; NULL: nothing rests */
	uint32_t marked[RESTING_TURNS];
	uint32_t resting; /* of all turns */
	uint32_t turn;    /* that the pool has been brought to */
};

/* All ids are free. `rests`: false makes it an id pool. 0, -EINVAL or -ENOMEM. */
int resting_pool_init(struct resting_pool *pool, uint32_t size, bool rests);
void resting_pool_destroy(struct resting_pool *pool);
/* In memory of the caller's, resting_pool_bytes of zeros, which it frees itself: such a pool is not destroyed. 0 or -EINVAL. */
int resting_pool_init_in(struct resting_pool *pool, uint32_t size, bool rests, void *memory);
size_t resting_pool_bytes(uint32_t size, bool rests);

/* Brings the pool to `turn`; returns how many ids have become free by that. Turns are compared by their difference. */
uint32_t resting_pool_advance(struct resting_pool *pool, uint32_t turn);
/* How many that would be. */
uint32_t resting_pool_due(const struct resting_pool *pool, uint32_t turn);
/* Which words resting_pool_give will touch, for who asks for their lines ahead. */
static inline void resting_pool_give_words(const struct resting_pool *pool, uint32_t id, const void *word[2])
{
	word[0] = word[1] = id_pool_word(&pool->free, id);
	if (pool->mark != NULL)
		word[1] = &pool->mark[(size_t)(pool->turn % RESTING_TURNS) * pool->free.words[0] + id / 64];
}
/* The id begins its rest; without rests it is free at once. */
void resting_pool_give(struct resting_pool *pool, uint32_t id);
/* Ends the rest of an id early, for who has it from now on. False: it does not rest. */
bool resting_pool_recall(struct resting_pool *pool, uint32_t id);
bool resting_pool_rests(const struct resting_pool *pool, uint32_t id);
