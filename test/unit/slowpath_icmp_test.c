/* SPDX-License-Identifier: BSD-3-Clause */
#include "slowpath_fixture.h"
#include <rte_udp.h>

TestSuite(slowpath_icmp, .init = gateway_ready, .fini = gateway_close);

struct ip_frame {
	struct rte_ether_hdr ethernet;
	struct rte_ipv4_hdr ip;
	uint8_t payload[1400];
} __attribute__((packed));

/* An IP packet of `payload` bytes after the header, as it arrived. */
static struct rte_mbuf *ip_packet(interface_id ingress, uint8_t reason, rte_be32_t from, rte_be32_t to,
	uint8_t protocol, uint16_t payload)
{
	struct rte_mbuf *m = packet_make((uint16_t)(34 + payload), ingress, reason);
	struct ip_frame *frame = rte_pktmbuf_mtod(m, struct ip_frame *);

	frame->ethernet.dst_addr = (struct rte_ether_addr){ { 2, 0, 0, 0, 0, 2 } };
	frame->ip = (struct rte_ipv4_hdr){ .version_ihl = 0x45,
		.total_length = rte_cpu_to_be_16((uint16_t)(20 + payload)),
		.packet_id = RTE_BE16(0x4711),
		.time_to_live = 1,
		.next_proto_id = protocol,
		.src_addr = from,
		.dst_addr = to };
	frame->ip.hdr_checksum = rte_ipv4_cksum(&frame->ip);
	for (uint16_t i = 0; i < payload; i++)
		frame->payload[i] = (uint8_t)i;
	return m;
}

static struct rte_mbuf *echo_request(interface_id ingress, rte_be32_t from, rte_be32_t to, uint16_t data)
{
	struct rte_mbuf *m = ip_packet(ingress, PUNT_LOCAL, from, to, 1, (uint16_t)(8 + data));
	struct rte_icmp_hdr *icmp = rte_pktmbuf_mtod_offset(m, struct rte_icmp_hdr *, 34);

	icmp->icmp_type = 8;
	icmp->icmp_code = 0;
	icmp->icmp_cksum = 0;
	icmp->icmp_cksum = (uint16_t)~rte_raw_cksum(icmp, 8u + data);
	return m;
}

static const struct rte_icmp_hdr *sent_icmp(unsigned i)
{
	const struct rte_ipv4_hdr *ip = sent_ip(i);
	const struct rte_icmp_hdr *icmp = (const void *)((const uint8_t *)ip + rte_ipv4_hdr_len(ip));
	uint16_t length = (uint16_t)(rte_be_to_cpu_16(ip->total_length) - rte_ipv4_hdr_len(ip));

	cr_assert_eq(rte_raw_cksum(ip, rte_ipv4_hdr_len(ip)), 0xffff, "IP checksum");
	cr_assert_eq(rte_raw_cksum(icmp, length), 0xffff, "ICMP checksum");
	cr_assert_eq(g.out[i].m->pkt_len, 14u + rte_be_to_cpu_16(ip->total_length));
	return icmp;
}

Test(slowpath_icmp, the_gateway_answers_a_ping_of_any_size)
{
	const uint16_t sizes[] = { 0, 1, 56, 1391 };

	for (unsigned i = 0; i < RTE_DIM(sizes); i++) {
		punt(echo_request(WEB_INTERFACE, HOST_IP, WEB_GATEWAY, sizes[i]));
		poll_now();
		cr_assert_eq(g.out_count, 1);
		cr_assert_eq(sent_icmp(0)->icmp_type, 0);
		cr_assert_eq(sent_ip(0)->src_addr, WEB_GATEWAY);
		cr_assert_eq(sent_ip(0)->dst_addr, HOST_IP);
		cr_assert_eq(sent_ip(0)->time_to_live, 64);
		cr_assert_eq(rte_be_to_cpu_16(sent_ip(0)->total_length), 28 + sizes[i]);
		cr_assert_eq(g.out[0].meta.inject_stage, INJECT_RESOLVED_NEXT_HOP);
		cr_assert_eq(g.out[0].meta.egress, WEB_INTERFACE);
		cr_assert_eq(g.out[0].meta.next_hop, HOST_IP);
		const uint8_t *data = (const uint8_t *)(sent_ip(0) + 1) + 8;
		for (uint16_t at = 0; at < sizes[i]; at++)
			cr_assert_eq(data[at], (uint8_t)(at + 8));
		forget_sent();
	}
}

