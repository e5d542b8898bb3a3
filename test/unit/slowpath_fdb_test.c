/* SPDX-License-Identifier: BSD-3-Clause */
#include "slowpath_fixture.h"

TestSuite(slowpath_fdb, .init = gateway_ready, .fini = gateway_close);

static uint32_t moves(struct move_record *out, uint32_t max)
{
	return slowpath_moves(g.slowpath, out, max, 0);
}

Test(slowpath_fdb, a_workload_is_learned_from_its_first_frame)
{
	heard(WEB, MAC(5), SITE_2);
	poll_now();
	cr_assert_eq(fdb_entry_of(WEB, MAC(5))->location, SITE_2);
	cr_assert_null(fdb_entry_of(LAB, MAC(5)));
	heard(WEB, MAC(5), SITE_2);
	event(FDB_EVENT_NEW, fdb_key(WEB, &MAC(5)), INDEX_NONE, SITE_2, INDEX_NONE, 0); /* told twice */
	poll_now();
	cr_assert_eq(counters()->macs_learned, 1);
	cr_assert_eq(g.plane.segments->segment[WEB].mac_count, 1);
}

Test(slowpath_fdb, the_mac_limit_of_a_segment_refuses_the_new_and_keeps_the_old)
{
	for (uint8_t i = 0; i < 12; i++)
		heard(WEB, MAC(i), SITE_1);
	heard(LAB, MAC(1), GROUP);
	poll_now();
	cr_assert_eq(g.plane.segments->segment[WEB].mac_count, 8);
	cr_assert_eq(g.plane.segments->segment[WEB].mac_refused, 4);
	cr_assert_eq(counters()->macs_refused, 4);
	cr_assert_not_null(fdb_entry_of(WEB, MAC(7)));
	cr_assert_null(fdb_entry_of(WEB, MAC(8)));
	cr_assert_not_null(fdb_entry_of(LAB, MAC(1)), "the limit is each segment's own");
}

Test(slowpath_fdb, a_mac_that_is_not_heard_for_its_age_is_forgotten_and_gives_its_room_back)
{
	heard(WEB, MAC(5), SITE_1);
	heard(WEB, MAC(6), SITE_1);
	poll_now();
	pass_ms(200 * 1000);
	heard(WEB, MAC(6), SITE_1);
	pass_ms(101 * 1000);
	cr_assert_null(fdb_entry_of(WEB, MAC(5)));
	cr_assert_not_null(fdb_entry_of(WEB, MAC(6)));
	cr_assert_eq(g.plane.segments->segment[WEB].mac_count, 1);
	cr_assert_eq(counters()->macs_aged, 1);
}

static void quick_ageing(void)
{
	static const uint32_t age[] = { 5, 5 };

	gateway_prepare();
	g.settings.segment_mac_age_s = age;
	gateway_open();
}

TestSuite(slowpath_fdb_ageing, .init = quick_ageing, .fini = gateway_close);

Test(slowpath_fdb_ageing, a_mac_that_a_used_and_answering_neighbour_needs_is_not_aged)
{
	host_joins(SITE_1, MAC(5), HOST_IP);
	heard(WEB, MAC(6), SITE_1);
	for (unsigned s = 0; s < 20;
		s++) { /* nothing is sent to the MAC for 20 s but the neighbour counts as used */
		pass_ms(1000);
		fdb_touch(&neighbour_at(WEB_INTERFACE, HOST_IP)->last_used, clock_tick_of_ns(g.now_ns));
	}
	cr_assert_not_null(fdb_entry_of(WEB, MAC(5)));
	cr_assert_null(fdb_entry_of(WEB, MAC(6)));
}

Test(slowpath_fdb_ageing, a_neighbour_follows_its_mac_out_of_the_fdb_and_back)
{
	host_joins(SITE_1, MAC(5), HOST_IP);
	pass_ms(40 * 1000);
	cr_assert_null(fdb_entry_of(WEB, MAC(5)));
	cr_assert_eq(neighbour_at(WEB_INTERFACE, HOST_IP)->fdb, INDEX_NONE);
	forget_sent();

	cr_assert_not(send_to(WEB_INTERFACE, HOST_IP));
	pass_ms(60);
	cr_assert_eq(
		requests_for(HOST_IP, false), 2, "its place is not known, so everyone is asked, at once");
	heard(WEB, MAC(5), SITE_2);
	poll_now();
	cr_assert(send_to(WEB_INTERFACE, HOST_IP));
	cr_assert_eq(
		&g.plane.fdb->entry[neighbour_at(WEB_INTERFACE, HOST_IP)->fdb], fdb_entry_of(WEB, MAC(5)));
}

Test(slowpath_fdb, arp_alone_teaches_the_place_when_the_event_was_lost)
{
	punt(arp_packet_make(WEB_INTERFACE, SITE_2, ARP_REQUEST, MAC(5), HOST_IP, WEB_GATEWAY));
	poll_now();
	cr_assert_eq(fdb_entry_of(WEB, MAC(5))->location, SITE_2);
	cr_assert(send_to(WEB_INTERFACE, HOST_IP));
}

