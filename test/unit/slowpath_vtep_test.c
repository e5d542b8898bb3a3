/* SPDX-License-Identifier: BSD-3-Clause */
#include "slowpath/igmp_wire.h"
#include "slowpath_fixture.h"

TestSuite(slowpath_vtep, .init = gateway_prepare, .fini = gateway_close);

#define TEST_GROUP IP(239, 1, 1, 1)

static unsigned igmp_sent(uint8_t type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < g.out_count; i++) {
		const struct igmp_frame *frame = rte_pktmbuf_mtod(g.out[i].m, const struct igmp_frame *);
		if (g.out[i].meta.inject_stage != INJECT_PORT ||
			frame->ethernet.ether_type != RTE_BE16(0x0800) || frame->igmp.type != type)
			continue;
		cr_assert_eq(g.out[i].meta.egress, UNDERLAY);
		cr_assert_eq(frame->ip.version_ihl, 0x46);
		cr_assert_eq(frame->ip.time_to_live, 1);
		cr_assert_eq(frame->ip.next_proto_id, 2);
		cr_assert_eq(frame->ip.src_addr, IP(192, 0, 2, 1));
		cr_assert_eq(frame->router_alert, RTE_BE32(0x94040000));
		cr_assert_eq(rte_raw_cksum(&frame->ip, 24), 0xffff);
		cr_assert_eq(rte_raw_cksum(&frame->igmp, 8), 0xffff);
		cr_assert_eq(frame->igmp.group, TEST_GROUP);
		n++;
	}
	return n;
}

static void igmp_arrives(uint8_t type, uint8_t response, rte_be32_t group)
{
	struct rte_mbuf *m = packet_make(sizeof(struct igmp_frame), UNDERLAY, PUNT_IGMP);
	struct igmp_frame *frame = rte_pktmbuf_mtod(m, struct igmp_frame *);

	frame->ip = (struct rte_ipv4_hdr){ .version_ihl = 0x46,
		.total_length = RTE_BE16(32),
		.next_proto_id = 2,
		.src_addr = IP(192, 0, 2, 254),
		.dst_addr = IP(224, 0, 0, 1) };
	frame->igmp = (struct igmp_message){ .type = type, .max_response_time = response, .group = group };
	frame->igmp.checksum = (uint16_t)~rte_raw_cksum(&frame->igmp, 8);
	punt(m);
}

Test(slowpath_vtep, at_start_all_vteps_and_route_gateways_are_asked_for)
{
	gateway_create();
	poll_now();
	cr_assert_eq(requests_for(IP(192, 0, 2, 11), false), 1);
	cr_assert_eq(requests_for(IP(192, 0, 2, 12), false), 1);
	cr_assert_eq(requests_for(IP(203, 0, 113, 254), false), 1);
	cr_assert_not(g.plane.tunnels->tunnel[SITE_1].ready);
}

Test(slowpath_vtep, a_tunnel_is_ready_as_soon_as_its_vtep_answers)
{
	struct tunnel_header header;

	gateway_create();
	poll_now();
	arp_on_port(UNDERLAY, ARP_REPLY, MAC(0x11), IP(192, 0, 2, 11), IP(192, 0, 2, 1));
	poll_now();
	cr_assert(tunnel_read_header(&g.plane.tunnels->tunnel[SITE_1], &header));
	cr_assert_not(g.plane.tunnels->tunnel[SITE_2].ready);
	cr_assert(rte_is_same_ether_addr(&header.outer.ethernet.dst_addr, &MAC(0x11)));
	cr_assert(rte_is_same_ether_addr(&header.outer.ethernet.src_addr, &g.plane.port[UNDERLAY].mac));
	cr_assert_eq(header.outer.ip.src_addr, IP(192, 0, 2, 1));
	cr_assert_eq(header.outer.ip.dst_addr, IP(192, 0, 2, 11));
	cr_assert_eq(vxlan_vni(&header.outer.vxlan), 5001);
	cr_assert_eq(g.plane.tunnels->tunnel[SITE_1].port, UNDERLAY);

	arp_on_port(UNDERLAY, ARP_REQUEST, MAC(0x99), IP(192, 0, 2, 11),
		IP(192, 0, 2, 11)); /* a new network card */
	poll_now();
	tunnel_read_header(&g.plane.tunnels->tunnel[SITE_1], &header);
	cr_assert(rte_is_same_ether_addr(&header.outer.ethernet.dst_addr, &MAC(0x99)));
}

