/* SPDX-License-Identifier: BSD-3-Clause */
/* What the fast path reads of the two lines of tags where a session is looked for: upwards buckets of the index, downwards rows of
 * records. The stages' way, which looks everywhere, is table/nat_search.h. */
#pragma once

#include "stage/fast_path_private.h"

static __rte_always_inline bool session_is_of(
	const struct fast_packet *packet, const struct nat_session *session, const enum nat_way way)
{
	uint64_t addresses = nat_address_pair(&packet->ip->src_addr);
	uint32_t ports = nat_port_pair((const rte_be16_t *)(packet->ip + 1));

	return way == NAT_UP ? nat_session_is_up(session, packet->kin, addresses, ports)
			     : nat_session_is_down(session, packet->kin, addresses, ports);
}

/* What of an owner's tables leads from a line of tags to a session. In a copy it stays in registers, whatever is written meanwhile. */
struct tag_tables {
	struct nat_index index;
	struct nat_rows rows;
	struct nat_session *session;
};

static __rte_always_inline struct tag_tables tag_tables_of(const struct nat_owner *owner)
{
	return (struct tag_tables){ .index = { .number_mask = owner->index.number_mask },
		.rows = { .row = owner->rows.row },
		.session = owner->session };
}

static __rte_always_inline uint32_t line_match(
	const struct tag_tables *tables, const void *line, uint64_t hash, const enum nat_way way)
{
	return way == NAT_UP ? nat_index_match(&tables->index, line, nat_index_tag(&tables->index, hash))
			     : nat_row_match(line, nat_row_tag(hash));
}

static __rte_always_inline struct nat_session *session_of_match(
	const struct tag_tables *tables, const void *line, uint32_t match, const enum nat_way way)
{
	/* A record's distance is a multiple of its line's: no number is needed. */
	const size_t apart = NAT_ROW_RECORDS * sizeof(struct nat_session) / sizeof(struct nat_row);

	if (way == NAT_UP)
		return &tables->session[nat_index_number(&tables->index, line, match)];
	size_t row = (size_t)((const char *)line - (const char *)tables->rows.row) * apart;
	return (struct nat_session *)((char *)tables->session + row) + __builtin_ctz(match);
}

/* The session that a line of tags says the packet may be of, asked for. If there is another one that it may be, that is asked
 * for as well, and the packet noted in `several`. */
static __rte_always_inline struct nat_session *session_by_tags(const struct tag_tables *tables,
	struct fast_burst *burst, const struct fast_packet *packet, const enum nat_way way, uint32_t match)
{
	struct nat_session *session = session_of_match(tables, packet->line, match, way);
	prefetch_far(session);
	match &= match - 1;
	if (unlikely(match != 0)) {
		prefetch_far(session_of_match(tables, packet->line, match, way));
		burst->way[way].several |= fast_packet_bit(&burst->way[way], packet);
	}
	return session;
}

/* Of the sessions that the packet's first line says it may be of, the one that it is. */
static inline void candidate_choose(
	const struct nat_owner *owner, struct fast_packet *packet, const enum nat_way way)
{
	const void *line = way == NAT_UP ? (const void *)nat_index_first(&owner->index, packet->hash)
					 : (const void *)nat_row_first(&owner->rows, packet->hash);

	const struct tag_tables tables = tag_tables_of(owner);

	for (uint32_t match = line_match(&tables, line, packet->hash, way); match != 0; match &= match - 1) {
		struct nat_session *session = session_of_match(&tables, line, match, way);
		if (session_is_of(packet, session, way)) {
			packet->session = session;
			return;
		}
	}
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