Test(slowpath_fdb, the_ledger_tells_a_move_with_both_vteps_and_the_sessions_kept)
{
	struct move_record move[4];

	host_joins(SITE_1, MAC(5), HOST_IP);
	heard(WEB, MAC(5), SITE_1);
	g.sessions_of_a_host = 3;
	pass_ms(700);
	heard(WEB, MAC(5), SITE_2);
	poll_now();
	cr_assert_eq(moves(move, 4), 1);
	cr_assert_eq(move[0].serial, 1);
	cr_assert_eq(move[0].segment, WEB);
	cr_assert_eq(move[0].old_vtep, IP(192, 0, 2, 11));
	cr_assert_eq(move[0].new_vtep, IP(192, 0, 2, 12));
	cr_assert_eq(move[0].ip, HOST_IP);
	cr_assert(rte_is_same_ether_addr(&move[0].mac, &MAC(5)));
	cr_assert_eq(move[0].sessions_kept, 3);
	cr_assert_not(move[0].found_by_probe);
	cr_assert_eq(move[0].when_ns, g.now_ns);
	cr_assert_gt(move[0].wall_ns, 1000000000ull * 1000000000ull);
	cr_assert_geq(move[0].silent_ns, 600 * NS_PER_MS);
	cr_assert_leq(move[0].silent_ns, 700 * NS_PER_MS);
	cr_assert_eq(g.out_count, 0, "a move makes no packets");
}

Test(slowpath_fdb, a_mac_without_an_address_moves_with_its_sessions_not_counted)
{
	struct move_record move;

	heard(WEB, MAC(5), SITE_1);
	poll_now();
	heard(WEB, MAC(5), SITE_2);
	poll_now();
	cr_assert_eq(moves(&move, 1), 1);
	cr_assert_eq(move.ip, 0);
	cr_assert_eq(move.sessions_kept, -1);
}

Test(slowpath_fdb, late_packets_are_put_down_to_the_move_they_belong_to)
{
	struct move_record move[4];

	heard(WEB, MAC(5), SITE_1);
	poll_now();
	uint32_t at = fdb_find(g.plane.fdb, fdb_key(WEB, &MAC(5)));
	_Atomic uint32_t *late = &g.plane.fdb->record[at].late_packets;
	heard(WEB, MAC(5), SITE_2);
	*late += 2; /* before management has even heard of the move */
	poll_now();
	*late += 1;
	cr_assert_eq(moves(move, 4), 1);
	cr_assert_eq(move[0].late_packets, 3, "as it is being counted");
	pass_ms(100);
	heard(WEB, MAC(5), SITE_1);
	poll_now();
	*late += 10;
	cr_assert_eq(moves(move, 4), 2);
	cr_assert_eq(move[0].late_packets, 10);
	cr_assert_eq(move[1].late_packets, 3, "frozen by the next move");
	pass_ms(301 * 1000); /* it ages out, and another takes its place in the table */
	for (uint8_t i = 20; i < 28; i++)
		heard(WEB, MAC(i), SITE_1);
	pass_ms(100);
	*late += 100;
	cr_assert_eq(moves(move, 4), 2);
	cr_assert_eq(move[0].late_packets, 10);
}

Test(slowpath_fdb, a_mac_that_two_hosts_have_does_not_push_the_moves_of_others_out_of_the_ledger)
{
	static struct move_record move[MOVES_KEPT];

	heard(WEB, MAC(6), SITE_1);
	heard(WEB, MAC(5), SITE_1);
	poll_now();
	heard(WEB, MAC(6), SITE_2);
	for (uint32_t i = 0; i < 2 * MOVES_KEPT; i++) {
		heard(WEB, MAC(5), i % 2 == 0 ? SITE_2 : SITE_1);
		pass_ms(1);
	}
	cr_assert_eq(moves(move, MOVES_KEPT), 11, "one, and ten before it is called a duplicate");
	cr_assert_eq(move[0].repeats, 2 * MOVES_KEPT - 10);
	cr_assert_eq(move[10].mac.addr_bytes[5], MAC(6).addr_bytes[5]);
	cr_assert_eq(counters()->duplicate_macs, 1, "said once");
	cr_assert_eq(counters()->moves, 2 * MOVES_KEPT + 1);
	pass_ms(180 * 1000); /* quiet again */
	heard(WEB, MAC(5), SITE_2);
	pass_ms(100);
	cr_assert_eq(moves(move, MOVES_KEPT), 12);
	cr_assert_eq(move[0].repeats, 0);
}

Test(slowpath_fdb, a_move_whose_event_was_lost_is_in_the_ledger_all_the_same_and_once)
{
	struct move_record move[4];
	struct fdb_event lost;

	heard(WEB, MAC(5), SITE_1);
	poll_now();
	heard(WEB, MAC(5), SITE_2);
	cr_assert_eq(rte_ring_dequeue_elem(g.events.ring, &lost, sizeof(lost)), 0);
	pass_ms(100);
	cr_assert_eq(moves(move, 4), 1);
	cr_assert_eq(rte_ring_enqueue_elem(g.events.ring, &lost, sizeof(lost)), 0); /* late, not lost */
	pass_ms(100);
	cr_assert_eq(moves(move, 4), 1);
}

Test(slowpath_fdb, the_ledger_keeps_the_newest_moves_and_pages_through_them)
{
	static struct move_record move[MOVES_KEPT + 10];

	heard(WEB, MAC(5), SITE_1);
	poll_now();
	for (unsigned i = 0; i < MOVES_KEPT + 5; i++) {
		g.now_ns += 20 * NS_PER_SECOND; /* or it would be a duplicate */
		heard(WEB, MAC(5), i % 2 == 0 ? SITE_2 : SITE_1);
		poll_now();
	}
	cr_assert_eq(moves(move, MOVES_KEPT + 10), MOVES_KEPT);
	cr_assert_eq(move[0].serial, MOVES_KEPT + 5);
	cr_assert_eq(move[MOVES_KEPT - 1].serial, 6);
	cr_assert_eq(slowpath_moves(g.slowpath, move, 3, 2), 3);
	cr_assert_eq(move[0].serial, MOVES_KEPT + 3);
	cr_assert_eq(slowpath_moves(g.slowpath, move, 3, MOVES_KEPT + 50), 0);
}