Test(slowpath_vtep, vteps_behind_a_router_share_its_mac)
{
	struct tunnel_header header;

	tunnel_add(g.plane.tunnels, WEB, IP(172, 20, 0, 5));
	tunnel_add(g.plane.tunnels, WEB, IP(172, 20, 0, 6));
	route_make(IP(172, 20, 0, 0), 16, NEXT_HOP_VIA, UNDERLAY, IP(192, 0, 2, 254));
	gateway_create();
	poll_now();
	cr_assert_eq(requests_for(IP(192, 0, 2, 254), false), 1);
	arp_on_port(UNDERLAY, ARP_REPLY, MAC(0xfe), IP(192, 0, 2, 254), IP(192, 0, 2, 1));
	poll_now();
	for (unsigned t = 3; t <= 4; t++) {
		cr_assert(tunnel_read_header(&g.plane.tunnels->tunnel[t], &header));
		cr_assert(rte_is_same_ether_addr(&header.outer.ethernet.dst_addr, &MAC(0xfe)));
	}
	cr_assert_eq(header.outer.ip.dst_addr, IP(172, 20, 0, 6));
}

Test(slowpath_vtep, a_vtep_that_dies_makes_its_tunnel_unready_and_is_found_again_when_it_is_back)
{
	gateway_open();
	for (unsigned s = 0; s < 60; s++) {
		pass_ms(1000);
		arp_on_port(UNDERLAY, ARP_REPLY, MAC(0x12), IP(192, 0, 2, 12), IP(192, 0, 2, 1));
	}
	cr_assert_not(g.plane.tunnels->tunnel[SITE_1].ready);
	cr_assert(g.plane.tunnels->tunnel[SITE_2].ready, "kept fresh though nothing uses it");
	forget_sent();
	pass_ms(10 * 1000);
	cr_assert_geq(requests_for(IP(192, 0, 2, 11), false), 3, "still asked for");
	arp_on_port(UNDERLAY, ARP_REPLY, MAC(0x11), IP(192, 0, 2, 11), IP(192, 0, 2, 1));
	poll_now();
	cr_assert(g.plane.tunnels->tunnel[SITE_1].ready);
}

Test(slowpath_vtep, a_group_tunnel_is_ready_at_once_and_carries_the_broadcast_of_its_segment)
{
	struct tunnel_header header;

	gateway_create();
	poll_now();
	cr_assert(tunnel_read_header(&g.plane.tunnels->tunnel[GROUP], &header));
	cr_assert(rte_is_same_ether_addr(
		&header.outer.ethernet.dst_addr, &((struct rte_ether_addr){ { 1, 0, 0x5e, 1, 1, 1 } })));
	cr_assert_eq(header.outer.ip.dst_addr, TEST_GROUP);
	forget_sent();

	struct rte_mbuf *m = packet_make(34, UPLINK, PUNT_UNRESOLVED);
	packet_metadata(m)->egress = LAB_INTERFACE;
	packet_metadata(m)->next_hop = IP(10, 0, 2, 5);
	punt(m);
	poll_now();
	cr_assert_eq(g.out_count, 1);
	cr_assert_eq(g.out[0].meta.tunnel, GROUP);
}

