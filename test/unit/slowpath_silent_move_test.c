/* SPDX-License-Identifier: BSD-3-Clause */
/* A small world: one host that is somewhere, and does or does not talk, and does or does not answer ARP. Each turn of
 * 10 ms it receives what the slow path sends by its tunnel. */
#include "slowpath_fixture.h"

static struct host {
	uint32_t tunnel;
	bool talks, answers;
	uint64_t found_ns; /* when the first question reached it since it moved */
} host;

TestSuite(slowpath_silent_move, .init = gateway_ready, .fini = gateway_close);

static void host_receives(unsigned first)
{
	for (unsigned i = first; i < g.out_count; i++) {
		const struct arp_frame_in *frame = sent_arp(i);
		if (frame == NULL || frame->arp.target_ip != HOST_IP || g.out[i].meta.tunnel != host.tunnel)
			continue;
		if (host.found_ns == 0)
			host.found_ns = g.now_ns;
		if (host.answers)
			arp_in_segment(host.tunnel, ARP_REPLY, MAC(5), HOST_IP, WEB_GATEWAY);
	}
}

/* `every_ms`: how often something is sent to the host; 0: never. */
static void live_ms(unsigned ms, unsigned every_ms)
{
	for (unsigned t = 0; t < ms; t += 10) {
		unsigned first = g.out_count;
		g.now_ns += 10 * NS_PER_MS;
		if (host.talks)
			heard(WEB, MAC(5), host.tunnel);
		if (every_ms != 0 && t % every_ms == 0)
			send_to(WEB_INTERFACE, HOST_IP);
		poll_now();
		host_receives(first);
		if (g.out_count > OUT_MAX / 2)
			forget_sent();
	}
}

static void host_settles(bool talks, bool answers)
{
	host_joins(SITE_1, MAC(5), HOST_IP);
	host = (struct host){ .tunnel = SITE_1, .talks = talks, .answers = answers };
}

static uint32_t host_location(void)
{
	return fdb_entry_of(WEB, MAC(5))->location;
}

Test(slowpath_silent_move, a_workload_that_moved_in_silence_is_found_in_under_half_a_second)
{
	struct move_record move;

	host_settles(true, true);
	live_ms(2000, 10);
	cr_assert_eq(counters()->silent_probes_unicast, 0, "one that talks is left alone");

	host.tunnel = SITE_2;
	host.talks = false; /* it waits for data, as the receiver of a stalled transfer does */
	uint64_t moved_ns = g.now_ns;
	live_ms(1000, 10);
	cr_assert_eq(host_location(), SITE_2);
	cr_assert_leq(host.found_ns - moved_ns, 500 * NS_PER_MS);
	cr_assert_eq(counters()->silent_found, 1);
	cr_assert_eq(slowpath_moves(g.slowpath, &move, 1, 0), 1);
	cr_assert(move.found_by_probe);
	cr_assert_leq(move.silent_ns, 500 * NS_PER_MS);
}

Test(slowpath_silent_move, wherever_in_a_sweep_the_move_happens)
{
	host_settles(true, true);
	for (unsigned round = 0; round < 10; round++) {
		host.talks = true;
		live_ms(2000 + 10 * round, 10);
		host.tunnel = host.tunnel == SITE_1 ? SITE_2 : SITE_1;
		host.talks = false;
		host.found_ns = 0;
		uint64_t moved_ns = g.now_ns;
		live_ms(1000, 10);
		cr_assert_eq(host_location(), host.tunnel);
		cr_assert_leq(host.found_ns - moved_ns, 400 * NS_PER_MS, "round %u", round);
	}
}

Test(slowpath_silent_move, it_is_asked_twice_where_it_was_before_anybody_else_is_asked)
{
	host_settles(true, true);
	live_ms(500, 10);
	forget_sent();
	host.tunnel = SITE_2;
	host.talks = false;
	live_ms(500, 10);
	cr_assert_geq(g.out_count, 4);
	cr_assert(is_request_for(0, HOST_IP, true));
	cr_assert(is_request_for(1, HOST_IP, true));
	cr_assert_eq(g.out[0].meta.tunnel, SITE_1);
	cr_assert_geq(g.out[1].at_ns - g.out[0].at_ns, 50 * NS_PER_MS);
	cr_assert(is_request_for(2, HOST_IP, false));
	cr_assert(is_request_for(3, HOST_IP, false));
	cr_assert_geq(g.out[2].at_ns - g.out[1].at_ns, 50 * NS_PER_MS);
	const struct rte_ether_addr gateway = g.plane.segments->segment[WEB].mac, mac = MAC(5);
	cr_assert(rte_is_same_ether_addr(&sent_arp(0)->arp.sender_mac, &gateway));
	cr_assert(rte_is_same_ether_addr(&sent_arp(0)->ethernet.dst_addr, &mac));
	cr_assert_eq(sent_arp(0)->arp.sender_ip, WEB_GATEWAY);
}

Test(slowpath_silent_move, even_when_tcp_has_slowed_down_to_a_retransmission_now_and_then)
{
	host_settles(true, true);
	live_ms(500, 10);
	host.tunnel = SITE_2;
	host.talks = false;
	uint64_t moved_ns = g.now_ns;
	live_ms(10, 10);
	live_ms(200, 0);
	live_ms(10, 10);
	live_ms(780, 0);
	cr_assert_eq(host_location(), SITE_2);
	cr_assert_leq(host.found_ns - moved_ns, 500 * NS_PER_MS);
}

