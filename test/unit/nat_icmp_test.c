/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP errors through NAT (RFC 5508): what a router or a host says about a packet reaches the one who sent it, and it
 * looks as if the packet had never been translated. */
#include "nat_fixture.h"

TestSuite(nat_icmp, .timeout = 60);

enum { UNREACHABLE = 3, TIME_EXCEEDED = 11, PARAMETER = 12 };

static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP };

/* An ICMP error from `source` to `destination` that quotes the first `quoted` bytes of the L4 part of `about`. */
static struct rte_mbuf *error_make(struct gateway *gateway, enum nat_direction from, rte_be32_t source,
	rte_be32_t destination, uint8_t type, const struct packet *about, uint16_t quoted)
{
	struct packet spec = { .from = from,
		.protocol = IPPROTO_ICMP,
		.source = source,
		.destination = destination,
		.icmp_type = type };
	uint8_t original[2048];
	uint16_t length = ip_packet_write((struct rte_ipv4_hdr *)original, about);
	uint16_t header = (uint16_t)((original[0] & 15) * 4);

	spec.payload = (uint16_t)RTE_MIN(length, header + quoted);
	struct rte_mbuf *m = packet_make(gateway, &spec);
	uint8_t *icmp = packet_l4(m);
	icmp[1] = 3;
	memcpy(icmp + 8, original, spec.payload);
	memset(icmp + 2, 0, 2);
	uint16_t checksum = l4_checksum(packet_ip(m));
	memcpy(icmp + 2, &checksum, 2);
	return m;
}

static void expect_same_frames(struct rte_mbuf *got, struct rte_mbuf *wanted)
{
	cr_assert_eq(got->data_len, wanted->data_len);
	for (uint16_t i = 0; i < got->data_len; i++)
		cr_assert_eq(rte_pktmbuf_mtod(got, uint8_t *)[i], rte_pktmbuf_mtod(wanted, uint8_t *)[i],
			"byte %u is %02x, should be %02x", i, rte_pktmbuf_mtod(got, uint8_t *)[i],
			rte_pktmbuf_mtod(wanted, uint8_t *)[i]);
}

static struct packet flow_of(uint8_t protocol, uint16_t i)
{
	return (struct packet){ .from = NAT_FROM_INSIDE,
		.protocol = protocol,
		.source = HOST_A,
		.destination = REMOTE,
		.source_port = (uint16_t)(20000 + i * 31),
		.destination_port = protocol == IPPROTO_ICMP ? i : 80,
		.tcp_flags = RTE_TCP_SYN_FLAG,
		.icmp_type = RTE_IP_ICMP_ECHO_REQUEST,
		.payload = (uint16_t)(i % 60),
		.options = i % 4 == 3 ? 12 : 0 };
}

/* Conforms: RFC 4787 REQ-12b, RFC 5382 REQ-9, RFC 5508 REQ-4. */
Test(nat_icmp, an_error_about_what_went_out_reaches_the_sender_as_if_nothing_had_been_translated)
{
	struct gateway *gateway = gateway_start(&test_settings);
	const rte_be32_t router = IP(198, 18, 0, 1);
	static const uint8_t types[] = { UNREACHABLE, TIME_EXCEEDED, PARAMETER };

	for (uint16_t i = 0; i < 120; i++) {
		struct packet up = flow_of(protocols[i % 3], i);
		struct public_endpoint public = gateway_bind(gateway, &up);
		struct packet outside = up;
		outside.source = public.ip;
		outside.source_port = public.port;
		/* Often without the checksum of TCP, but never with half of it, which nobody could mend. */
		uint16_t quoted = (uint16_t)(8 + i % 40);
		if (quoted == 17)
			quoted = 16;
		struct rte_mbuf *error = error_make(
			gateway, NAT_FROM_OUTSIDE, router, public.ip, types[i % 3], &outside, quoted);
		struct rte_mbuf *wanted =
			error_make(gateway, NAT_FROM_OUTSIDE, router, HOST_A, types[i % 3], &up, quoted);
		packet_ip(wanted)->time_to_live = 63;
		packet_ip(wanted)->hdr_checksum = 0;
		packet_ip(wanted)->hdr_checksum = (uint16_t)~rte_raw_cksum(packet_ip(wanted), 20);

		cr_assert_eq(gateway_take(gateway, error), STAGE_MAC_LOOKUP);
		cr_assert_eq(packet_metadata(error)->egress, interface_of_segment(WEB));
		cr_assert_eq(packet_metadata(error)->next_hop, HOST_A);
		expect_right_checksums(error);
		/* Where the quote ends before the checksum of TCP, the outer checksum must still be right. */
		expect_same_frames(error, wanted);
		rte_pktmbuf_free(error);
		rte_pktmbuf_free(wanted);
	}
	gateway_stop(gateway);
}

