/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the session of a hash is looked for, line by line. From inside: the two buckets of the index. From outside: the two
 * rows of records, then, for the few that lie in neither, the two buckets of the index as well. A line says which sessions it
 * may be; the caller compares. Who has other things to do meanwhile asks for the line, and for the candidate, before reading
 * it. Owner lcore only. */
#pragma once

#include "table/nat_owner.h"

enum nat_search_place { NAT_SEARCH_ROW, NAT_SEARCH_OTHER_ROW, NAT_SEARCH_BUCKET, NAT_SEARCH_OTHER_BUCKET };

struct nat_search {
	uint64_t hash;
	const void *line; /* what is read next, or has been */
	uint32_t matches; /* of the line: candidates that have not been dismissed, bit mask */
	uint8_t place;    /* enum nat_search_place: of the line */
};

static __rte_always_inline void nat_search_begin(
	const struct nat_owner *owner, struct nat_search *search, uint64_t hash, const enum nat_way way)
{
	search->hash = hash;
	search->matches = 0;
	if (way == NAT_UP) {
		search->place = NAT_SEARCH_BUCKET;
		search->line = nat_index_first(&owner->index, hash);
	} else {
		search->place = NAT_SEARCH_ROW;
		search->line = nat_row_first(&owner->rows, hash);
	}
}

/* Reads the line, unless it has candidates left. The first of them, or INDEX_NONE. */
static __rte_always_inline uint32_t nat_search_read(const struct nat_owner *owner, struct nat_search *search)
{
	bool row = search->place <= NAT_SEARCH_OTHER_ROW;

	if (search->matches == 0)
		search->matches = row ? nat_row_match(search->line, nat_row_tag(search->hash))
				      : nat_index_match(&owner->index, search->line,
						nat_index_tag(&owner->index, search->hash));
	if (search->matches == 0)
		return INDEX_NONE;
	return row ? nat_row_number(&owner->rows, search->line, search->matches)
		   : nat_index_number(&owner->index, search->line, search->matches);
}

/* The candidate, if there was one, was another session: on to the next one, or the next line. False: there is nothing left to
 * look at, and so no session of this hash that the caller has not seen. */
static inline bool nat_search_on(const struct nat_owner *owner, struct nat_search *search)
{
	search->matches &= search->matches - (search->matches != 0);
	if (search->matches != 0)
		return true;
	switch ((enum nat_search_place)search->place) {
	case NAT_SEARCH_ROW:
		if (!nat_row_spilled(&owner->rows, search->line))
			return false;
		search->line = nat_row_second(&owner->rows, search->hash);
		break;
	case NAT_SEARCH_OTHER_ROW:
		search->line = nat_index_first(&owner->index, search->hash);
		break;
	case NAT_SEARCH_BUCKET:
		if (((const struct nat_bucket *)search->line)->overflow == 0)
			return false;
		search->line = nat_index_other(
			&owner->index, search->line, nat_index_tag(&owner->index, search->hash));
		break;
	case NAT_SEARCH_OTHER_BUCKET:
		return false;
	}
	search->place++;
	return true;
}
