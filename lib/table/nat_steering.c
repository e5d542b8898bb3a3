/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_steering.h"
#include <rte_common.h>
#include <string.h>

#define WORD 16u /* bits; the period of the key of RSS by destination */

/* The 32 bits of the key from bit `at` on, the first one is the most significant. */
static uint32_t key_window(const uint8_t *key, uint32_t at)
{
	uint64_t bits = 0;

	for (uint32_t i = 0; i < 5; i++)
		bits = bits << 8 | key[at / 8 + i];
	return (uint32_t)(bits >> (8 - at % 8));
}

uint16_t nat_steering_inside_owner(uint16_t index, uint16_t indexes, uint16_t owners)
{
	return (uint16_t)((index & (indexes - 1u)) % owners);
}

void nat_inside_map_make(
	struct nat_inside_map *map, const struct nat_steering_settings *settings, uint16_t owners)
{
	for (uint32_t byte = 0; byte < 4; byte++)
		for (uint32_t value = 0; value < 256; value++) {
			uint32_t hash = 0;

			for (uint32_t bit = 0; bit < 8; bit++)
				if (value & 0x80u >> bit)
					hash ^= key_window(settings->key, byte * 8 + bit);
			map->hash[byte][value] = (uint16_t)(hash & (settings->indexes - 1u));
		}
	for (uint16_t i = 0; i < settings->indexes; i++)
		map->owner[i] = (uint8_t)nat_steering_inside_owner(i, settings->indexes, owners);
}

void nat_steering_inside_key(const struct nat_steering_settings *settings, uint8_t *key, uint8_t size)
{
	for (uint8_t i = 0; i < size; i++)
		key[i] = settings->key[i % NAT_STEERING_KEY];
}

static uint32_t bits_of(uint16_t owners)
{
	return (uint32_t)__builtin_ctz(owners);
}

bool nat_steering_outside_fits(uint8_t block_shift, uint16_t owners)
{
	return rte_is_power_of_2(owners) && block_shift + bits_of(owners) <= WORD;
}

/* Bit p of the hash, the lowest is 0, is bit (14 - place - p) modulo 16 of the word: the highest bit that selects an owner
 * is to come first. */
void nat_steering_outside_key(uint8_t block_shift, uint16_t owners, uint8_t *key, uint8_t size)
{
	uint32_t highest = block_shift + bits_of(owners) - 1u;
	uint32_t place = (14u + WORD - highest) % WORD;

	memset(key, 0, size);
	for (uint32_t bit = place; bit < size * 8u; bit += WORD)
		key[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
}

uint16_t nat_steering_outside_owner(uint16_t index, uint16_t owners)
{
	uint16_t owner = 0;

	for (uint32_t bit = 0; bit < bits_of(owners); bit++)
		owner = (uint16_t)(owner << 1 | (index >> bit & 1u));
	return owner;
}
