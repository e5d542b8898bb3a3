/* SPDX-License-Identifier: BSD-3-Clause */
/* The hash index of an owner's sessions: a 64-bit keyed hash to a session number.
 *
 * A bucket is one cache line: ten 16-bit tags, compared all at once, and ten numbers. A hash has a first and a second
 * bucket; entries go to the first while it has room, so that a lookup nearly always touches one line, and a count
 * of those that had to go elsewhere says when the second is worth a look. When both are full, one entry of either is
 * moved to its own other bucket: that fills the table to more than nine tenths. The other bucket is computed from the
 * bucket and the tag alone, so moving reads no session.
 *
 * The index does not know keys: a match is a candidate, and the caller compares the session. The hash must not be one
 * that outsiders can aim (packet/flow_hash.h). One thread: the owner. */
#pragma once

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_prefetch.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#define NAT_INDEX_SLOTS 10u

struct nat_bucket {
	uint16_t tag[NAT_INDEX_SLOTS]; /* 0: free */
	uint16_t away;                 /* bit i: this is the second bucket of the entry in slot i */
	uint16_t overflow;             /* entries whose first bucket this is and that are in their second */
	uint32_t value[NAT_INDEX_SLOTS];
} __rte_cache_aligned;
_Static_assert(sizeof(struct nat_bucket) == 64, "one cache line");

struct nat_index {
	struct nat_bucket *bucket;
	uint32_t buckets;
	uint32_t entries;
};

int nat_index_init(
	struct nat_index *index, uint64_t entries); /* for so many entries; 0, -EINVAL or -ENOMEM */
struct memory_need nat_index_need(uint64_t entries);
void nat_index_destroy(struct nat_index *index);
size_t nat_index_bytes(const struct nat_index *index);

int nat_index_insert(struct nat_index *index, uint64_t hash, uint32_t value); /* 0 or -ENOSPC */
/* The entry must be there: asserted. */
void nat_index_remove(struct nat_index *index, uint64_t hash, uint32_t value);
void nat_index_replace(struct nat_index *index, uint64_t hash, uint32_t value, uint32_t by);

static inline uint16_t nat_index_tag(uint64_t hash)
{
	uint16_t tag = (uint16_t)hash;

	return (uint16_t)(tag + (tag == 0));
}

static inline uint32_t nat_index_scale(const struct nat_index *index, uint32_t random)
{
	return (uint32_t)((uint64_t)random * index->buckets >> 32);
}

static inline struct nat_bucket *nat_index_first(const struct nat_index *index, uint64_t hash)
{
	return &index->bucket[nat_index_scale(index, (uint32_t)(hash >> 32))];
}

/* The other bucket of an entry with this tag: its second when given its first, its first when given its second. */
static inline struct nat_bucket *nat_index_other(
	const struct nat_index *index, const struct nat_bucket *bucket, uint16_t tag)
{
	uint32_t sum = nat_index_scale(index, tag * UINT32_C(0x9e3779b1)),
		 number = (uint32_t)(bucket - index->bucket);

	return &index->bucket[sum >= number ? sum - number : sum + index->buckets - number];
}

/* The slots whose tag is this one, as a bit mask. */
static inline uint32_t nat_bucket_match(const struct nat_bucket *bucket, uint16_t tag)
{
	const uint32_t slots = (1u << NAT_INDEX_SLOTS) - 1;
#ifdef __SSE2__
	/* 128 bits at a time: what is faster about 256 is lost on the way between them and the code around. */
	const __m128i *tags = (const __m128i *)bucket, wanted = _mm_set1_epi16((short)tag);
	__m128i low = _mm_cmpeq_epi16(_mm_load_si128(&tags[0]), wanted);
	__m128i high = _mm_cmpeq_epi16(_mm_load_si128(&tags[1]), wanted);

	return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) & slots;
#else
	uint32_t match = 0;

	for (uint32_t i = 0; i < NAT_INDEX_SLOTS; i++)
		match |= (uint32_t)(bucket->tag[i] == tag) << i;
	return match & slots;
#endif
}

/* The first of the slots in a match that is not empty. */
static inline uint32_t nat_match_slot(uint32_t match)
{
	return (uint32_t)__builtin_ctz(match);
}

/* False: no entry has this hash. True: one may. */
static inline bool nat_index_may_have(const struct nat_index *index, uint64_t hash)
{
	const struct nat_bucket *bucket = nat_index_first(index, hash);

	return nat_bucket_match(bucket, nat_index_tag(hash)) != 0 || bucket->overflow != 0;
}
