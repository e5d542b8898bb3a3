/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/id_pool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define WORD_BITS 64u

/* How many levels there are, and how many words each has. */
static uint32_t id_pool_shape(uint32_t size, uint32_t words[ID_POOL_LEVELS])
{
	uint32_t levels = 0, bits = size;

	do {
		bits = (bits + WORD_BITS - 1) / WORD_BITS;
		words[levels++] = bits;
	} while (bits > 1);
	return levels;
}

size_t id_pool_bytes(uint32_t size)
{
	uint32_t words[ID_POOL_LEVELS], levels;
	size_t bytes = 0;

	if (size == 0 || size > ID_POOL_MAX)
		return 0;
	levels = id_pool_shape(size, words);
	for (uint32_t i = 0; i < levels; i++)
		bytes += words[i] * sizeof(uint64_t);
	return bytes;
}

int id_pool_init_in(struct id_pool *pool, uint32_t size, void *memory)
{
	uint64_t *word = memory;

	if (size == 0 || size > ID_POOL_MAX)
		return -EINVAL;
	*pool = (struct id_pool){ .size = size, .free = size };
	pool->levels = id_pool_shape(size, pool->words);
	for (uint32_t i = 0, bits = size; i < pool->levels; bits = pool->words[i++]) {
		pool->level[i] = word;
		word += pool->words[i];
		for (uint32_t w = 0; w < bits / WORD_BITS; w++)
			pool->level[i][w] = UINT64_MAX;
		if (bits % WORD_BITS)
			pool->level[i][bits / WORD_BITS] = (UINT64_C(1) << bits % WORD_BITS) - 1;
	}
	return 0;
}

int id_pool_init(struct id_pool *pool, uint32_t size)
{
	if (size == 0 || size > ID_POOL_MAX)
		return -EINVAL;
	void *memory = calloc(1, id_pool_bytes(size));
	return memory == NULL ? -ENOMEM : id_pool_init_in(pool, size, memory);
}

void id_pool_destroy(struct id_pool *pool)
{
	free(pool->level[0]);
	*pool = (struct id_pool){ 0 };
}

/* Another thread may look too: one aligned word, of some recent moment. */
static uint64_t word_of(const struct id_pool *pool, uint32_t id)
{
	return __atomic_load_n(&pool->level[0][id / WORD_BITS], __ATOMIC_RELAXED);
}

bool id_pool_is_free(const struct id_pool *pool, uint32_t id)
{
	return id < pool->size && (word_of(pool, id) >> id % WORD_BITS & 1);
}

bool id_pool_is_free_run(const struct id_pool *pool, uint32_t id)
{
	return id % WORD_BITS == 0 && id < pool->size && word_of(pool, id) == UINT64_MAX;
}

/* Climb until a word has a set bit at or after the position, then descend by the first set bits. */
uint32_t id_pool_next(const struct id_pool *pool, uint32_t position)
{
	uint32_t level = 0;

	for (;;) {
		uint32_t word = position / WORD_BITS;
		uint64_t bits;

		if (word >= pool->words[level])
			return ID_NONE;
		bits = pool->level[level][word] & UINT64_MAX << position % WORD_BITS;
		if (bits != 0) {
			position = word * WORD_BITS + (uint32_t)__builtin_ctzll(bits);
			break;
		}
		if (++level == pool->levels)
			return ID_NONE;
		position = word + 1;
	}
	while (level-- > 0)
		position = position * WORD_BITS + (uint32_t)__builtin_ctzll(pool->level[level][position]);
	return position;
}

/* Takes bits of a word of the lowest level that are all set. */
static void id_pool_clear(struct id_pool *pool, uint32_t word, uint64_t bits)
{
	uint64_t left = pool->level[0][word] &= ~bits;

	for (uint32_t i = 1; left == 0 && i < pool->levels; i++) {
		uint64_t *above = &pool->level[i][word / WORD_BITS];

		left = *above &= ~(UINT64_C(1) << word % WORD_BITS);
		word /= WORD_BITS;
	}
}

uint32_t id_pool_take_among(struct id_pool *pool, uint32_t word, uint64_t among)
{
	uint64_t bits = pool->level[0][word] & among;

	if (bits == 0)
		return ID_NONE;
	pool->free--;
	id_pool_clear(pool, word, bits & -bits);
	return word * WORD_BITS + (uint32_t)__builtin_ctzll(bits);
}

bool id_pool_take_exact(struct id_pool *pool, uint32_t id)
{
	return id < pool->size &&
	       id_pool_take_among(pool, id / WORD_BITS, UINT64_C(1) << id % WORD_BITS) != ID_NONE;
}

uint32_t id_pool_take(struct id_pool *pool, uint32_t hint)
{
	uint32_t id = id_pool_next(pool, hint);

	if (id == ID_NONE && hint != 0)
		id = id_pool_next(pool, 0);
	if (id == ID_NONE)
		return ID_NONE;
	pool->free--;
	id_pool_clear(pool, id / WORD_BITS, UINT64_C(1) << id % WORD_BITS);
	return id;
}

void id_pool_give_word(struct id_pool *pool, uint32_t word, uint64_t bits)
{
	uint64_t before = pool->level[0][word];

	assert((before & bits) == 0);
	pool->level[0][word] |= bits;
	pool->free += (uint32_t)__builtin_popcountll(bits);
	for (uint32_t i = 1; before == 0 && i < pool->levels; i++) {
		uint64_t *above = &pool->level[i][word / WORD_BITS];

		before = *above;
		*above |= UINT64_C(1) << word % WORD_BITS;
		word /= WORD_BITS;
	}
}

void id_pool_give(struct id_pool *pool, uint32_t id)
{
	assert(id < pool->size);
	id_pool_give_word(pool, id / WORD_BITS, UINT64_C(1) << id % WORD_BITS);
}
