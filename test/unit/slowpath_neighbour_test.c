/* SPDX-License-Identifier: BSD-3-Clause */
#include "slowpath_fixture.h"

TestSuite(slowpath_neighbour, .init = gateway_ready, .fini = gateway_close);

/* A UDP packet from 198.51.100.7 that came in by the uplink, for `to` on `egress`. */
static struct rte_mbuf *packet_for(interface_id egress, rte_be32_t to, uint16_t id)
{
	struct rte_mbuf *m = packet_make(14 + 20 + 8, UPLINK, PUNT_UNRESOLVED);
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);

	*ip = (struct rte_ipv4_hdr){ .version_ihl = 0x45,
		.total_length = RTE_BE16(28),
		.packet_id = rte_cpu_to_be_16(id),
		.time_to_live = 63,
		.next_proto_id = 17,
		.src_addr = IP(198, 51, 100, 7),
		.dst_addr = to };
	packet_metadata(m)->egress = egress;
	packet_metadata(m)->next_hop = to;
	return m;
}

static unsigned unreachables(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < g.out_count; i++) {
		const uint8_t *icmp = (const uint8_t *)(sent_ip(i) + 1);
		n += g.out[i].meta.inject_stage == INJECT_RESOLVED_NEXT_HOP &&
		     sent_ip(i)->next_proto_id == 1 && icmp[0] == 3 && icmp[1] == 1;
	}
	return n;
}

Test(slowpath_neighbour, packets_wait_for_the_answer_and_leave_in_order)
{
	for (uint16_t id = 1; id <= 3; id++)
		punt(packet_for(WEB_INTERFACE, HOST_IP, id));
	poll_now();
	cr_assert_eq(requests_for(HOST_IP, false), 2, "one request, to each VTEP of the segment");
	cr_assert_eq(g.out_count, 2);
	cr_assert_neq(g.out[0].meta.tunnel, g.out[1].meta.tunnel);
	cr_assert_eq(sent_arp(0)->arp.sender_ip, WEB_GATEWAY);
	forget_sent();

	arp_in_segment(SITE_2, ARP_REPLY, MAC(5), HOST_IP, WEB_GATEWAY);
	poll_now();
	cr_assert_eq(g.out_count, 3);
	for (uint16_t i = 0; i < 3; i++) {
		cr_assert_eq(g.out[i].meta.inject_stage, INJECT_RESOLVED_NEXT_HOP);
		cr_assert_eq(g.out[i].meta.egress, WEB_INTERFACE);
		cr_assert_eq(g.out[i].meta.next_hop, HOST_IP);
		cr_assert_eq(sent_ip(i)->packet_id, rte_cpu_to_be_16((uint16_t)(i + 1)));
	}
	cr_assert(send_to(WEB_INTERFACE, HOST_IP));
}

Test(slowpath_neighbour, on_a_port_the_question_goes_out_once_by_broadcast)
{
	punt(packet_for(UPLINK, IP(203, 0, 113, 77), 1));
	poll_now();
	cr_assert_eq(g.out_count, 1);
	cr_assert_eq(g.out[0].meta.inject_stage, INJECT_PORT);
	cr_assert(is_request_for(0, IP(203, 0, 113, 77), false));
	arp_on_port(UPLINK, ARP_REPLY, MAC(0x77), IP(203, 0, 113, 77), UPLINK_IP);
	poll_now();
	cr_assert_eq(counters()->pending_sent, 1);
}

Test(slowpath_neighbour, the_queue_of_one_neighbour_is_bounded)
{
	for (uint16_t id = 0; id < 20; id++)
		punt(packet_for(WEB_INTERFACE, HOST_IP, id));
	poll_now();
	cr_assert_eq(counters()->pending_queued, 8);
	cr_assert_eq(counters()->drop[SLOWPATH_DROP_NEIGHBOUR_UNRESOLVED], 12);
	cr_assert_eq(requests_for(HOST_IP, false), 2);
}

Test(slowpath_neighbour, a_host_that_is_not_there_is_asked_three_times_and_then_reported_unreachable)
{
	punt(packet_for(WEB_INTERFACE, HOST_IP, 1));
	poll_now();
	pass_ms(2500);
	cr_assert_eq(requests_for(HOST_IP, false), 3 * 2);
	cr_assert_eq(counters()->drop[SLOWPATH_DROP_NEIGHBOUR_UNRESOLVED], 1, "a packet waits for a second");
	cr_assert_eq(unreachables(), 0);

	punt(packet_for(WEB_INTERFACE, HOST_IP, 2)); /* waits when the last try runs out */
	pass_ms(600);
	cr_assert_eq(requests_for(HOST_IP, false), 3 * 2);
	cr_assert_eq(unreachables(), 1);
	cr_assert_eq(neighbour_state_of(WEB_INTERFACE, HOST_IP), NEIGHBOUR_FAILED);

	punt(packet_for(
		WEB_INTERFACE, HOST_IP, 3)); /* during the hold-down: answered at once, nobody is asked */
	pass_ms(1000);
	cr_assert_eq(unreachables(), 2);
	cr_assert_eq(requests_for(HOST_IP, false), 3 * 2);

	pass_ms(3000);
	cr_assert_null(neighbour_at(WEB_INTERFACE, HOST_IP));
	punt(packet_for(WEB_INTERFACE, HOST_IP, 4));
	poll_now();
	cr_assert_eq(requests_for(HOST_IP, false), 4 * 2, "asked again after the hold-down");
}

