/* SPDX-License-Identifier: BSD-3-Clause */
/* What is routed although a rule would translate it (RFC 6888 REQ-6): by the prefix of the host inside and that of the
 * other end. It is asked only about packets that have no session, so that a session that began from outside, by a
 * static binding say, goes on to its end. Written at start, then read by all lcores. */
#pragma once

#include "table/nat.h"

struct nat_bypass_entry {
	rte_be32_t inside, inside_mask, remote, remote_mask;
};
struct nat_bypass {
	struct nat_bypass_entry *entry;
	uint32_t *first; /* [segments + 1], in `entry` */
	uint32_t count;
	uint16_t segments;
};

int nat_bypass_init(struct nat_bypass *bypass, const struct nat_settings *settings); /* 0 or -errno */
void nat_bypass_destroy(struct nat_bypass *bypass);
size_t nat_bypass_bytes(const struct nat_bypass *bypass);

/* Is there any for the segment? */
static inline bool nat_bypass_is_for(const struct nat_bypass *bypass, uint16_t segment)
{
	return bypass->first[segment] < bypass->first[segment + 1];
}

/* Is what the two send to each other left as it is? */
static inline bool nat_bypass_has(
	const struct nat_bypass *bypass, uint16_t segment, rte_be32_t inside, rte_be32_t remote)
{
	for (uint32_t i = bypass->first[segment]; i < bypass->first[segment + 1]; i++) {
		const struct nat_bypass_entry *entry = &bypass->entry[i];
		if ((((inside & entry->inside_mask) ^ entry->inside) |
			    ((remote & entry->remote_mask) ^ entry->remote)) == 0)
			return true;
	}
	return false;
}
