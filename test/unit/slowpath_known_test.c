/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbours and hosts that are configured instead of learned. */
#include "slowpath_fixture.h"

#define ROUTER_IP IP(203, 0, 113, 254)
#define VTEP_1    IP(192, 0, 2, 11)

static void opened_with_known_hosts(void)
{
	static const struct known_host known[] = {
		{ UNDERLAY, VTEP_1, { { 0x52, 0x54, 0, 0, 0, 0x11 } }, 0 },
		{ UPLINK, ROUTER_IP, { { 0x52, 0x54, 0, 0, 0, 0xfe } }, 0 },
		{ WEB_INTERFACE, HOST_IP, { { 0x52, 0x54, 0, 0, 0, 5 } }, IP(192, 0, 2, 12) },
		{ LAB_INTERFACE, IP(10, 0, 2, 5), { { 0x52, 0x54, 0, 0, 0, 6 } }, IP(192, 0, 2, 99) },
	};

	gateway_prepare();
	g.settings.known_host = known;
	g.settings.known_host_count = RTE_DIM(known);
	gateway_create();
	poll_now();
}

TestSuite(slowpath_known, .init = opened_with_known_hosts, .fini = gateway_close);

Test(slowpath_known, packets_leave_at_once_and_nobody_is_asked)
{
	cr_assert(send_to(UPLINK, ROUTER_IP));
	cr_assert(send_to(WEB_INTERFACE, HOST_IP));
	cr_assert(g.plane.tunnels->tunnel[SITE_1].ready, "its next hop is known");
	cr_assert_not(g.plane.tunnels->tunnel[SITE_2].ready);
	cr_assert_eq(fdb_entry_of(WEB, MAC(5))->location, SITE_2);
	cr_assert_eq(
		requests_for(ROUTER_IP, false) + requests_for(HOST_IP, false) + requests_for(VTEP_1, false),
		0);
}

Test(slowpath_known, in_a_segment_with_a_group_its_vtep_is_known_as_well)
{
	const struct fdb_entry *entry = fdb_entry_of(LAB, MAC(6));

	cr_assert_not_null(entry);
	cr_assert_eq(g.plane.tunnels->tunnel[entry->location].vtep, IP(192, 0, 2, 99));
	cr_assert(send_to(LAB_INTERFACE, IP(10, 0, 2, 5)));
}

Test(slowpath_known, what_arp_says_of_them_is_not_believed)
{
	arp_on_port(UPLINK, ARP_REPLY, MAC(0x66), ROUTER_IP, UPLINK_IP);
	arp_on_port(UNDERLAY, ARP_REQUEST, MAC(0x66), VTEP_1, IP(192, 0, 2, 1));
	arp_in_segment(SITE_1, ARP_REPLY, MAC(0x67), HOST_IP, WEB_GATEWAY);
	poll_now();
	cr_assert_eq(neighbour_at(UPLINK, ROUTER_IP)->mac, fdb_mac_bits(&MAC(0xfe)));
	cr_assert_eq(neighbour_at(UNDERLAY, VTEP_1)->mac, fdb_mac_bits(&MAC(0x11)));
	cr_assert_eq(neighbour_at(WEB_INTERFACE, HOST_IP)->mac, fdb_mac_bits(&MAC(5)));
}

Test(slowpath_known, a_silent_host_is_neither_searched_nor_forgotten)
{
	for (unsigned i = 0; i < 400; i++) { /* 400 s: beyond the age of MACs, and of neighbours */
		pass_ms(1000);
		cr_assert(send_to(WEB_INTERFACE, HOST_IP));
	}
	cr_assert_eq(requests_for(HOST_IP, true) + requests_for(HOST_IP, false), 0);
	pass_ms(400 * 1000); /* the same when nothing is sent to it either */
	cr_assert(send_to(WEB_INTERFACE, HOST_IP));
	cr_assert(send_to(UPLINK, ROUTER_IP));
	cr_assert_eq(counters()->macs_aged, 0);
}

Test(slowpath_known, a_host_that_speaks_from_another_vtep_has_moved_there)
{
	heard(WEB, MAC(5), SITE_1);
	poll_now();
	cr_assert_eq(fdb_entry_of(WEB, MAC(5))->location, SITE_1);
	cr_assert_eq(counters()->moves, 1);
	pass_ms(400 * 1000);
	cr_assert(send_to(WEB_INTERFACE, HOST_IP));
	cr_assert_eq(fdb_entry_of(WEB, MAC(5))->location, SITE_1);
}
