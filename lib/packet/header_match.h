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

struct header_pattern { /* 32 bytes of headers; of the value only the bits in the mask count */
	uint8_t value[32], mask[32];
} __attribute__((aligned(32)));

/* 32 bytes from `bytes` on must be there to be read. */
static inline bool header_matches(const uint8_t *bytes, const struct header_pattern *pattern)
{
#ifdef __AVX2__
	__m256i read = _mm256_loadu_si256((const __m256i *)bytes);
	__m256i value = _mm256_load_si256((const __m256i *)pattern->value);

	return _mm256_testz_si256(
		_mm256_xor_si256(read, value), _mm256_load_si256((const __m256i *)pattern->mask));
#elif defined(__SSE4_1__)
	const __m128i *read = (const __m128i *)bytes, *value = (const __m128i *)pattern->value,
		      *mask = (const __m128i *)pattern->mask;
	__m128i low = _mm_xor_si128(_mm_loadu_si128(&read[0]), _mm_load_si128(&value[0]));
	__m128i high = _mm_xor_si128(_mm_loadu_si128(&read[1]), _mm_load_si128(&value[1]));

	return _mm_testz_si128(low, _mm_load_si128(&mask[0])) &&
	       _mm_testz_si128(high, _mm_load_si128(&mask[1]));
#else
	uint64_t differs = 0, read, value, mask;

	for (unsigned i = 0; i < sizeof(pattern->value); i += sizeof(read)) {
		memcpy(&read, bytes + i, sizeof(read));
		memcpy(&value, pattern->value + i, sizeof(value));
		memcpy(&mask, pattern->mask + i, sizeof(mask));
		differs |= (read ^ value) & mask;
	}
	return differs == 0;
#endif
}
