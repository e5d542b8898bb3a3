/* SPDX-License-Identifier: BSD-3-Clause */
/* What the fast path reads of the two lines of tags where a session is looked for: upwards buckets of the index, downwards rows of
 * records. The stages' way, which looks everywhere, is table/nat_search.h. */
#pragma once

#include "stage/fast_path_private.h"

static __rte_always_inline struct nat_session *session_of_match(
	const struct nat_owner *owner, const void *line, uint32_t match, const enum nat_way way)
{
	return &owner->session[way == NAT_UP ? nat_index_number(&owner->index, line, match)
					     : nat_row_number(&owner->rows, line, match)];
}

/* The session that a line of tags says the packet may be of, asked for; or NULL. What else it may be, which will be looked at
 * when it is not that one (finish_again), is asked for as well. */
static __rte_always_inline struct nat_session *session_by_tags(
	const struct nat_owner *owner, const struct fast_packet *packet, const enum nat_way way)
{
	uint32_t match = way == NAT_UP ? nat_index_match(&owner->index, packet->line,
						 nat_index_tag(&owner->index, packet->hash))
				       : nat_row_match(packet->line, nat_row_tag(packet->hash));

	if (unlikely(match == 0))
		return NULL;
	struct nat_session *session = session_of_match(owner, packet->line, match, way);
	__builtin_prefetch(session, 1);
	match &= match - 1;
	if (unlikely(match != 0))
		__builtin_prefetch(session_of_match(owner, packet->line, match, way), 1);
	return session;
}

/* The other line where a session is looked for that is not in the first one; NULL: there it would be. */
static __rte_always_inline const void *second_line(
	const struct nat_owner *owner, const struct fast_packet *packet, const enum nat_way way)
{
	if (way == NAT_UP)
		return ((const struct nat_bucket *)packet->line)->overflow == 0
			       ? NULL
			       : nat_index_other(&owner->index, packet->line,
					 nat_index_tag(&owner->index, packet->hash));
	return nat_row_spilled(&owner->rows, packet->line) ? nat_row_second(&owner->rows, packet->hash)
							   : NULL;
}
