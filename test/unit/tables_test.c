/* SPDX-License-Identifier: BSD-3-Clause */
/* FDB, neighbours, segments, tunnels, FIB. */
#include "eal_fixture.h"
#include "packet/checksum.h"
#include "table/fdb.h"
#include "table/fib.h"
#include "table/neighbour.h"
#include "table/segment.h"
#include "table/tunnel.h"
#include <errno.h>
#include <rte_ip.h>

TestSuite(tables, .init = eal_start);

static const struct rte_ether_addr mac_a = { { 2, 0, 0, 0, 0, 0x0a } }, mac_b = { { 2, 0, 0, 0, 0, 0x0b } };

Test(tables, the_same_mac_in_two_segments_is_two_hosts)
{
	struct fdb *fdb = fdb_create(8);
	int64_t first = fdb_insert(fdb, 0, &mac_a, 1, 0), second = fdb_insert(fdb, 1, &mac_a, 2, 0);

	cr_assert_geq(first, 0);
	cr_assert_geq(second, 0);
	cr_assert_eq(fdb_insert(fdb, 1, &mac_a, 2, 0), -EEXIST);
	cr_assert_eq(fdb_find(fdb, fdb_key(0, &mac_a)), first);
	cr_assert_eq(fdb_find(fdb, fdb_key(1, &mac_a)), second);
	cr_assert_eq(fdb_find(fdb, fdb_key(0, &mac_b)), INDEX_NONE);
	struct rte_ether_addr back;
	fdb_key_mac(fdb_key(1, &mac_a), &back);
	cr_assert(rte_is_same_ether_addr(&back, &mac_a));
	cr_assert_eq(fdb_key_segment(fdb_key(1, &mac_a)), 1);
	fdb_destroy(fdb);
}

Test(tables, a_freed_fdb_entry_rests_before_another_mac_gets_it)
{
	struct fdb *fdb = fdb_create(1);
	int64_t at = fdb_insert(fdb, 0, &mac_a, 1, 0);

	cr_assert_eq(fdb_insert(fdb, 0, &mac_b, 1, 0), -ENOSPC);
	cr_assert_eq(fdb_remove(fdb, (uint32_t)at, 0), 0);
	cr_assert_eq(fdb_find(fdb, fdb_key(0, &mac_a)), INDEX_NONE);
	fdb_reclaim(fdb, NS_PER_SECOND / 2);
	cr_assert_eq(fdb_insert(fdb, 0, &mac_b, 1, 0), -ENOSPC);
	fdb_reclaim(fdb, 2 * NS_PER_SECOND);
	cr_assert_eq(fdb_insert(fdb, 0, &mac_b, 1, 0), at);
	fdb_destroy(fdb);
}

Test(tables, neighbours_of_two_interfaces_do_not_mix)
{
	struct neighbour_table *table = neighbour_table_create(8);
	int64_t on_port = neighbour_insert(table, 0, RTE_BE32(0x0a000105));
	int64_t on_segment = neighbour_insert(table, interface_of_segment(0), RTE_BE32(0x0a000105));

	cr_assert_neq(on_port, on_segment);
	cr_assert_eq(neighbour_find(table, 0, RTE_BE32(0x0a000105)), on_port);
	cr_assert_eq(atomic_load(&table->entry[on_port].mac), 0, "not known before it is set");
	neighbour_set_mac(table, (uint32_t)on_segment, &mac_b, 3);
	cr_assert_eq(atomic_load(&table->entry[on_segment].mac), fdb_mac_bits(&mac_b));
	cr_assert_eq(atomic_load(&table->entry[on_segment].fdb), 3);
	cr_assert_eq(neighbour_remove(table, (uint32_t)on_port, 0), 0);
	cr_assert_eq(neighbour_find(table, 0, RTE_BE32(0x0a000105)), INDEX_NONE);
	neighbour_table_destroy(table);
}

