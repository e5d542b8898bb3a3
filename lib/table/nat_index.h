/* SPDX-License-Identifier: BSD-3-Clause */
/* The hash index of an owner's sessions: a 64-bit keyed hash to a session number.
 *
 * A bucket is one cache line of fifteen words, compared all at once: a word has a session number in its lower bits, as many as
 * the numbers of the table need, and in the others a tag. So a million sessions have tags of eleven bits in six megabytes,
 * which stay in the cache of the third level when their records do not; the more sessions, the shorter the tags, and the more
 * often the first candidate is another one: of a million sessions for 3 in 1000, of ten for 2 in 100, of 64 for 17 in 100. A
 * hash has a first and a second bucket; entries go to the first while it has room, so that a lookup nearly always touches one
 * line, and a count of those that had to go elsewhere says when the second is worth a look. When both are full, one entry of
 * either is moved to its own other bucket: that fills the table to more than nine tenths. The other bucket is computed from
 * the bucket and the tag alone, so moving reads no session.
 *
 * The index does not know keys: a match is a candidate, and the caller compares the session. The hash must not be one
 * that outsiders can aim (packet/flow_hash.h). One thread writes: the owner. Others may read meanwhile: a word is whole, each number
 * in it one of the table's, and an entry on its way from bucket to bucket is not found. */
#pragma once

#include "packet/flow_hash.h"
#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#define NAT_INDEX_SLOTS 15u

struct nat_bucket {
	uint32_t word[NAT_INDEX_SLOTS]; /* 0: free; no tag is 0 */
	uint16_t away;                  /* bit i: this is the second bucket of the entry in slot i */
	uint16_t overflow;              /* entries whose first bucket this is and that are in their second */
} __rte_cache_aligned;
_Static_assert(sizeof(struct nat_bucket) == 64, "one cache line");

struct nat_index {
	struct nat_bucket *bucket;
	uint32_t buckets;
	uint32_t entries;
	uint32_t number_mask; /* the bits of a word that are the number, the lower ones */
};

/* For so many entries, of numbers below `numbers`. 0, -EINVAL or -ENOMEM. */
int nat_index_init(struct nat_index *index, uint64_t entries, uint32_t numbers);
struct memory_need nat_index_need(uint64_t entries);
void nat_index_destroy(struct nat_index *index);
size_t nat_index_bytes(const struct nat_index *index);

int nat_index_insert(struct nat_index *index, uint64_t hash, uint32_t number); /* 0 or -ENOSPC */
void nat_index_remove(
	struct nat_index *index, uint64_t hash, uint32_t number); /* it must be there: asserted */

/* As it stands in a word. */
static inline uint32_t nat_index_tag(const struct nat_index *index, uint64_t hash)
{
	uint32_t tag = (uint32_t)hash & ~index->number_mask;

	return tag != 0 ? tag : index->number_mask + 1;
}

static inline uint32_t nat_index_scale(const struct nat_index *index, uint32_t random)
{
	return (uint32_t)((uint64_t)random * index->buckets >> 32);
}

static inline const struct nat_bucket *nat_index_first(const struct nat_index *index, uint64_t hash)
{
	return &index->bucket[flow_hash_scale(hash, index->buckets)];
}

/* The other bucket of an entry with this tag: its second when given its first, its first when given its second. */
static inline const struct nat_bucket *nat_index_other(
	const struct nat_index *index, const struct nat_bucket *bucket, uint32_t tag)
{
	/* The tag is in the upper bits, of which a product keeps the lower ones: halves change places before. */
	uint32_t sum = nat_index_scale(index, (tag >> 16 | tag << 16) * UINT32_C(0x9e3779b1)),
		 number = (uint32_t)(bucket - index->bucket);

	return &index->bucket[sum >= number ? sum - number : sum + index->buckets - number];
}

/* The slots whose words, but for the bits of `mask`, are this one, as a bit mask. */
static inline uint32_t nat_bucket_match(const struct nat_bucket *bucket, uint32_t wanted, uint32_t mask)
{
	const uint32_t slots = (1u << NAT_INDEX_SLOTS) - 1;
#if defined(__AVX512F__)
	__m512i words = _mm512_andnot_si512(_mm512_set1_epi32((int)mask), _mm512_load_si512(bucket));

	return _mm512_cmpeq_epi32_mask(words, _mm512_set1_epi32((int)wanted)) & slots;
#elif defined(__AVX2__)
	const __m256i *words = (const __m256i *)bucket, tag = _mm256_set1_epi32((int)wanted),
		      number = _mm256_set1_epi32((int)mask);
	__m256i low = _mm256_cmpeq_epi32(_mm256_andnot_si256(number, _mm256_load_si256(&words[0])), tag);
	__m256i high = _mm256_cmpeq_epi32(_mm256_andnot_si256(number, _mm256_load_si256(&words[1])), tag);

	return ((uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(low)) |
		       (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(high)) << 8) &
	       slots;
#elif defined(__SSE2__)
	const __m128i *words = (const __m128i *)bucket, tag = _mm_set1_epi32((int)wanted),
		      number = _mm_set1_epi32((int)mask);
	__m128i quarter[4];

	for (uint32_t i = 0; i < 4; i++)
		quarter[i] = _mm_cmpeq_epi32(_mm_andnot_si128(number, _mm_load_si128(&words[i])), tag);
	__m128i low = _mm_packs_epi32(quarter[0], quarter[1]), high = _mm_packs_epi32(quarter[2], quarter[3]);
	return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) & slots;
#else
	uint32_t match = 0;

	for (uint32_t i = 0; i < NAT_INDEX_SLOTS; i++)
		match |= (uint32_t)((bucket->word[i] & ~mask) == wanted) << i;
	return match & slots;
#endif
}

/* The slots that may hold an entry with this tag. */
static inline uint32_t nat_index_match(
	const struct nat_index *index, const struct nat_bucket *bucket, uint32_t tag)
{
	return nat_bucket_match(bucket, tag, index->number_mask);
}

/* The number in the first of the slots in a match that is not empty. */
static inline uint32_t nat_index_number(
	const struct nat_index *index, const struct nat_bucket *bucket, uint32_t match)
{
	return bucket->word[__builtin_ctz(match)] & index->number_mask;
}

/* False: no entry has this hash. True: one may. */
static inline bool nat_index_may_have(const struct nat_index *index, uint64_t hash)
{
	const struct nat_bucket *bucket = nat_index_first(index, hash);

	return nat_index_match(index, bucket, nat_index_tag(index, hash)) != 0 || bucket->overflow != 0;
}
