/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of inside hosts with sessions. */
#include "table/nat_host.h"

#include "eal_fixture.h"

TestSuite(nat_host, .init = eal_start);

enum { WEB = 3 };

static const struct flow_hash_key key = { { 0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d1,
	0x082efa98ec4e6c89 } };

static struct nat_host find(const struct nat_host_table *table, rte_be32_t inside)
{
	return nat_host_find(table, nat_host_hash(&key, WEB, inside), WEB, inside);
}

/* Free slots have the address 0.0.0.0, which a packet may have, too. */
Test(nat_host, a_free_slot_is_no_host)
{
	struct nat_host_table table;
	rte_be32_t web11 = RTE_BE32(0x0a00010b);

	cr_assert_eq(nat_hosts_init(&table, 100, false, &key), 0);
	struct nat_host host = nat_host_hold(&table, nat_host_hash(&key, WEB, web11), WEB, web11);
	cr_assert_eq(find(&table, web11).line, host.line);
	nat_host_release(&table, host);
	cr_assert_null(find(&table, web11).line);
	for (uint32_t line = 0; line < table.lines; line++)
		for (uint32_t slot = 0; slot < NAT_HOSTS_A_LINE; slot++)
			table.line[line].segment[slot] = WEB;
	cr_assert_null(find(&table, 0).line);
	nat_hosts_destroy(&table);
}
