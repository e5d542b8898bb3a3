/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_index.h"
#include "table/nat_memory.h"
#include <assert.h>
#include <errno.h>

/* Slots in use when the index is full, in percent. Then one entry in thirty is in its second bucket; moving entries two
 * steps deep, an insertion still finds room. */
#define NAT_INDEX_LOAD 80u

static uint64_t buckets_for(uint64_t entries)
{
	return entries * 100 / (NAT_INDEX_LOAD * NAT_INDEX_SLOTS) + 2;
}

struct memory_need nat_index_need(uint64_t entries)
{
	return nat_memory_need(buckets_for(entries), sizeof(struct nat_bucket));
}

int nat_index_init(struct nat_index *index, uint64_t entries, uint32_t numbers)
{
	uint64_t buckets = buckets_for(entries);

	if (buckets > UINT32_MAX || numbers > UINT32_C(1) << 31)
		return -EINVAL;
	*index = (struct nat_index){ .buckets = (uint32_t)buckets,
		.number_mask = rte_align32pow2(RTE_MAX(numbers, 1u)) - 1 };
	index->bucket = nat_memory_take(buckets, sizeof(*index->bucket));
	return index->bucket == NULL ? -ENOMEM : 0;
}

void nat_index_destroy(struct nat_index *index)
{
	nat_memory_give(index->bucket);
	*index = (struct nat_index){ 0 };
}

size_t nat_index_bytes(const struct nat_index *index)
{
	return (size_t)index->buckets * sizeof(*index->bucket);
}

/* For who may write. */
static struct nat_bucket *bucket_of(struct nat_index *index, const struct nat_bucket *bucket)
{
	return &index->bucket[bucket - index->bucket];
}

static void slot_fill(struct nat_bucket *bucket, uint32_t slot, uint32_t word, bool away)
{
	__atomic_store_n(&bucket->word[slot], word, __ATOMIC_RELEASE); /* its record is whole */
	bucket->away = (uint16_t)((bucket->away & ~(1u << slot)) | (uint32_t)away << slot);
}

/* A free slot, or NAT_INDEX_SLOTS. */
static uint32_t bucket_room(const struct nat_bucket *bucket)
{
	return (uint32_t)__builtin_ctz(nat_bucket_match(bucket, 0, 0) | 1u << NAT_INDEX_SLOTS);
}

/* Moves one entry of a full bucket to its other one, for which, when `deep`, one of that one moves on. The slot that is
 * free now, or NAT_INDEX_SLOTS. */
static uint32_t bucket_make_room(struct nat_index *index, struct nat_bucket *bucket, bool deep)
{
	for (uint32_t slot = 0; slot < NAT_INDEX_SLOTS; slot++) {
		bool was_away = bucket->away >> slot & 1;
		uint32_t word = bucket->word[slot];
		struct nat_bucket *other =
			bucket_of(index, nat_index_other(index, bucket, word & ~index->number_mask));
		uint32_t room = bucket_room(other);

		if (other == bucket)
			continue;
		if (room == NAT_INDEX_SLOTS && deep)
			room = bucket_make_room(index, other, false);
		if (room == NAT_INDEX_SLOTS)
			continue;
		slot_fill(other, room, word, !was_away);
		if (was_away)
			other->overflow--;
		else
			bucket->overflow++;
		bucket->word[slot] = 0;
		return slot;
	}
	return NAT_INDEX_SLOTS;
}

int nat_index_insert(struct nat_index *index, uint64_t hash, uint32_t number)
{
	uint32_t tag = nat_index_tag(index, hash);
	struct nat_bucket *first = bucket_of(index, nat_index_first(index, hash)), *second;
	uint32_t slot = bucket_room(first);

	if (unlikely(slot == NAT_INDEX_SLOTS)) {
		second = bucket_of(index, nat_index_other(index, first, tag));
		slot = second == first ? NAT_INDEX_SLOTS : bucket_room(second);
		if (slot < NAT_INDEX_SLOTS)
			goto away;
		slot = bucket_make_room(index, first, true);
		if (slot == NAT_INDEX_SLOTS) {
			slot = second == first ? NAT_INDEX_SLOTS : bucket_make_room(index, second, true);
			if (slot == NAT_INDEX_SLOTS)
				return -ENOSPC;
			goto away;
		}
	}
	slot_fill(first, slot, tag | number, false);
	index->entries++;
	return 0;
away:
	slot_fill(second, slot, tag | number, true);
	first->overflow++;
	index->entries++;
	return 0;
}

void nat_index_remove(struct nat_index *index, uint64_t hash, uint32_t number)
{
	uint32_t tag = nat_index_tag(index, hash);
	struct nat_bucket *bucket = bucket_of(index, nat_index_first(index, hash));
	uint32_t match = nat_bucket_match(bucket, tag | number, 0);

	if (match == 0) {
		bucket = bucket_of(index, nat_index_other(index, bucket, tag));
		match = nat_bucket_match(bucket, tag | number, 0);
	}
	assert(match != 0);
	uint32_t slot = (uint32_t)__builtin_ctz(match);
	if (bucket->away >> slot & 1)
		bucket_of(index, nat_index_other(index, bucket, tag))->overflow--;
	bucket->word[slot] = 0;
	index->entries--;
}
