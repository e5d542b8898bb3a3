/* SPDX-License-Identifier: BSD-3-Clause */
#include "slowpath_fixture.h"

TestSuite(slowpath_arp, .init = gateway_ready, .fini = gateway_close);

Test(slowpath_arp, a_workload_that_asks_for_its_gateway_is_answered_by_the_tunnel_it_asked_through)
{
	arp_in_segment(SITE_2, ARP_REQUEST, MAC(5), HOST_IP, WEB_GATEWAY);
	poll_now();
	cr_assert_eq(g.out_count, 1);
	const struct arp_frame_in *reply = sent_arp(0);
	cr_assert_eq(g.out[0].meta.inject_stage, INJECT_TUNNEL);
	cr_assert_eq(g.out[0].meta.tunnel, SITE_2);
	cr_assert(g.out[0].meta.flags & PACKET_INNER_READY);
	cr_assert_eq(reply->arp.operation, RTE_BE16(ARP_REPLY));
	cr_assert_eq(reply->arp.sender_ip, WEB_GATEWAY);
	cr_assert_eq(reply->arp.target_ip, HOST_IP);
	const struct rte_ether_addr gateway = g.plane.segments->segment[WEB].mac, host = MAC(5);
	cr_assert(rte_is_same_ether_addr(&reply->arp.sender_mac, &gateway));
	cr_assert(rte_is_same_ether_addr(&reply->ethernet.src_addr, &gateway));
	cr_assert(rte_is_same_ether_addr(&reply->ethernet.dst_addr, &host));
	cr_assert(rte_is_same_ether_addr(&reply->arp.target_mac, &host));
}

Test(slowpath_arp, whoever_asked_us_needs_no_resolution)
{
	host_joins(SITE_1, MAC(5), HOST_IP);
	cr_assert(send_to(WEB_INTERFACE, HOST_IP));
	arp_on_port(UPLINK, ARP_REQUEST, MAC(0x77), IP(203, 0, 113, 77), UPLINK_IP);
	poll_now();
	cr_assert(send_to(UPLINK, IP(203, 0, 113, 77)));
}

Test(slowpath_arp, a_port_answers_for_its_address_and_for_the_public_addresses_of_nat)
{
	const rte_be32_t asked[] = { UPLINK_IP, IP(203, 0, 113, 20), IP(198, 51, 100, 9) };

	for (unsigned i = 0; i < RTE_DIM(asked); i++) {
		arp_on_port(UPLINK, ARP_REQUEST, MAC(0xfe), IP(203, 0, 113, 254), asked[i]);
		poll_now();
		cr_assert_eq(g.out_count, 1, "address %u", i);
		cr_assert_eq(g.out[0].meta.inject_stage, INJECT_PORT);
		cr_assert_eq(g.out[0].meta.egress, UPLINK);
		cr_assert_eq(sent_arp(0)->arp.sender_ip, asked[i]);
		cr_assert_geq(g.out[0].m->pkt_len, 60, "Ethernet's shortest frame");
		forget_sent();
	}
}

Test(slowpath_arp, nobody_is_answered_for_addresses_of_others)
{
	arp_on_port(
		UPLINK, ARP_REQUEST, MAC(0xfe), IP(203, 0, 113, 254), IP(203, 0, 113, 77)); /* a host there */
	arp_on_port(
		UPLINK, ARP_REQUEST, MAC(0xfe), IP(203, 0, 113, 254), IP(192, 0, 2, 1)); /* of another port */
	arp_on_port(UNDERLAY, ARP_REQUEST, MAC(0x11), IP(192, 0, 2, 11),
		IP(203, 0, 113, 20)); /* NAT's, elsewhere */
	arp_in_segment(SITE_1, ARP_REQUEST, MAC(5), HOST_IP, IP(10, 0, 1, 6));
	arp_in_segment(
		SITE_1, ARP_REQUEST, MAC(5), HOST_IP, IP(10, 0, 2, 1)); /* the gateway of another segment */
	arp_in_segment(SITE_1, ARP_REQUEST, MAC(5), HOST_IP, IP(203, 0, 113, 20));
	poll_now();
	cr_assert_eq(g.out_count, 0);
	cr_assert_eq(counters()->arp_ignored, 6);
}

Test(slowpath_arp, an_address_probe_for_our_address_is_answered_and_teaches_nothing)
{
	arp_on_port(UPLINK, ARP_REQUEST, MAC(0x77), 0, UPLINK_IP);
	poll_now();
	cr_assert_eq(g.out_count, 1);
	cr_assert_null(neighbour_at(UPLINK, 0));
}