Test(slowpath_icmp, a_ping_from_beyond_the_next_router_is_answered_by_that_router)
{
	punt(echo_request(UPLINK, IP(8, 8, 8, 8), UPLINK_IP, 56));
	poll_now();
	cr_assert_eq(g.out[0].meta.egress, UPLINK);
	cr_assert_eq(g.out[0].meta.next_hop, IP(203, 0, 113, 254));
}

Test(slowpath_icmp, segments_may_overlap_and_each_workload_is_answered_in_its_own)
{
	g.plane.segments->segment[LAB].gateway = IP(10, 0, 1, 254); /* for the FIB, this prefix is in "web" */
	punt(echo_request(LAB_INTERFACE, HOST_IP, UPLINK_IP, 56));
	punt(ip_packet(LAB_INTERFACE, PUNT_TTL_EXPIRED, HOST_IP, IP(8, 8, 8, 8), 17, 32));
	poll_now();
	cr_assert_eq(g.out_count, 2);
	cr_assert_eq(g.out[0].meta.egress, LAB_INTERFACE);
	cr_assert_eq(sent_ip(0)->src_addr, UPLINK_IP);
	cr_assert_eq(g.out[1].meta.egress, LAB_INTERFACE);
	cr_assert_eq(sent_ip(1)->src_addr, IP(10, 0, 1, 254));
}

Test(slowpath_icmp, ip_options_of_a_ping_come_back)
{
	struct rte_mbuf *m = echo_request(UPLINK, IP(203, 0, 113, 77), UPLINK_IP, 8);
	uint8_t *old = rte_pktmbuf_mtod(m, uint8_t *);
	uint8_t *frame = (uint8_t *)rte_pktmbuf_prepend(m, 4);

	memmove(frame, old, 34);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + 14);
	ip->version_ihl = 0x46;
	ip->total_length = RTE_BE16(24 + 16);
	memcpy(frame + 34, "\x01\x01\x01\x00", 4);
	punt(m);
	poll_now();
	cr_assert_eq(g.out_count, 1);
	cr_assert_eq(sent_icmp(0)->icmp_type, 0);
	cr_assert_eq(sent_ip(0)->version_ihl, 0x46);
	cr_assert_eq(memcmp(sent_ip(0) + 1, "\x01\x01\x01\x00", 4), 0);
}

Test(slowpath_icmp, a_broken_or_fragmented_ping_is_a_named_drop)
{
	struct rte_mbuf *m = echo_request(UPLINK, IP(203, 0, 113, 77), UPLINK_IP, 8);
	rte_pktmbuf_mtod_offset(m, struct rte_icmp_hdr *, 34)->icmp_cksum ^= 1;
	punt(m);
	m = echo_request(UPLINK, IP(203, 0, 113, 77), UPLINK_IP, 8);
	rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14)->fragment_offset = RTE_BE16(0x2000);
	punt(m);
	m = echo_request(UPLINK, IP(203, 0, 113, 77), UPLINK_IP, 8);
	rte_pktmbuf_trim(m, 1);
	punt(m);
	m = ip_packet(UPLINK, PUNT_LOCAL, IP(203, 0, 113, 77), UPLINK_IP, 1, 7);
	punt(m);
	poll_now();
	cr_assert_eq(counters()->drop[SLOWPATH_DROP_ICMP_MALFORMED], 2);
	cr_assert_eq(counters()->drop[SLOWPATH_DROP_LOCAL_FRAGMENT], 1);
	cr_assert_eq(counters()->drop[SLOWPATH_DROP_IPV4_TRUNCATED], 1);
	cr_assert_eq(g.out_count, 0);
}

