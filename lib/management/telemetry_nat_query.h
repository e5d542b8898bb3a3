/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking at the records of the owners, a few at a time, for rows and for lines (telemetry_nat.c). */
#pragma once

#include "base/clock.h"
#include "management/telemetry_private.h"
#include "table/nat.h"

#define NAT_VIEWS_A_LOOK  32
/* A reply ends after this long, full or not, and names the cursor to go on by: nobody waits in silence for a search
 * through millions of sessions that finds few. */
#define NAT_REPLY_TIME_NS (500 * NS_PER_MS)

enum record_kind { RECORD_SESSIONS, RECORD_BINDINGS };

struct owner_query {
	enum record_kind kind;
	struct nat_filter filter;
	uint32_t cursor;
	uint32_t max, found;
	union {
		struct nat_session_view session[NAT_VIEWS_A_LOOK];
		struct nat_binding_view binding[NAT_VIEWS_A_LOOK];
	};
};

/* Reads on from the query's cursor. */
void nat_query_look(const struct lcore_context *context, struct owner_query *query);

/* Is a rule's binding asked for? */
bool nat_rule_wanted(const struct telemetry_parameters *asked, const struct nat_binding_view *view);

/* A cursor into the records of all owners: the position among the packet lcores, and the owner's own cursor. The
 * rules of static bindings and forwards come first, as position 0. */
static inline uint64_t nat_cursor(uint32_t position, uint32_t within)
{
	return (uint64_t)position << 32 | within;
}