Test(slowpath_arp, requests_for_others_make_no_neighbours)
{
	arp_on_port(UPLINK, ARP_REQUEST, MAC(0x77), IP(203, 0, 113, 77), IP(203, 0, 113, 78));
	arp_on_port(UPLINK, ARP_REPLY, MAC(0x78), IP(203, 0, 113, 78), UPLINK_IP); /* that nobody asked for */
	arp_on_port(UPLINK, ARP_REQUEST, MAC(0x79), IP(203, 0, 113, 79), IP(203, 0, 113, 79));
	arp_on_port(UPLINK, ARP_REQUEST, MAC(0x80), IP(172, 16, 0, 1), UPLINK_IP); /* not of this link */
	poll_now();
	cr_assert_null(neighbour_at(UPLINK, IP(203, 0, 113, 77)));
	cr_assert_null(neighbour_at(UPLINK, IP(203, 0, 113, 78)));
	cr_assert_null(neighbour_at(UPLINK, IP(203, 0, 113, 79)));
	cr_assert_null(neighbour_at(UPLINK, IP(172, 16, 0, 1)));
}

Test(slowpath_arp, a_gratuitous_arp_changes_the_mac_of_a_known_neighbour)
{
	const struct rte_ether_addr after = MAC(6);

	host_joins(SITE_1, MAC(5), HOST_IP);
	arp_in_segment(SITE_1, ARP_REQUEST, after, HOST_IP, HOST_IP);
	poll_now();
	const struct neighbour *host = neighbour_at(WEB_INTERFACE, HOST_IP);
	cr_assert_eq(host->mac, fdb_mac_bits(&after));
	cr_assert_eq(host->fdb, fdb_find(g.plane.fdb, fdb_key(WEB, &after)));
	cr_assert_eq(g.out_count, 0, "an announcement wants no answer");
}

Test(slowpath_arp, our_own_addresses_are_never_learned_from_others)
{
	arp_in_segment(SITE_1, ARP_REQUEST, MAC(5), WEB_GATEWAY, WEB_GATEWAY);
	arp_in_segment(SITE_1, ARP_REPLY, MAC(5), WEB_GATEWAY, HOST_IP);
	arp_on_port(UPLINK, ARP_REQUEST, MAC(0x77), UPLINK_IP, UPLINK_IP);
	arp_on_port(UPLINK, ARP_REQUEST, MAC(0x77), IP(203, 0, 113, 20), UPLINK_IP);
	poll_now();
	cr_assert_null(neighbour_at(WEB_INTERFACE, WEB_GATEWAY));
	cr_assert_null(neighbour_at(UPLINK, UPLINK_IP));
	cr_assert_null(neighbour_at(UPLINK, IP(203, 0, 113, 20)));
	cr_assert_eq(counters()->address_conflicts, 4);
}

Test(slowpath_arp, a_truncated_arp_packet_is_a_named_drop_at_every_length)
{
	for (uint16_t length = 0; length < sizeof(struct arp_frame_in); length++) {
		struct rte_mbuf *m = arp_packet_make(
			UPLINK, INDEX_NONE, ARP_REQUEST, MAC(0x77), IP(203, 0, 113, 77), UPLINK_IP);
		rte_pktmbuf_trim(m, (uint16_t)(sizeof(struct arp_frame_in) - length));
		punt(m);
		poll_now();
		cr_assert_eq(counters()->drop[SLOWPATH_DROP_ARP_MALFORMED], length + 1u);
	}
	cr_assert_eq(g.out_count, 0);
	cr_assert_null(neighbour_at(UPLINK, IP(203, 0, 113, 77)));
}

Test(slowpath_arp, an_arp_packet_with_a_wrong_field_is_a_named_drop)
{
	for (unsigned field = 0; field < 8; field++) {
		struct rte_mbuf *m = arp_packet_make(
			UPLINK, INDEX_NONE, ARP_REQUEST, MAC(0x77), IP(203, 0, 113, 77), UPLINK_IP);
		struct arp_frame_in *frame = rte_pktmbuf_mtod(m, struct arp_frame_in *);
		switch (field) {
		case 0:
			frame->arp.hardware_type = RTE_BE16(6);
			break;
		case 1:
			frame->arp.protocol_type = RTE_BE16(0x86dd);
			break;
		case 2:
			frame->arp.hardware_length = 8;
			break;
		case 3:
			frame->arp.protocol_length = 16;
			break;
		case 4:
			frame->arp.operation = 0;
			break;
		case 5:
			frame->arp.operation = RTE_BE16(9);
			break;
		case 6:
			frame->arp.sender_mac = (struct rte_ether_addr){ { 1, 0, 0x5e, 0, 0, 1 } };
			break;
		case 7:
			frame->arp.sender_mac = (struct rte_ether_addr){ { 0 } };
			break;
		}
		punt(m);
		poll_now();
		cr_assert_eq(counters()->drop[SLOWPATH_DROP_ARP_MALFORMED], field + 1, "field %u", field);
	}
	cr_assert_eq(g.out_count, 0);
}

/* Each slow path drop has its name and sentence among the drops of the path. */
Test(slowpath_arp, every_drop_has_a_name)
{
	static const enum drop_reason name[] = {
#define SLOWPATH_DROP(identifier) [SLOWPATH_DROP_##identifier] = DROP_##identifier,
#include "slowpath/slowpath_drop.def"
#undef SLOWPATH_DROP
	};
	cr_assert_eq(RTE_DIM(name), SLOWPATH_DROPS);
}