Test(slowpath_icmp, a_packet_cut_anywhere_never_gets_an_answer_that_reads_beyond_it)
{
	const uint8_t reasons[] = { PUNT_LOCAL, PUNT_TTL_EXPIRED, PUNT_IGMP, PUNT_NO_ROUTE };

	for (unsigned r = 0; r < RTE_DIM(reasons); r++)
		for (uint16_t length = 0; length < 50; length++) {
			struct rte_mbuf *m = echo_request(UPLINK, IP(203, 0, 113, 77), UPLINK_IP, 8);
			packet_metadata(m)->punt = reasons[r];
			rte_pktmbuf_trim(m, (uint16_t)(50 - length));
			punt(m);
			poll_now();
			for (unsigned i = 0; i < g.out_count; i++)
				cr_assert_leq(rte_be_to_cpu_16(sent_ip(i)->total_length), 28 + length);
			forget_sent();
		}
}

Test(slowpath_icmp, udp_to_us_is_told_port_unreachable)
{
	struct rte_mbuf *m = ip_packet(UPLINK, PUNT_LOCAL, IP(203, 0, 113, 77), UPLINK_IP, 17, 16);
	struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(m, struct rte_udp_hdr *, 34);

	udp->dgram_len = RTE_BE16(16);
	udp->dgram_cksum = 0;
	punt(m);
	poll_now();
	cr_assert_eq(g.out_count, 1);
	cr_assert_eq(sent_icmp(0)->icmp_type, 3);
	cr_assert_eq(sent_icmp(0)->icmp_code, 3);
	cr_assert_eq(counters()->drop[SLOWPATH_DROP_SLOWPATH_UNHANDLED], 1);
}

Test(slowpath_icmp, traceroute_sees_the_gateway_of_the_segment)
{
	punt(ip_packet(WEB_INTERFACE, PUNT_TTL_EXPIRED, HOST_IP, IP(8, 8, 8, 8), 17, 32));
	poll_now();
	cr_assert_eq(g.out_count, 1);
	cr_assert_eq(sent_icmp(0)->icmp_type, 11);
	cr_assert_eq(sent_ip(0)->src_addr, WEB_GATEWAY);
	cr_assert_eq(sent_ip(0)->dst_addr, HOST_IP);
	cr_assert_eq(g.out[0].meta.egress, WEB_INTERFACE);
	const struct rte_ipv4_hdr *quoted = (const void *)(sent_icmp(0) + 1);
	cr_assert_eq(quoted->packet_id, RTE_BE16(0x4711));
	cr_assert_eq(quoted->time_to_live, 1, "as it arrived");
	cr_assert_eq(rte_be_to_cpu_16(sent_ip(0)->total_length), 20 + 8 + 20 + 32);
}

Test(slowpath_icmp, a_port_speaks_with_its_own_address)
{
	punt(ip_packet(UPLINK, PUNT_NO_ROUTE, IP(203, 0, 113, 77), IP(172, 16, 5, 5), 6, 20));
	poll_now();
	cr_assert_eq(sent_icmp(0)->icmp_type, 3);
	cr_assert_eq(sent_icmp(0)->icmp_code, 0);
	cr_assert_eq(sent_ip(0)->src_addr, UPLINK_IP);
	cr_assert_eq(counters()->drop[SLOWPATH_DROP_NO_ROUTE], 1);
}

