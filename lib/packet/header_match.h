/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether the first bytes of a frame are those of a pattern, but for the bits that may be anything: many fields of
 * headers in one comparison. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE4_1__
#include <immintrin.h>
#endif

#define HEADER_BYTES 32u

struct header_pattern { /* of the value only the bits in the mask count */
	uint8_t value[HEADER_BYTES], mask[HEADER_BYTES];
} __attribute__((aligned(32)));

/* Value and mask are aligned to 32 bytes; as many must be there to be read from `bytes` on. */
static inline bool header_is(
	const uint8_t *bytes, const uint8_t wanted[HEADER_BYTES], const uint8_t bits[HEADER_BYTES])
{
#ifdef __AVX2__
	__m256i read = _mm256_loadu_si256((const __m256i *)bytes);
	__m256i value = _mm256_load_si256((const __m256i *)wanted);

	return _mm256_testz_si256(_mm256_xor_si256(read, value), _mm256_load_si256((const __m256i *)bits));
#elif defined(__SSE4_1__)
	const __m128i *read = (const __m128i *)bytes, *value = (const __m128i *)wanted,
		      *mask = (const __m128i *)bits;
	__m128i low = _mm_xor_si128(_mm_loadu_si128(&read[0]), _mm_load_si128(&value[0]));
	__m128i high = _mm_xor_si128(_mm_loadu_si128(&read[1]), _mm_load_si128(&value[1]));

	return _mm_testz_si128(low, _mm_load_si128(&mask[0])) &&
	       _mm_testz_si128(high, _mm_load_si128(&mask[1]));
#else
	uint64_t differs = 0, read, value, mask;

	for (unsigned i = 0; i < HEADER_BYTES; i += sizeof(read)) {
		memcpy(&read, bytes + i, sizeof(read));
		memcpy(&value, wanted + i, sizeof(value));
		memcpy(&mask, bits + i, sizeof(mask));
		differs |= (read ^ value) & mask;
	}
	return differs == 0;
#endif
}

/* As many bytes as a pattern has. What is asked of several patterns by these takes one branch, and what is held in them stays in
 * registers. */
typedef uint64_t header_words __attribute__((vector_size(HEADER_BYTES)));

static inline void header_read(header_words *words, const uint8_t bytes[HEADER_BYTES])
{
	memcpy(words, bytes, sizeof(*words));
}

static inline bool header_words_any(const header_words *words)
{
#ifdef __AVX2__
	return !_mm256_testz_si256((__m256i)*words, (__m256i)*words);
#else
	return ((*words)[0] | (*words)[1] | (*words)[2] | (*words)[3]) != 0;
#endif
}

static inline bool header_matches(const uint8_t *bytes, const struct header_pattern *pattern)
{
	return header_is(bytes, pattern->value, pattern->mask);
}
