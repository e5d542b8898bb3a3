/* SPDX-License-Identifier: BSD-3-Clause */
/* How much went through a session, a way: packets and bytes in one 64-bit word, added to by one instruction. When
 * either half is half full (64 GiB or 67 million packets), the word is carried over to a side table that only
 * such sessions have an entry in, so that the sums are exact however long a session lives. When the side table is
 * full, which takes thousands of such sessions at once, the word stays where it is and no longer counts. Owner lcore
 * only, but for reading. */
#pragma once

#include "table/nat_session.h"
#include <stddef.h>

#define NAT_TRAFFIC_PACKET       (UINT64_C(1) << 37)
#define NAT_TRAFFIC_BYTES        (NAT_TRAFFIC_PACKET - 1)
#define NAT_TRAFFIC_PACKETS_MARK (UINT64_C(1) << 63)
#define NAT_TRAFFIC_BYTES_MARK   (UINT64_C(1) << 36)
#define NAT_TRAFFIC_CARRY        (NAT_TRAFFIC_PACKETS_MARK | NAT_TRAFFIC_BYTES_MARK)

struct nat_carry {
	uint32_t session; /* plus one; 0: free */
	uint64_t packets[NAT_WAYS], bytes[NAT_WAYS];
};

struct nat_carry_table { /* open addressing with linear probing */
	struct nat_carry *entry;
	uint32_t size; /* a power of two */
	uint32_t used;
};

int nat_carry_init(struct nat_carry_table *table, uint32_t size); /* 0 or -ENOMEM */
void nat_carry_destroy(struct nat_carry_table *table);
/* Moves the word of one way into the table. */
void nat_traffic_carry(
	struct nat_carry_table *table, struct nat_session *session, uint32_t number, enum nat_way way);
void nat_traffic_forget(struct nat_carry_table *table, uint32_t number); /* the session ends */
/* The session gets another number. */
void nat_traffic_move(
	struct nat_carry_table *table, const struct nat_session *session, uint32_t from, uint32_t to);
/* Any thread. Exact when the owner asks; another thread may meet the moment of a carry, once in 64 GiB, and then see one
 * carry too many or too few. */
void nat_traffic_sum(const struct nat_carry_table *table, const struct nat_session *session, uint32_t number,
	enum nat_way way, uint64_t *packets, uint64_t *bytes);