Test(slowpath_icmp, too_big_a_packet_is_told_the_mtu_and_at_most_576_bytes_are_sent)
{
	struct rte_mbuf *m = ip_packet(UPLINK, PUNT_TOO_BIG, IP(8, 8, 8, 8), HOST_IP, 6, 1400);
	packet_metadata(m)->mtu = 1350;
	punt(m);
	poll_now();
	const uint8_t *icmp = (const uint8_t *)sent_icmp(0);
	cr_assert_eq(icmp[0], 3);
	cr_assert_eq(icmp[1], 4);
	cr_assert_eq(icmp[6] << 8 | icmp[7], 1350);
	cr_assert_eq(rte_be_to_cpu_16(sent_ip(0)->total_length), 576);
}

Test(slowpath_icmp, no_error_is_made_about_what_must_not_be_answered)
{
	const rte_be32_t no_sender[] = { 0, IP(127, 0, 0, 1), IP(224, 0, 0, 5), IP(255, 255, 255, 255),
		IP(203, 0, 113, 255), UPLINK_IP, IP(203, 0, 113, 20) };
	for (unsigned i = 0; i < RTE_DIM(no_sender); i++)
		punt(ip_packet(UPLINK, PUNT_TTL_EXPIRED, no_sender[i], IP(8, 8, 8, 8), 17, 32));
	punt(ip_packet(WEB_INTERFACE, PUNT_TTL_EXPIRED, WEB_GATEWAY, IP(8, 8, 8, 8), 17, 32));
	punt(ip_packet(UPLINK, PUNT_TTL_EXPIRED, IP(203, 0, 113, 77), IP(224, 0, 0, 9), 17, 32));
	punt(ip_packet(UPLINK, PUNT_TTL_EXPIRED, IP(203, 0, 113, 77), IP(203, 0, 113, 255), 17, 32));

	struct rte_mbuf *m = ip_packet(UPLINK, PUNT_TTL_EXPIRED, IP(203, 0, 113, 77), IP(8, 8, 8, 8), 17, 32);
	rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14)->fragment_offset = RTE_BE16(100);
	punt(m);
	m = ip_packet(UPLINK, PUNT_TTL_EXPIRED, IP(203, 0, 113, 77), IP(8, 8, 8, 8), 17, 32);
	rte_pktmbuf_mtod(m, struct rte_ether_hdr *)->dst_addr.addr_bytes[0] = 0xff;
	punt(m);
	const uint8_t errors[] = { 3, 4, 5, 11, 12, 200 };
	for (unsigned i = 0; i < RTE_DIM(errors); i++) {
		m = ip_packet(UPLINK, PUNT_TTL_EXPIRED, IP(203, 0, 113, 77), IP(8, 8, 8, 8), 1, 32);
		*rte_pktmbuf_mtod_offset(m, uint8_t *, 34) = errors[i];
		punt(m);
	}
	poll_now();
	cr_assert_eq(g.out_count, 0);
	cr_assert_eq(counters()->drop[SLOWPATH_DROP_TTL_EXPIRED], RTE_DIM(no_sender) + RTE_DIM(errors) + 5);

	m = ip_packet(
		UPLINK, PUNT_TTL_EXPIRED, IP(203, 0, 113, 77), IP(8, 8, 8, 8), 1, 32); /* a ping may be */
	*rte_pktmbuf_mtod_offset(m, uint8_t *, 34) = 8;
	punt(m);
	poll_now();
	cr_assert_eq(g.out_count, 1);
}

Test(slowpath_icmp, errors_are_rate_limited)
{
	for (unsigned ms = 0; ms < 2000; ms += 10) {
		for (unsigned i = 0; i < 10; i++)
			punt(ip_packet(WEB_INTERFACE, PUNT_TTL_EXPIRED, HOST_IP, IP(8, 8, 8, 8), 17, 32));
		pass_ms(10);
	}
	cr_assert_geq(g.out_count, 2 * 100 - 1, "100 a second");
	cr_assert_leq(g.out_count, 2 * 100 + 20 + 1, "and a burst of a fifth of it");
	cr_assert_eq(counters()->icmp_errors_limited + counters()->icmp_errors_sent, 2000);
}