Test(slowpath_vtep, a_vtep_that_speaks_for_a_group_segment_is_discovered_with_its_workload)
{
	gateway_open();
	event(FDB_EVENT_NEW_VTEP, fdb_key(LAB, &MAC(7)), INDEX_NONE, INDEX_NONE, INDEX_NONE,
		IP(192, 0, 2, 33));
	poll_now();
	uint32_t tunnel = tunnel_find(g.plane.tunnels, LAB, IP(192, 0, 2, 33));
	cr_assert_neq(tunnel, INDEX_NONE);
	cr_assert_eq(fdb_entry_of(LAB, MAC(7))->location, tunnel);
	cr_assert_eq(requests_for(IP(192, 0, 2, 33), false), 1);
	arp_on_port(UNDERLAY, ARP_REPLY, MAC(0x33), IP(192, 0, 2, 33), IP(192, 0, 2, 1));
	poll_now();
	cr_assert(g.plane.tunnels->tunnel[tunnel].ready);

	event(FDB_EVENT_NEW_VTEP, fdb_key(WEB, &MAC(7)), INDEX_NONE, INDEX_NONE, INDEX_NONE,
		IP(192, 0, 2, 33));
	event(FDB_EVENT_NEW_VTEP, fdb_key(LAB, &MAC(8)), INDEX_NONE, INDEX_NONE, INDEX_NONE,
		IP(192, 0, 2, 1));
	event(FDB_EVENT_NEW_VTEP, fdb_key(LAB, &MAC(8)), INDEX_NONE, INDEX_NONE, INDEX_NONE,
		IP(239, 9, 9, 9));
	poll_now();
	cr_assert_eq(
		counters()->vteps_discovered, 1, "not where VTEPs are listed, not ourselves, not a group");
}

Test(slowpath_vtep, vteps_that_there_is_no_room_for_are_counted)
{
	uint32_t room = g.plane.tunnels->capacity - g.plane.tunnels->count;

	gateway_open();
	for (uint32_t i = 0; i < room + 3; i++)
		event(FDB_EVENT_NEW_VTEP, fdb_key(LAB, &MAC(7)), INDEX_NONE, INDEX_NONE, INDEX_NONE,
			rte_cpu_to_be_32(0xc0000240 + i)); /* 192.0.2.64 on */
	poll_now();
	cr_assert_eq(counters()->vteps_discovered, room);
	cr_assert_eq(counters()->vteps_refused, 3);
}

Test(slowpath_vtep, the_first_arp_of_a_discovered_vtep_is_answered_to_it)
{
	gateway_open();
	struct rte_mbuf *m = arp_packet_make(
		LAB_INTERFACE, INDEX_NONE, ARP_REQUEST, MAC(7), IP(10, 0, 2, 7), IP(10, 0, 2, 1));
	packet_metadata(m)->next_hop = IP(192, 0, 2, 33);
	punt(m);
	poll_now();
	uint32_t tunnel = tunnel_find(g.plane.tunnels, LAB, IP(192, 0, 2, 33));
	cr_assert_neq(tunnel, INDEX_NONE);
	bool answered = false;
	for (unsigned i = 0; i < g.out_count; i++)
		answered |= g.out[i].meta.inject_stage == INJECT_TUNNEL && g.out[i].meta.tunnel == tunnel;
	cr_assert(answered);
}

Test(slowpath_vtep, a_group_is_joined_at_start_told_again_and_left_at_the_end)
{
	gateway_create();
	poll_now();
	cr_assert_eq(igmp_sent(IGMP_REPORT_V2), 1);
	pass_ms(21 * 1000);
	cr_assert_eq(igmp_sent(IGMP_REPORT_V2), 3);
	pass_ms(60 * 1000);
	cr_assert_eq(igmp_sent(IGMP_REPORT_V2), 3);
	slowpath_leave_groups(g.slowpath, g.now_ns);
	collect();
	cr_assert_eq(igmp_sent(IGMP_LEAVE), 1);
	pass_ms(60 * 1000);
	cr_assert_eq(igmp_sent(IGMP_REPORT_V2), 3);
}

Test(slowpath_vtep, a_querier_is_answered_within_the_time_it_gives)
{
	gateway_create();
	poll_now();
	pass_ms(30 * 1000);
	forget_sent();
	igmp_arrives(IGMP_QUERY, 10, 0);
	pass_ms(1010);
	cr_assert_eq(igmp_sent(IGMP_REPORT_V2), 1);
	igmp_arrives(IGMP_QUERY, 10, TEST_GROUP);
	pass_ms(1010);
	cr_assert_eq(igmp_sent(IGMP_REPORT_V2), 2);
	igmp_arrives(IGMP_QUERY, 10, IP(239, 9, 9, 9)); /* about a group that is not ours */
	pass_ms(1010);
	cr_assert_eq(igmp_sent(IGMP_REPORT_V2), 2);
}