Test(slowpath_neighbour, no_error_is_sent_about_a_packet_that_nat_has_changed)
{
	struct rte_mbuf *m = packet_for(WEB_INTERFACE, HOST_IP, 1);

	packet_metadata(m)->nat = NAT_FROM_OUTSIDE;
	punt(packet_for(WEB_INTERFACE, HOST_IP, 0));
	pass_ms(2500);
	punt(m);
	pass_ms(1000);
	cr_assert_eq(unreachables(), 0);
	cr_assert_eq(counters()->drop[SLOWPATH_DROP_NEIGHBOUR_UNRESOLVED], 2);
}

Test(slowpath_neighbour, one_in_use_is_asked_before_it_expires_and_never_lost)
{
	host_joins(SITE_1, MAC(5), HOST_IP);
	unsigned asked = 0;
	for (unsigned i = 0; i < 650; i++) { /* 65 s; the host talks, so nothing else asks it */
		pass_ms(100);
		heard(WEB, MAC(5), SITE_1);
		cr_assert(send_to(WEB_INTERFACE, HOST_IP));
		cr_assert_eq(requests_for(HOST_IP, false), 0, "there is no need to ask everyone");
		if (requests_for(HOST_IP, true) > 0) {
			arp_in_segment(SITE_1, ARP_REPLY, MAC(5), HOST_IP, WEB_GATEWAY);
			asked++;
		}
		forget_sent();
	}
	cr_assert_eq(asked, 2);
}

Test(slowpath_neighbour, one_that_stops_answering_is_asked_by_unicast_then_by_everyone_then_given_up)
{
	arp_on_port(UPLINK, ARP_REQUEST, MAC(0x77), IP(203, 0, 113, 77), UPLINK_IP);
	poll_now();
	forget_sent();
	for (unsigned i = 0; i < 380; i++) {
		pass_ms(100);
		send_to(UPLINK, IP(203, 0, 113, 77));
	}
	cr_assert_eq(requests_for(IP(203, 0, 113, 77), true), 3);
	cr_assert_eq(requests_for(IP(203, 0, 113, 77), false), 3);
	cr_assert_eq(neighbour_at(UPLINK, IP(203, 0, 113, 77))->mac, 0);
}

Test(slowpath_neighbour, an_unused_one_is_not_asked_and_forgotten_after_a_while)
{
	arp_on_port(UPLINK, ARP_REQUEST, MAC(0x77), IP(203, 0, 113, 77), UPLINK_IP);
	poll_now();
	forget_sent();
	pass_ms(290 * 1000);
	cr_assert_eq(requests_for(IP(203, 0, 113, 77), true) + requests_for(IP(203, 0, 113, 77), false), 0);
	cr_assert(send_to(UPLINK, IP(203, 0, 113, 77)), "it can still be used");
	pass_ms(60);
	cr_assert_eq(requests_for(IP(203, 0, 113, 77), true), 1, "and is asked for as soon as it is");
	arp_on_port(UPLINK, ARP_REPLY, MAC(0x77), IP(203, 0, 113, 77), UPLINK_IP);
	pass_ms(1000);
	forget_sent();
	pass_ms(301 * 1000);
	cr_assert_null(neighbour_at(UPLINK, IP(203, 0, 113, 77)));
}

Test(slowpath_neighbour, a_scan_of_nobody_does_not_fill_the_table)
{
	for (unsigned i = 1; i < 200; i++) {
		punt(packet_for(WEB_INTERFACE, IP(10, 0, 1, 0) | rte_cpu_to_be_32(i), (uint16_t)i));
		poll_now();
	}
	cr_assert_leq(g.plane.neighbours->used, 40);
	host_joins(SITE_1, MAC(5), HOST_IP);
	cr_assert(send_to(WEB_INTERFACE, HOST_IP));
}

Test(slowpath_neighbour,
	a_packet_that_finds_its_neighbour_answered_meanwhile_leaves_at_once_and_does_not_circle)
{
	host_joins(SITE_1, MAC(5), HOST_IP);
	struct rte_mbuf *m = packet_for(WEB_INTERFACE, HOST_IP, 1);
	punt(m);
	poll_now();
	cr_assert_eq(g.out_count, 1);
	cr_assert_eq(g.out[0].m, m);
	g.out_count = 0;
	punt(m); /* and again: the path cannot send it */
	poll_now();
	cr_assert_eq(g.out_count, 0);
	pass_ms(1100);
	cr_assert_eq(counters()->drop[SLOWPATH_DROP_NEIGHBOUR_UNRESOLVED], 1);
}

Test(slowpath_neighbour, a_host_that_the_mac_limit_refuses_is_not_asked_for_with_every_packet)
{
	g.plane.segments->segment[WEB].mac_limit = 0;
	host_joins(SITE_1, MAC(5), HOST_IP);
	cr_assert_not(send_to(WEB_INTERFACE, HOST_IP));
	for (uint16_t id = 0; id < 300; id++) { /* 3 s; it answers each time */
		unsigned before = g.out_count;
		punt(packet_for(WEB_INTERFACE, HOST_IP, id));
		pass_ms(10);
		if (g.out_count > before)
			arp_in_segment(SITE_1, ARP_REPLY, MAC(5), HOST_IP, WEB_GATEWAY);
	}
	cr_assert_leq(requests_for(HOST_IP, false), 3 * 2);
	pass_ms(1100);
	cr_assert_eq(counters()->drop[SLOWPATH_DROP_NEIGHBOUR_UNRESOLVED], 300);
}