Test(tables, a_segment_with_a_group_admits_only_its_members)
{
	struct segment_table *table = segment_table_create(1);
	int at = segment_add(table, 5001);

	cr_assert_eq(at, 0);
	cr_assert_eq(segment_add(table, 5002), -ENOSPC);
	cr_assert_eq(segment_of_vni(table, 5001), 0);
	cr_assert_eq(segment_of_vni(table, 5002), INDEX_NONE);
	struct segment *segment = &table->segment[at];
	cr_assert_not(segment_admits(segment, RTE_BE32(0xc000020b)), "listed VTEPs only");
	segment->discovers_vteps = true;
	cr_assert(segment_admits(segment, RTE_BE32(0xc000020b)));
	segment->member[segment->member_count++] =
		(struct segment_member){ RTE_BE32(0xc0000200), RTE_BE32(0xffffff00) };
	cr_assert(segment_admits(segment, RTE_BE32(0xc000020b)));
	cr_assert_not(segment_admits(segment, RTE_BE32(0xc000030b)));
	segment_table_destroy(table);
}

Test(tables, a_tunnel_is_not_used_before_its_next_hop_is_known)
{
	struct tunnel_table *table = tunnel_table_create(2);
	int64_t at = tunnel_add(table, 0, RTE_BE32(0xc000020b));
	struct tunnel_header header;

	cr_assert_eq(tunnel_find(table, 0, RTE_BE32(0xc000020b)), at);
	cr_assert_not(tunnel_read_header(&table->tunnel[at], &header));
	tunnel_set_header(&table->tunnel[at], &(struct tunnel_source){ .port_mac = mac_a,
						      .next_hop_mac = mac_b,
						      .gateway_mac = mac_a,
						      .address = RTE_BE32(0xc0000201),
						      .udp_port = RTE_BE16(4789),
						      .vni = 0x123456,
						      .ttl = 64 });
	cr_assert(tunnel_read_header(&table->tunnel[at], &header));
	cr_assert_eq(vxlan_vni(&header.outer.vxlan), 0x123456);
	cr_assert_eq(header.outer.vxlan.flags, 0x08);
	cr_assert_eq(header.outer.ip.dst_addr, RTE_BE32(0xc000020b));
	cr_assert_eq(rte_raw_cksum(&header.outer.ip, 20), 0xffff, "right for a total length of 0");
	cr_assert(rte_is_same_ether_addr(&header.outer.ethernet.dst_addr, &mac_b));
	tunnel_set_unready(&table->tunnel[at]);
	cr_assert_not(tunnel_read_header(&table->tunnel[at], &header));
	tunnel_table_destroy(table);
}

Test(tables, the_longest_prefix_wins_and_the_first_of_equals_stays)
{
	struct fib *fib = fib_create(16);
	const struct next_hop to_default = {
		.kind = NEXT_HOP_VIA, .interface = 1, .gateway = RTE_BE32(0xcb0071fe)
	};
	const struct next_hop connected = { .kind = NEXT_HOP_CONNECTED, .interface = 40 };
	const struct next_hop local = { .kind = NEXT_HOP_LOCAL, .interface = 40 };

	cr_assert_eq(fib_find(fib, RTE_BE32(0x08080808))->kind, NEXT_HOP_NONE);
	cr_assert_eq(fib_add(fib, 0, 0, &to_default), 0);
	cr_assert_eq(fib_add(fib, RTE_BE32(0x0a000100), 24, &connected), 0);
	cr_assert_eq(fib_add(fib, RTE_BE32(0x0a000101), 32, &local), 0);
	cr_assert_eq(fib_add(fib, RTE_BE32(0x0a000100), 24, &to_default), -EEXIST);
	cr_assert_eq(fib_find(fib, RTE_BE32(0x08080808))->gateway, RTE_BE32(0xcb0071fe));
	cr_assert_eq(fib_find(fib, RTE_BE32(0x0a000102))->kind, NEXT_HOP_CONNECTED);
	cr_assert_eq(fib_find(fib, RTE_BE32(0x0a000101))->kind, NEXT_HOP_LOCAL);
	cr_assert_eq(fib_find(fib, RTE_BE32(0x0a000201))->kind, NEXT_HOP_VIA);
	fib_destroy(fib);
}