/* Conforms: RFC 5508 REQ-5, REQ-5c. */
Test(nat_icmp, an_error_about_what_came_in_leaves_with_the_public_endpoint)
{
	struct gateway *gateway = gateway_start(&test_settings);

	for (uint16_t i = 0; i < 90; i++) {
		struct packet up = flow_of(protocols[i % 3], i);
		bool icmp = up.protocol == IPPROTO_ICMP;
		struct public_endpoint public = gateway_bind(gateway, &up);
		struct packet inside = { .from = NAT_FROM_OUTSIDE,
			.protocol = up.protocol,
			.source = REMOTE,
			.destination = HOST_A,
			.source_port = icmp ? up.source_port : 80,
			.destination_port = icmp ? 7 : up.source_port,
			.icmp_type = RTE_IP_ICMP_ECHO_REPLY,
			.payload = 30 };
		struct packet outside = inside;
		outside.destination = public.ip;
		if (icmp)
			outside.source_port = public.port;
		else
			outside.destination_port = public.port;
		/* from the host itself, or from a router of the segment */
		rte_be32_t sender = i % 2 ? HOST_A : IP(10, 0, 1, 77);
		struct rte_mbuf *error =
			error_make(gateway, NAT_FROM_INSIDE, sender, REMOTE, UNREACHABLE, &inside, 28);
		struct rte_mbuf *wanted =
			error_make(gateway, NAT_FROM_INSIDE, public.ip, REMOTE, UNREACHABLE, &outside, 28);

		cr_assert_eq(gateway_take(gateway, error), STAGE_MAC_LOOKUP);
		expect_same_frames(error, wanted);
		rte_pktmbuf_free(error);
		rte_pktmbuf_free(wanted);
	}
	gateway_stop(gateway);
}

Test(nat_icmp, a_udp_checksum_of_zero_in_a_quote_stays_zero)
{
	struct gateway *gateway = gateway_start(&test_settings);
	struct packet up = flow_of(IPPROTO_UDP, 1);
	struct public_endpoint public = gateway_bind(gateway, &up);
	struct packet outside = up;

	up.no_checksum = outside.no_checksum = true;
	outside.source = public.ip;
	outside.source_port = public.port;
	struct rte_mbuf *error =
		error_make(gateway, NAT_FROM_OUTSIDE, REMOTE, public.ip, UNREACHABLE, &outside, 8);
	cr_assert_eq(gateway_take(gateway, error), STAGE_MAC_LOOKUP);
	expect_right_checksums(error);
	cr_assert_eq(*(uint16_t *)(packet_l4(error) + 8 + 20 + 6), 0);
	rte_pktmbuf_free(error);
	gateway_stop(gateway);
}

