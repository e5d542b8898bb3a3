/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_index.h"
#include "table/nat_memory.h"
#include <assert.h>
#include <errno.h>
#include <stdbool.h>

/* Slots in use when the index is full, in percent. At 85 one entry in twelve is in its second bucket; an insertion
 * still never fails. */
#define NAT_INDEX_LOAD 85u

int nat_index_init(struct nat_index *index, uint64_t entries)
{
	uint64_t buckets = entries * 100 / (NAT_INDEX_LOAD * NAT_INDEX_SLOTS) + 2;

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

static bool bucket_put(struct nat_bucket *bucket, uint16_t tag, uint32_t value, bool away)
{
	uint32_t room = nat_bucket_match(bucket, 0);

	if (room == 0)
		return false;
	slot_fill(bucket, nat_match_slot(room), tag, value, away);
	return true;
}

/* Moves one entry of a full bucket to its other one. The slot that is free now, or NAT_INDEX_SLOTS. */
static uint32_t bucket_make_room(struct nat_index *index, struct nat_bucket *bucket)
{
	for (uint32_t slot = 0; slot < NAT_INDEX_SLOTS; slot++) {
		bool was_away = bucket->away >> slot & 1;
		struct nat_bucket *other = nat_index_other(index, bucket, bucket->tag[slot]);

		if (other == bucket || !bucket_put(other, bucket->tag[slot], bucket->value[slot], !was_away))
			continue;
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

	if (likely(bucket_put(first, tag, value, false)))
		goto inserted;
	second = nat_index_other(index, first, tag);
	if (second != first && bucket_put(second, tag, value, true)) {
		first->overflow++;
		goto inserted;
	}
	uint32_t slot = bucket_make_room(index, first);
	if (slot < NAT_INDEX_SLOTS) {
		slot_fill(first, slot, tag, value, false);
		goto inserted;
	}
	slot = second == first ? NAT_INDEX_SLOTS : bucket_make_room(index, second);
	if (slot == NAT_INDEX_SLOTS)
		return -ENOSPC;
	slot_fill(second, slot, tag, value, true);
	first->overflow++;
inserted:
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