Test(slowpath_silent_move, a_quiet_receiver_is_never_flooded_for)
{
	host_settles(false, true);
	live_ms(60 * 1000, 10);
	cr_assert_eq(counters()->silent_probes_flooded, 0);
	cr_assert_gt(counters()->silent_probes_unicast, 0);
	cr_assert_leq(counters()->silent_probes_unicast, 60 * 1000 / 300, "and asked no more than needed");
	cr_assert_eq(requests_for(HOST_IP, false), 0);
}

Test(slowpath_silent_move, a_quiet_receiver_that_moves_in_silence_is_found_in_under_a_second)
{
	host_settles(false, true);
	for (unsigned round = 0; round < 10; round++) { /* at different phases of the asking */
		live_ms(2000 + 30 * round, 10);
		host.tunnel = host.tunnel == SITE_1 ? SITE_2 : SITE_1;
		host.found_ns = 0;
		uint64_t moved_ns = g.now_ns;
		live_ms(1000, 10);
		cr_assert_eq(host_location(), host.tunnel);
		cr_assert_leq(host.found_ns - moved_ns, 600 * NS_PER_MS, "round %u", round);
	}
	cr_assert_eq(counters()->moves, 10);
}

Test(slowpath_silent_move, a_single_packet_to_one_that_moved_while_nothing_was_sent_starts_the_search)
{
	host_settles(true, true);
	live_ms(500, 10);
	host.tunnel = SITE_2;
	host.talks = false;
	live_ms(20 * 1000, 0);
	cr_assert_eq(counters()->silent_probes_unicast, 0, "nobody sends, nobody asks");
	uint64_t sent_ns = g.now_ns;
	live_ms(10, 10);
	live_ms(990, 0);
	cr_assert_eq(host_location(), SITE_2);
	cr_assert_leq(host.found_ns - sent_ns, 500 * NS_PER_MS);
}

Test(slowpath_silent_move, a_conversation_in_both_directions_causes_no_questions)
{
	host_settles(false, true);
	for (unsigned i = 0; i < 100; i++) { /* request and answer, with pauses */
		live_ms(10, 10);
		heard(WEB, MAC(5), SITE_1);
		live_ms(170, 0);
	}
	cr_assert_eq(counters()->silent_probes_unicast, 0);
}

Test(slowpath_silent_move, a_dead_host_is_asked_for_ever_less_often_and_finally_given_up)
{
	host_settles(true, false);
	live_ms(500, 10);
	host.talks = false;
	live_ms(1000, 10);
	uint64_t first = counters()->silent_probes_flooded;
	cr_assert_geq(first, 2);
	cr_assert_leq(first, 4, "at 100, 200, 400 ms after one another");
	live_ms(20 * 1000, 10);
	cr_assert_leq(counters()->silent_probes_flooded, 12);
	live_ms(60 * 1000, 10);
	uint64_t given_up = counters()->silent_probes_flooded;
	cr_assert_null(neighbour_at(WEB_INTERFACE, HOST_IP));
	live_ms(60 * 1000, 10);
	cr_assert_eq(counters()->silent_probes_flooded, given_up);
}

Test(slowpath_silent_move, the_search_pauses_when_nothing_more_is_sent)
{
	host_settles(true, false);
	live_ms(500, 10);
	host.talks = false;
	live_ms(400, 10);
	uint64_t flooded = counters()->silent_probes_flooded;
	cr_assert_geq(flooded, 1);
	live_ms(10 * 1000, 0);
	cr_assert_leq(counters()->silent_probes_flooded, flooded + 1);
}

Test(slowpath_silent_move, any_frame_from_it_ends_the_search)
{
	host_settles(true, false);
	live_ms(500, 10);
	host.talks = false;
	live_ms(240, 10);
	cr_assert_gt(counters()->silent_probes_unicast, 0);
	host.talks = true;
	live_ms(50, 10);
	uint64_t asked = counters()->arp_requests_sent;
	live_ms(5000, 10);
	cr_assert_eq(counters()->arp_requests_sent, asked);
}

static void small_budget(void)
{
	gateway_prepare();
	g.plane.segments->segment[WEB].mac_limit = 60;
	g.settings.floods_a_second = 5;
	gateway_open();
}

TestSuite(slowpath_silent_budget, .init = small_budget, .fini = gateway_close);

Test(slowpath_silent_budget, many_dead_hosts_cannot_make_a_storm)
{
	for (uint8_t i = 10; i < 50; i++)
		host_joins(SITE_1, MAC(i), IP(10, 0, 1, 0) | rte_cpu_to_be_32(i));
	for (unsigned t = 0; t < 5000; t += 10) {
		for (uint8_t i = 10; i < 50; i++)
			send_to(WEB_INTERFACE, IP(10, 0, 1, 0) | rte_cpu_to_be_32(i));
		pass_ms(10);
	}
	cr_assert_geq(counters()->silent_probes_flooded, 20);
	cr_assert_leq(counters()->silent_probes_flooded, 5 * 5 + 2);
	cr_assert_leq(counters()->silent_probes_unicast, 2 * 40);
}
