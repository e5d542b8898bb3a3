/* SPDX-License-Identifier: BSD-3-Clause */
/* Which requests are served when there are too many: so many a second and no more (a token bucket), and of those that ask,
 * who asks seldom comes before who asks often. Pure; a few cycles and half a kilobyte that stays in the cache.
 *
 * A source's requests within a window are counted in a slot that its hash names. The more it has made, the fuller the bucket
 * must be for its next one: a source that floods gets what the others leave. Sources that share a slot share its count, but
 * with the next window comes another salt, so that nobody is kept out for long by a neighbour in the table, and nobody can
 * aim. Counts are halved then, not cleared: of a flood with forged sources all slots stay half full, so that it leaves a part of
 * the bucket. Its side is served from the rest as it comes, some of each; the sides count apart, and the other one has that
 * part. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ADMISSION_SLOTS_BITS 8u
#define ADMISSION_SIDES      2u
#define ADMISSION_OFTEN      15u /* requests in a window, from which on a source waits for a full bucket */

struct admission {         /* one thread's */
	uint64_t a_token;  /* cycles in which one is earned; 0: no limit */
	uint64_t refilled; /* time stamp counter up to which tokens are earned */
	uint32_t salt;
	uint32_t tokens, depth; /* depth: the most of them */
	uint32_t lot;    /* so many are earned at once: what is served together costs less than one by one */
	uint32_t window; /* number of the one that is counted in */
	uint32_t
		patience; /* with so many tokens: a source that has made so many requests is refused the next one */
	uint32_t
		deaf; /* the same of one whose request need not be counted either: that, or ADMISSION_OFTEN if it is more */
	uint8_t asked[ADMISSION_SIDES][1u << ADMISSION_SLOTS_BITS];
};

/* `a_second`: 0: no limit. The bucket, full at first, holds what a window of `windows_a_second` earns, at least one. */
void admission_init(
	struct admission *admission, uint32_t a_second, uint32_t windows_a_second, uint64_t cycles_a_second);
/* Once before requests are looked at that come at the same time: the tokens earned, and a new window with its salt when
 * `window` is not the number of the last one. */
void admission_advance(struct admission *admission, uint64_t now, uint32_t window, uint32_t salt);

/* Takes a token. */
void admission_spend(struct admission *admission);

/* Where the requests of a source are counted. */
static inline uint32_t admission_slot(const struct admission *admission, uint32_t source)
{
	return (source ^ admission->salt) * UINT32_C(0x9e3779b1) >> (32 - ADMISSION_SLOTS_BITS);
}

/* Is a request of `source` refused without being counted? That changes nothing. */
static inline bool admission_refuses(const struct admission *admission, unsigned side, uint32_t source)
{
	return admission->asked[side][admission_slot(admission, source)] >= admission->deaf;
}

/* Is this request of `source` served? `side` below ADMISSION_SIDES. */
static inline bool admission_take(struct admission *admission, unsigned side, uint32_t source)
{
	uint8_t *asked = &admission->asked[side][admission_slot(admission, source)];
	uint32_t before = *asked;

	/* Of a flood nearly all slots are full: what is not written, the next one need not wait for. */
	if (__builtin_expect(before >= admission->deaf, 1))
		return false;
	if (before < ADMISSION_OFTEN)
		*asked = (uint8_t)(before + 1);
	if (before >= admission->patience)
		return false;
	admission_spend(admission);
	return true;
}