Test(nat_icmp, an_error_about_a_static_binding_or_a_forward_finds_its_way)
{
	struct gateway *gateway = gateway_start(&test_settings);
	const struct packet opening = { .from = NAT_FROM_OUTSIDE,
		.source = REMOTE,
		.destination = OWN_IP,
		.source_port = 999,
		.destination_port = 5353,
		.flags = PACKET_TO_SELF };
	cr_assert_eq(gateway_send(gateway, &opening), STAGE_MAC_LOOKUP);
	const struct packet answer = { .from = NAT_FROM_INSIDE,
		.source = OWN_IP,
		.destination = REMOTE,
		.source_port = 5353,
		.destination_port = 999,
		.payload = 12 };
	struct rte_mbuf *error =
		error_make(gateway, NAT_FROM_OUTSIDE, REMOTE_2, OWN_IP, TIME_EXCEEDED, &answer, 8);
	packet_metadata(error)->flags = PACKET_TO_SELF;
	cr_assert_eq(gateway_take(gateway, error), STAGE_MAC_LOOKUP);
	cr_assert_eq(packet_ip(error)->dst_addr, FORWARD_HOST);
	expect_right_checksums(error);
	rte_pktmbuf_free(error);
	gateway_stop(gateway);
}

/* Conforms: RFC 4787 REQ-12, RFC 5382 REQ-10, RFC 5508 REQ-6. */
Test(nat_icmp, an_error_neither_keeps_a_session_nor_ends_it_nor_counts)
{
	struct gateway *gateway = gateway_start(&test_settings);
	struct packet up = flow_of(IPPROTO_UDP, 1);
	struct public_endpoint public = gateway_bind(gateway, &up);
	struct packet outside = up;
	struct nat_session_view before, after;
	uint32_t cursor = 0;

	outside.source = public.ip;
	outside.source_port = public.port;
	nat_owner_sessions(gateway->context->nat, &cursor, NULL, &before, 1, UINT32_MAX, 0);
	gateway_wait(gateway, 290);
	struct rte_mbuf *error =
		error_make(gateway, NAT_FROM_OUTSIDE, REMOTE, public.ip, UNREACHABLE, &outside, 8);
	cr_assert_eq(gateway_take(gateway, error), STAGE_MAC_LOOKUP);
	cr_assert_eq(gateway_sessions(gateway), 1);
	cursor = 0;
	nat_owner_sessions(gateway->context->nat, &cursor, NULL, &after, 1, UINT32_MAX, 0);
	cr_assert_eq(before.packets_down, after.packets_down);
	gateway_wait(gateway, 20);
	cr_assert_eq(gateway_sessions(gateway), 0);
	rte_pktmbuf_free(error);
	gateway_stop(gateway);
}

/* Conforms: RFC 5508 REQ-3, REQ-3a, REQ-4. */
Test(nat_icmp, an_error_that_quotes_none_of_our_flows_or_is_malformed_is_dropped_by_name)
{
	struct gateway *gateway = gateway_start(&test_settings);
	struct packet up = flow_of(IPPROTO_UDP, 1);
	struct public_endpoint public = gateway_bind(gateway, &up);
	struct packet outside = up;

	outside.source = public.ip;
	outside.source_port = public.port;
	outside.payload = 20;
	/* Each breaks one thing, mends the ICMP checksum unless that is the thing, and must be told from a good one. */
	for (int fault = 0; fault < 12; fault++) {
		struct packet about = outside;
		if (fault == 1)
			about.source_port++;
		if (fault == 2)
			about.destination = REMOTE_2;
		if (fault == 3)
			about.protocol = IPPROTO_TCP;
		if (fault == 4)
			about.protocol = 47;
		uint16_t quoted = fault == 5 ? 7 : 28;
		struct rte_mbuf *error =
			error_make(gateway, NAT_FROM_OUTSIDE, REMOTE, public.ip, UNREACHABLE, &about, quoted);
		uint8_t *icmp = packet_l4(error), *quote = icmp + 8;
		uint16_t zero = 0;
		if (fault == 6)
			quote[0] = 0x65; /* IPv6 */
		if (fault == 7)
			quote[0] = 0x44; /* a header of 16 bytes */
		if (fault == 8)
			quote[0] = 0x4f; /* a header of 60 bytes */
		if (fault == 9)
			quote[7] = 1; /* a later fragment */
		if (fault == 10)
			quote[10] ^= 0xff; /* its IP checksum */
		if (fault >= 6 && fault <= 9) {
			uint16_t header = (uint16_t)((quote[0] & 15) * 4);
			memcpy(quote + 10, &zero, 2);
			if (fault != 8) {
				uint16_t sum = (uint16_t)~rte_raw_cksum(quote, header);
				memcpy(quote + 10, &sum, 2);
			}
		}
		memcpy(icmp + 2, &zero, 2);
		uint16_t checksum = l4_checksum(packet_ip(error));
		if (fault == 11)
			checksum ^= 0x0101;
		memcpy(icmp + 2, &checksum, 2);
		uint8_t wanted = fault == 0 ? STAGE_MAC_LOOKUP : verdict_drop(DROP_NAT_ICMP_EMBEDDED);
		cr_assert_eq(gateway_take(gateway, error), wanted, "fault %d", fault);
		rte_pktmbuf_free(error);
	}
	gateway_stop(gateway);
}