/* What the first half of an address says is what a lookup of each of its addresses says. */
Test(tables, addresses_lead_out_as_a_whole_where_no_longer_prefix_is)
{
	struct fib *fib = fib_create(16);
	const struct next_hop out = { .kind = NEXT_HOP_VIA, .interface = 1, .gateway = RTE_BE32(0xcb0071fe) };
	const struct next_hop neighbours = { .kind = NEXT_HOP_CONNECTED, .interface = 1 };
	const struct next_hop segment = { .kind = NEXT_HOP_CONNECTED, .interface = PORT_MAX };
	const struct next_hop dhcp = { .kind = NEXT_HOP_VIA, .interface = 1, .dhcp_server = true };
	const struct next_hop blackhole = { .kind = NEXT_HOP_BLACKHOLE };

	cr_assert_eq(fib_add(fib, 0, 0, &out), 0);
	cr_assert_eq(fib_add(fib, RTE_BE32(0xc6330000), 16, &neighbours), 0);
	cr_assert_eq(fib_add(fib, RTE_BE32(0x0a000000), 8, &segment), 0);
	cr_assert_eq(fib_add(fib, RTE_BE32(0x0a050000), 16, &out), 0);
	cr_assert_eq(fib_add(fib, RTE_BE32(0x14000000), 15, &blackhole), 0);
	cr_assert_eq(fib_add(fib, RTE_BE32(0x0b0c0d0e), 32, &dhcp), 0);
	cr_assert_eq(fib_add(fib, RTE_BE32(0x0d000000), 17, &blackhole), 0);
	cr_assert_not(
		fib_leads_out(fib, RTE_BE32(0x08080808)), "nothing is said before all routes are there");
	fib_finish(fib);
	cr_assert(fib_leads_out(fib, RTE_BE32(0x08080808)));
	cr_assert(fib_leads_out(fib, RTE_BE32(0xc6336407)));
	cr_assert_not(fib_leads_out(fib, RTE_BE32(0x0a010203)));
	cr_assert(fib_leads_out(fib, RTE_BE32(0x0a050203)));
	cr_assert_not(fib_leads_out(fib, RTE_BE32(0x1401ffff)));
	cr_assert(fib_leads_out(fib, RTE_BE32(0x14020000)));
	cr_assert_not(fib_leads_out(fib, RTE_BE32(0x0b0cffff)), "a longer prefix is there");
	cr_assert(fib_leads_out(fib, RTE_BE32(0x0b0d0000)));
	cr_assert_not(
		fib_leads_out(fib, RTE_BE32(0x0d00ffff)), "of the half that has a way out nothing is said");
	cr_assert_not(fib_leads_out(fib, RTE_BE32(0x00010203)));
	cr_assert_not(fib_leads_out(fib, RTE_BE32(0x7f000001)));
	cr_assert_not(fib_leads_out(fib, RTE_BE32(0xe0000001)));
	cr_assert(fib_leads_out(fib, RTE_BE32(0xdfffffff)));
	fib_destroy(fib);
}

Test(tables, a_neighbour_that_comes_has_no_place_of_who_was_there)
{
	struct neighbour_table *table = neighbour_table_create(1);
	int64_t at = neighbour_insert(table, interface_of_segment(0), RTE_BE32(0x0a000105));

	cr_assert_geq(at, 0);
	table->entry[at].place = neighbour_place(1, 2, 3);
	cr_assert_eq(neighbour_remove(table, (uint32_t)at, 0), 0);
	neighbour_reclaim(table, 10 * NS_PER_SECOND);
	cr_assert_eq(neighbour_insert(table, interface_of_segment(0), RTE_BE32(0x0a000106)), at);
	cr_assert_eq(table->entry[at].place, 0);
	neighbour_table_destroy(table);
}
