/* SPDX-License-Identifier: BSD-3-Clause */
/* A keyed hash that an outsider cannot aim at: 64 x 64 -> 128 bit multiplications of the key-masked input, folded.
 * Not linear (unlike CRC and Toeplitz, whose collisions do not depend on the seed), a few cycles, no special
 * instructions. The key is random at each start. */
#pragma once

#include <stdint.h>

struct flow_hash_key {
	uint64_t k[4]; /* odd or not, but none 0 */
};

static inline uint64_t flow_hash_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t flow_hash(const struct flow_hash_key *key, uint64_t a, uint64_t b)
{
	uint64_t h = flow_hash_fold(a ^ key->k[0], b ^ key->k[1]);

	return flow_hash_fold(h ^ key->k[2], key->k[3]);
}

/* A number below `count`, by the upper bits of a hash: its lower ones say nothing of it. */
static inline uint32_t flow_hash_scale(uint64_t hash, uint32_t count)
{
	return (uint32_t)((unsigned __int128)hash * count >> 64);
}

/* From getrandom(2). Exits on failure: without a secret key the tables could be flooded. */
void flow_hash_key_random(struct flow_hash_key *key);