Test(nat_icmp, every_truncation_of_an_error_is_translated_or_dropped)
{
	struct gateway *gateway = gateway_start(&test_settings);
	struct packet up = flow_of(IPPROTO_TCP, 7); /* with IP options */
	struct public_endpoint public = gateway_bind(gateway, &up);
	struct packet outside = up;
	uint32_t translated = 0;

	outside.source = public.ip;
	outside.source_port = public.port;
	for (uint16_t room = 8; room < 8 + 60; room++) {
		struct rte_mbuf *error =
			error_make(gateway, NAT_FROM_OUTSIDE, REMOTE, public.ip, UNREACHABLE, &outside, 40);
		struct rte_ipv4_hdr *ip = packet_ip(error);
		if (L3_OFFSET + 20 + room > error->data_len) {
			rte_pktmbuf_free(error);
			break;
		}
		ip->total_length = rte_cpu_to_be_16((uint16_t)(20 + room));
		ip->hdr_checksum = 0;
		ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, 20);
		error->data_len = (uint16_t)(L3_OFFSET + 20 + room);
		error->pkt_len = error->data_len;
		memset(packet_l4(error) + 2, 0, 2);
		uint16_t checksum = l4_checksum(ip);
		memcpy(packet_l4(error) + 2, &checksum, 2);
		uint8_t verdict = gateway_take(gateway, error);
		if (room < 8 + 32 + 8)
			cr_assert_eq(verdict, verdict_drop(DROP_NAT_ICMP_EMBEDDED), "%u bytes", room);
		else
			cr_assert_eq(verdict, STAGE_MAC_LOOKUP, "%u bytes", room);
		expect_right_checksums(error);
		translated += verdict == STAGE_MAC_LOOKUP;
		rte_pktmbuf_free(error);
	}
	cr_assert_gt(translated, 5u);
	gateway_stop(gateway);
}

Test(nat_icmp, the_ttl_of_an_error_is_checked_like_any_other)
{
	struct gateway *gateway = gateway_start(&test_settings);
	struct packet up = flow_of(IPPROTO_UDP, 1);
	struct public_endpoint public = gateway_bind(gateway, &up);
	struct packet outside = up;

	outside.source = public.ip;
	outside.source_port = public.port;
	struct rte_mbuf *error =
		error_make(gateway, NAT_FROM_OUTSIDE, REMOTE, public.ip, UNREACHABLE, &outside, 8);
	packet_ip(error)->time_to_live = 1;
	cr_assert_eq(gateway_take(gateway, error), VERDICT_PUNT);
	cr_assert_eq(packet_metadata(error)->punt, PUNT_TTL_EXPIRED);
	cr_assert_eq(packet_ip(error)->dst_addr, public.ip, "what is punted is as it came");
	rte_pktmbuf_free(error);
	gateway_stop(gateway);
}
