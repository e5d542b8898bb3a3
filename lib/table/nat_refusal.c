/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_refusal.h"
#include "base/clock.h"
#include "table/nat_memory.h"
#include <errno.h>

#define WAYS 4u
_Static_assert(NAT_REFUSALS % WAYS == 0, "whole sets");

int nat_refusals_init(struct nat_refusals *refusals)
{
	refusals->host = nat_memory_take(NAT_REFUSALS, sizeof(*refusals->host));
	return refusals->host == NULL ? -ENOMEM : 0;
}

void nat_refusals_destroy(struct nat_refusals *refusals)
{
	nat_memory_give(refusals->host);
	refusals->host = NULL;
}

size_t nat_refusals_bytes(void)
{
	return NAT_REFUSALS * sizeof(struct nat_refusal);
}

/* Never 0. */
static uint64_t key_of(uint16_t segment, rte_be32_t inside)
{
	return UINT64_C(1) << 48 | (uint64_t)segment << 32 | inside;
}

static uint32_t place_of(uint64_t hash)
{
	return (uint32_t)hash % (NAT_REFUSALS / WAYS) * WAYS;
}

static uint64_t key_read(const struct nat_refusal *host)
{
	return atomic_load_explicit(&host->key, memory_order_acquire);
}

static uint32_t word_read(const _Atomic uint32_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static void word_write(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

/* A place for the host: its own, a free one, or that of whose last refusal is longest ago. */
static struct nat_refusal *host_place(
	const struct nat_refusals *refusals, uint64_t hash, uint64_t key, uint32_t tick)
{
	struct nat_refusal *set = &refusals->host[place_of(hash)], *chosen = set;

	for (uint32_t way = 0; way < WAYS; way++) {
		uint64_t there = key_read(&set[way]);

		if (there == key)
			return &set[way];
		if (key_read(chosen) != 0 && (there == 0 || tick_age(tick, word_read(&set[way].tick)) >
								    tick_age(tick, word_read(&chosen->tick))))
			chosen = &set[way];
	}
	return chosen;
}

void nat_refusal_note(struct nat_refusals *refusals, uint64_t hash, uint16_t segment, rte_be32_t inside,
	enum nat_limit limit, uint32_t tick)
{
	uint64_t key = key_of(segment, inside);
	struct nat_refusal *host = host_place(refusals, hash, key, tick);

	if (key_read(host) != key) {
		/* Free first, so that no reader takes the counts of one host for another's. */
		atomic_store_explicit(&host->key, 0, memory_order_relaxed);
		atomic_thread_fence(memory_order_release);
		for (uint32_t i = 0; i < NAT_LIMITS; i++)
			word_write(&host->count[i], 0);
		atomic_store_explicit(&host->key, key, memory_order_release);
	}
	word_write(&host->tick, tick);
	word_write(&host->count[limit], word_read(&host->count[limit]) + 1);
}

bool nat_refusal_read(const struct nat_refusals *refusals, uint32_t place, struct nat_refused *out)
{
	const struct nat_refusal *host = &refusals->host[place];
	uint64_t key = key_read(host);

	*out = (struct nat_refused){
		.segment = (uint16_t)(key >> 32), .inside = (rte_be32_t)key, .tick = word_read(&host->tick)
	};
	for (uint32_t i = 0; i < NAT_LIMITS; i++)
		out->count[i] = word_read(&host->count[i]);
	atomic_thread_fence(memory_order_acquire);
	return key != 0 && atomic_load_explicit(&host->key, memory_order_relaxed) == key;
}

bool nat_refusal_find(const struct nat_refusals *refusals, uint64_t hash, uint16_t segment, rte_be32_t inside,
	struct nat_refused *out)
{
	for (uint32_t way = 0; way < WAYS; way++)
		if (nat_refusal_read(refusals, place_of(hash) + way, out) && out->segment == segment &&
			out->inside == inside)
			return true;
	*out = (struct nat_refused){ .segment = segment, .inside = inside };
	return false;
}
