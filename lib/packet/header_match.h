/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether the first bytes of a frame are those of a pattern, but for the bits that may be anything: many fields of
 * headers in one comparison. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __AVX2__
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
