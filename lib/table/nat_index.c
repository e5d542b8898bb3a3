/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_index.h"
#include "table/nat_memory.h"
#include <assert.h>
#include <errno.h>
#include <stdbool.h>

/* Slots in use when the index is full, in percent. Then one entry in sixteen is in its second bucket; moving entries two
 * steps deep, an insertion still finds room. */
#define NAT_INDEX_LOAD 70u

static uint64_t buckets_for(uint64_t entries)
{
	return entries * 100 / (NAT_INDEX_LOAD * NAT_INDEX_SLOTS) + 2;
}

struct memory_need nat_index_need(uint64_t entries)
{
	return nat_memory_need(buckets_for(entries), sizeof(struct nat_bucket));
}

int nat_index_init(struct nat_index *index, uint64_t entries)
{
	uint64_t buckets = buckets_for(entries);

	if (buckets > UINT32_MAX)
		return -EINVAL;
	*index = (struct nat_index){ .buckets = (uint32_t)buckets };
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

static void slot_fill(struct nat_bucket *bucket, uint32_t slot, uint16_t tag, uint32_t value, bool away)
{
	bucket->tag[slot] = tag;
	bucket->value[slot] = value;
	bucket->away = (uint16_t)((bucket->away & ~(1u << slot)) | (uint32_t)away << slot);
}

/* A free slot, or NAT_INDEX_SLOTS. */
static uint32_t bucket_room(const struct nat_bucket *bucket)
{
	return nat_match_slot(nat_bucket_match(bucket, 0) | 1u << NAT_INDEX_SLOTS);
}

/* Moves one entry of a full bucket to its other one, for which, when `deep`, one of that one moves on. The slot that is
 * free now, or NAT_INDEX_SLOTS. */
static uint32_t bucket_make_room(struct nat_index *index, struct nat_bucket *bucket, bool deep)
{
	for (uint32_t slot = 0; slot < NAT_INDEX_SLOTS; slot++) {
		bool was_away = bucket->away >> slot & 1;
		uint16_t tag = bucket->tag[slot];
		struct nat_bucket *other = nat_index_other(index, bucket, tag);
		uint32_t room = bucket_room(other);

		if (other == bucket)
			continue;
		if (room == NAT_INDEX_SLOTS && deep)
			room = bucket_make_room(index, other, false);
		if (room == NAT_INDEX_SLOTS)
			continue;
		slot_fill(other, room, tag, bucket->value[slot], !was_away);
		if (was_away)
			other->overflow--;
		else
			bucket->overflow++;
		bucket->tag[slot] = 0;
		return slot;
	}
	return NAT_INDEX_SLOTS;
}

int nat_index_insert(struct nat_index *index, uint64_t hash, uint32_t value)
{
	uint16_t tag = nat_index_tag(hash);
	struct nat_bucket *first = nat_index_first(index, hash), *second;
	uint32_t slot = bucket_room(first);

	if (unlikely(slot == NAT_INDEX_SLOTS)) {
		second = nat_index_other(index, first, tag);
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
	slot_fill(first, slot, tag, value, false);
	index->entries++;
	return 0;
away:
	slot_fill(second, slot, tag, value, true);
	first->overflow++;
	index->entries++;
	return 0;
}

static uint32_t bucket_slot(const struct nat_bucket *bucket, uint16_t tag, uint32_t value)
{
	for (uint32_t match = nat_bucket_match(bucket, tag); match != 0; match &= match - 1)
		if (bucket->value[nat_match_slot(match)] == value)
			return nat_match_slot(match);
	return NAT_INDEX_SLOTS;
}

static struct nat_bucket *entry_find(struct nat_index *index, uint64_t hash, uint32_t value, uint32_t *slot)
{
	uint16_t tag = nat_index_tag(hash);
	struct nat_bucket *bucket = nat_index_first(index, hash);

	*slot = bucket_slot(bucket, tag, value);
	if (*slot == NAT_INDEX_SLOTS) {
		bucket = nat_index_other(index, bucket, tag);
		*slot = bucket_slot(bucket, tag, value);
	}
	assert(*slot < NAT_INDEX_SLOTS);
	return bucket;
}

void nat_index_remove(struct nat_index *index, uint64_t hash, uint32_t value)
{
	uint32_t slot;
	struct nat_bucket *bucket = entry_find(index, hash, value, &slot);

	if (bucket->away >> slot & 1)
		nat_index_other(index, bucket, bucket->tag[slot])->overflow--;
	bucket->tag[slot] = 0;
	index->entries--;
}

void nat_index_replace(struct nat_index *index, uint64_t hash, uint32_t value, uint32_t by)
{
	uint32_t slot;

	entry_find(index, hash, value, &slot)->value[slot] = by;
}
