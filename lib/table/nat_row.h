/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the records of an owner's sessions lie: in rows of 32, and which row is said by a hash, that of the outside key. So a
 * packet from outside is led to its session by one line of tags, two bytes a record, which a cache has room for where
 * it has none for the records: of what it reads of the session's, one line comes from memory.
 *
 * A hash has a first and a second row; a session gets a record in the first while that has one. When both are full it lies
 * elsewhere and is found by the index (nat_index.h), by the same hash: of a table that has been filled, three in a hundred lie in
 * their second row and half of one elsewhere; of one that has been full for long while sessions come and go, twelve and two. How
 * many that belong to a row do not lie in it is counted, so that who finds nothing there knows whether to go on.
 *
 * Tags are no keys: a match is a candidate, and the caller compares the session. The hash must not be one that outsiders can
 * aim (packet/flow_hash.h). The bitmap of free records any thread may ask (base/id_pool.h); else one thread: the owner. */
#pragma once

#include "base/id_pool.h"
#include "base/memory_need.h"
#include "packet/flow_hash.h"
#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#define NAT_ROW_RECORDS 32u

struct nat_row {
	uint16_t tag[NAT_ROW_RECORDS]; /* 0: free, or found by the index */
} __rte_cache_aligned;
_Static_assert(sizeof(struct nat_row) == 64, "one cache line");

struct nat_rows {
	struct nat_row *row;
	uint16_t *
		spilled; /* by row: how many sessions whose first row it is lie elsewhere; UINT16_MAX: so many or more */
	uint32_t rows;
	uint32_t most; /* records that may be in use at once: fewer than there are */
	uint32_t
		retired; /* records that are in use no more, and not free yet (nat_retired.h): they take no room, as long as
			      * they are fewer than there are beyond `most` */
	struct id_pool free; /* records; number / NAT_ROW_RECORDS is the row */
};

int nat_rows_init(struct nat_rows *rows, uint32_t most); /* 0, -EINVAL or -ENOMEM */
struct memory_need nat_rows_need(uint32_t most);
void nat_rows_destroy(struct nat_rows *rows);
size_t nat_rows_bytes(const struct nat_rows *rows);
uint32_t nat_rows_records(uint32_t most); /* how many records it has */

/* A free record, for a session that will be found by this hash; ID_NONE when as many are in use as may be. */
uint32_t nat_record_take(struct nat_rows *rows, uint64_t hash);
void nat_record_give(struct nat_rows *rows, uint32_t number);
/* The session in the record is to be found by the hash. False: it does not lie where the hash leads, and must be put into the
 * index. */
bool nat_record_show(struct nat_rows *rows, uint64_t hash, uint32_t number);
/* It is no longer to be. False: it is in the index. */
bool nat_record_hide(struct nat_rows *rows, uint64_t hash, uint32_t number);

static inline uint32_t nat_records_left(const struct nat_rows *rows)
{
	return rows->free.free + rows->retired - (rows->free.size - rows->most);
}

static inline uint16_t nat_row_tag(uint64_t hash)
{
	uint16_t tag = (uint16_t)hash;

	return (uint16_t)(tag + (tag == 0));
}

static inline const struct nat_row *nat_row_first(const struct nat_rows *rows, uint64_t hash)
{
	return &rows->row[flow_hash_scale(hash, rows->rows)];
}

static inline const struct nat_row *nat_row_second(const struct nat_rows *rows, uint64_t hash)
{
	return &rows->row[flow_hash_scale(hash * UINT64_C(0x9e3779b97f4a7c15), rows->rows)];
}

/* Where it stands which of its records are free, for who asks for that line ahead. */
static inline const uint64_t *nat_row_free_word(const struct nat_rows *rows, const struct nat_row *row)
{
	return id_pool_word(&rows->free, (uint32_t)(row - rows->row) * NAT_ROW_RECORDS);
}

/* A row without the session may not be the last place to look. */
static inline bool nat_row_spilled(const struct nat_rows *rows, const struct nat_row *first)
{
	return rows->spilled[first - rows->row] != 0;
}

/* The records with this tag, as a bit mask. */
static inline uint32_t nat_row_match(const struct nat_row *row, uint16_t tag)
{
#if defined(__AVX512BW__)
	return _mm512_cmpeq_epi16_mask(_mm512_load_si512(row), _mm512_set1_epi16((short)tag));
#elif defined(__AVX2__)
	const __m256i *tags = (const __m256i *)row, wanted = _mm256_set1_epi16((short)tag);
	__m256i low = _mm256_cmpeq_epi16(_mm256_load_si256(&tags[0]), wanted);
	__m256i high = _mm256_cmpeq_epi16(_mm256_load_si256(&tags[1]), wanted);

	/* Packing goes by halves of 128 bits: the quarters come out as 0, 2, 1, 3. */
	return (uint32_t)_mm256_movemask_epi8(_mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xd8));
#elif defined(__SSE2__)
	const __m128i *tags = (const __m128i *)row, wanted = _mm_set1_epi16((short)tag);
	__m128i low = _mm_packs_epi16(_mm_cmpeq_epi16(_mm_load_si128(&tags[0]), wanted),
		_mm_cmpeq_epi16(_mm_load_si128(&tags[1]), wanted));
	__m128i high = _mm_packs_epi16(_mm_cmpeq_epi16(_mm_load_si128(&tags[2]), wanted),
		_mm_cmpeq_epi16(_mm_load_si128(&tags[3]), wanted));

	return (uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high) << 16;
#else
	uint32_t match = 0;

	for (uint32_t i = 0; i < NAT_ROW_RECORDS; i++)
		match |= (uint32_t)(row->tag[i] == tag) << i;
	return match;
#endif
}

/* The number of the first of the records in a match that is not empty. */
static inline uint32_t nat_row_number(const struct nat_rows *rows, const struct nat_row *row, uint32_t match)
{
	return (uint32_t)(row - rows->row) * NAT_ROW_RECORDS + (uint32_t)__builtin_ctz(match);
}
