/* SPDX-License-Identifier: BSD-3-Clause */
/* A set of free numbers 0..size-1 as a bitmap with levels of summary, 64 to one: taking the first free one at or
 * after a hint costs a handful of words, however full the pool is. One owner; the two questions at the end any thread may ask. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_POOL_MAX    (1u << 27)
#define ID_POOL_LEVELS 5 /* 64^4 ids need four, 64^5 would be the most */
#define ID_POOL_RUN    64
#define ID_NONE        UINT32_MAX

struct id_pool {
	uint64_t *level
		[ID_POOL_LEVELS]; /* a set bit is a free id, or a word below with a set bit; one allocation */
	uint32_t words[ID_POOL_LEVELS];
	uint32_t levels;
	uint32_t size;
	uint32_t free;
};

int id_pool_init(struct id_pool *pool, uint32_t size); /* all free; 0, -EINVAL or -ENOMEM */
void id_pool_destroy(struct id_pool *pool);
/* In memory of the caller's, id_pool_bytes of zeros, which it frees itself: such a pool is not destroyed. 0 or -EINVAL. */
int id_pool_init_in(struct id_pool *pool, uint32_t size, void *memory);
uint32_t id_pool_take(
	struct id_pool *pool, uint32_t hint); /* at or after hint, else from 0; ID_NONE when empty */
uint32_t id_pool_next(
	const struct id_pool *pool, uint32_t from); /* the one it would be, from `from` on only */
/* Where the state of an id stands, for who asks for that line ahead. */
static inline const uint64_t *id_pool_word(const struct id_pool *pool, uint32_t id)
{
	return &pool->level[0][id / 64];
}
/* The first free one whose bit is set in `among`, of the 64 * word to 64 * word + 63; ID_NONE when there is none. */
uint32_t id_pool_take_among(struct id_pool *pool, uint32_t word, uint64_t among);
bool id_pool_take_exact(struct id_pool *pool, uint32_t id); /* false when it is in use */
void id_pool_give(struct id_pool *pool, uint32_t id);       /* giving a free id back is a bug: asserted */
/* Gives back several of the ids 64 * word to 64 * word + 63, those whose bits are set: all in use, asserted. */
void id_pool_give_word(struct id_pool *pool, uint32_t word, uint64_t bits);
bool id_pool_is_free(const struct id_pool *pool, uint32_t id);
/* `id` starts a run of ID_POOL_RUN free ids: for who walks over the ids in use. */
bool id_pool_is_free_run(const struct id_pool *pool, uint32_t id);
size_t id_pool_bytes(uint32_t size);
