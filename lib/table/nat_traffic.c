/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_traffic.h"
#include "table/nat_memory.h"
#include <errno.h>

int nat_carry_init(struct nat_carry_table *table, uint32_t size)
{
	*table = (struct nat_carry_table){ .size = size };
	table->entry = nat_memory_take(size, sizeof(*table->entry));
	return table->entry == NULL ? -ENOMEM : 0;
}

void nat_carry_destroy(struct nat_carry_table *table)
{
	nat_memory_give(table->entry);
	*table = (struct nat_carry_table){ 0 };
}

static uint32_t home_of(const struct nat_carry_table *table, uint32_t number)
{
	return number * UINT32_C(0x9e3779b1) & (table->size - 1);
}

/* The entry of the session, or the free one where it would be. There is always a free one. */
static struct nat_carry *carry_find(const struct nat_carry_table *table, uint32_t number)
{
	uint32_t at = home_of(table, number);

	while (table->entry[at].session != 0 && table->entry[at].session != number + 1)
		at = (at + 1) & (table->size - 1);
	return &table->entry[at];
}

/* The half that reached its mark goes back to just below it, so that it never runs into the other. */
static uint64_t traffic_hold(uint64_t word)
{
	if (word & NAT_TRAFFIC_BYTES_MARK)
		word = (word & ~NAT_TRAFFIC_BYTES) | (NAT_TRAFFIC_BYTES_MARK - 1);
	if (word & NAT_TRAFFIC_PACKETS_MARK)
		word = (word & NAT_TRAFFIC_BYTES) | (NAT_TRAFFIC_PACKETS_MARK - NAT_TRAFFIC_PACKET);
	return word;
}

void nat_traffic_carry(
	struct nat_carry_table *table, struct nat_session *session, uint32_t number, enum nat_way way)
{
	struct nat_carry *carry = carry_find(table, number);

	if (carry->session == 0) {
		if (table->used >= table->size / 4 * 3) {
			session->traffic[way] = traffic_hold(session->traffic[way]);
			return;
		}
		*carry = (struct nat_carry){ .session = number + 1 };
		table->used++;
		session->flags |= NAT_SESSION_CARRIED;
	}
	carry->packets[way] += session->traffic[way] / NAT_TRAFFIC_PACKET;
	carry->bytes[way] += session->traffic[way] & NAT_TRAFFIC_BYTES;
	session->traffic[way] = 0;
}

void nat_traffic_forget(struct nat_carry_table *table, uint32_t number)
{
	uint32_t mask = table->size - 1, hole = (uint32_t)(carry_find(table, number) - table->entry);

	if (table->entry[hole].session == 0)
		return;
	/* Close the hole: what comes after it and could have been placed at or before it moves up. */
	for (uint32_t at = (hole + 1) & mask; table->entry[at].session != 0; at = (at + 1) & mask) {
		uint32_t home = home_of(table, table->entry[at].session - 1);

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			table->entry[hole] = table->entry[at];
			hole = at;
		}
	}
	table->entry[hole].session = 0;
	table->used--;
}

void nat_traffic_move(
	struct nat_carry_table *table, const struct nat_session *session, uint32_t from, uint32_t to)
{
	if (!(session->flags & NAT_SESSION_CARRIED))
		return;
	struct nat_carry carry = *carry_find(table, from);
	nat_traffic_forget(table, from);
	carry.session = to + 1;
	*carry_find(table, to) = carry;
	table->used++;
}

void nat_traffic_sum(const struct nat_carry_table *table, const struct nat_session *session, uint32_t number,
	enum nat_way way, uint64_t *packets, uint64_t *bytes)
{
	*packets = session->traffic[way] / NAT_TRAFFIC_PACKET;
	*bytes = session->traffic[way] & NAT_TRAFFIC_BYTES;
	if (!(session->flags & NAT_SESSION_CARRIED))
		return;
	/* Not carry_find: entries may move under the eyes of another thread. */
	for (uint32_t i = 0, at = home_of(table, number); i < table->size;
		i++, at = (at + 1) & (table->size - 1)) {
		const struct nat_carry *carry = &table->entry[at];
		uint32_t session_there = __atomic_load_n(&carry->session, __ATOMIC_RELAXED);

		if (session_there == 0)
			return;
		if (session_there == number + 1) {
			*packets += __atomic_load_n(&carry->packets[way], __ATOMIC_RELAXED);
			*bytes += __atomic_load_n(&carry->bytes[way], __ATOMIC_RELAXED);
			return;
		}
	}
}