Test(slowpath_vtep, a_report_of_another_member_saves_ours)
{
	gateway_create();
	poll_now();
	pass_ms(30 * 1000);
	forget_sent();
	igmp_arrives(IGMP_QUERY, 255, 0);
	igmp_arrives(IGMP_REPORT_V2, 0, TEST_GROUP);
	pass_ms(26 * 1000);
	cr_assert_eq(igmp_sent(IGMP_REPORT_V2), 0);
}

Test(slowpath_vtep, a_broken_igmp_message_is_a_named_drop)
{
	gateway_create();
	poll_now();
	for (uint16_t length = 0; length < sizeof(struct igmp_frame); length++) {
		struct rte_mbuf *m = packet_make(sizeof(struct igmp_frame), UNDERLAY, PUNT_IGMP);
		struct igmp_frame *frame = rte_pktmbuf_mtod(m, struct igmp_frame *);
		frame->ip = (struct rte_ipv4_hdr){ .version_ihl = 0x46, .total_length = RTE_BE16(32) };
		frame->igmp = (struct igmp_message){ .type = IGMP_QUERY, .max_response_time = 10 };
		frame->igmp.checksum = (uint16_t)~rte_raw_cksum(&frame->igmp, 8);
		rte_pktmbuf_trim(m, (uint16_t)(sizeof(struct igmp_frame) - length));
		punt(m);
		poll_now();
		cr_assert_eq(counters()->drop[SLOWPATH_DROP_IGMP_MALFORMED], length + 1u);
	}
	igmp_arrives(IGMP_QUERY, 10, 0);
	poll_now();
	cr_assert_eq(counters()->drop[SLOWPATH_DROP_IGMP_MALFORMED], sizeof(struct igmp_frame));
}

Test(slowpath_vtep, a_turn_is_bounded_and_asks_to_be_called_again)
{
	gateway_open();
	for (unsigned i = 0; i < 500; i++)
		punt(arp_packet_make(UPLINK, INDEX_NONE, ARP_REQUEST, MAC(0x77), IP(203, 0, 113, 77),
			IP(203, 0, 113, 78)));
	cr_assert_leq(poll_now(), 64);
	unsigned turns = 1;
	while (poll_now() > 0)
		turns++;
	cr_assert_eq(turns, 8);
	cr_assert_gt(slowpath_next_due_ns(g.slowpath), g.now_ns);
	cr_assert_leq(slowpath_next_due_ns(g.slowpath), g.now_ns + 50 * NS_PER_MS);
}

Test(slowpath_vtep, a_workload_that_announces_itself_behind_a_vtep_not_seen_before_has_moved_there)
{
	struct move_record move;

	gateway_open();
	event(FDB_EVENT_NEW_VTEP, fdb_key(LAB, &MAC(7)), INDEX_NONE, INDEX_NONE, INDEX_NONE,
		IP(192, 0, 2, 33));
	poll_now();
	uint32_t before = tunnel_find(g.plane.tunnels, LAB, IP(192, 0, 2, 33));
	event(FDB_EVENT_NEW_VTEP, fdb_key(LAB, &MAC(7)), INDEX_NONE, INDEX_NONE, before, IP(192, 0, 2, 34));
	poll_now();
	cr_assert_eq(
		fdb_entry_of(LAB, MAC(7))->location, tunnel_find(g.plane.tunnels, LAB, IP(192, 0, 2, 34)));
	cr_assert_eq(slowpath_moves(g.slowpath, &move, 1, 0), 1);
	cr_assert_eq(move.old_vtep, IP(192, 0, 2, 33));
	cr_assert_eq(move.new_vtep, IP(192, 0, 2, 34));
}
