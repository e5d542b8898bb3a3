/* SPDX-License-Identifier: BSD-3-Clause */
/* The DHCP relay with its datagrams: from a client in the segment to the server behind the uplink, and back. */
#include "slowpath_fixture.h"

#include <rte_udp.h>
#include <stddef.h>

#define SERVER IP(198, 51, 100, 53)
#define CLIENT MAC(0x21)
#define LEASED IP(10, 0, 1, 77)

struct dhcp_packet {
	struct rte_ether_hdr ethernet;
	struct rte_ipv4_hdr ip;
	struct rte_udp_hdr udp;
	uint8_t message[DHCP_LENGTH_MIN];
} __attribute__((packed));

static void relay_open(void)
{
	static const struct dhcp_relay_settings relay[] = {
		[WEB] = { .gateway = WEB_GATEWAY, .server = { SERVER }, .server_count = 1, .hops_max = 4 },
		[LAB] = { 0 }
	};

	gateway_prepare();
	g.settings.dhcp_relay = relay;
	gateway_open();
}

TestSuite(slowpath_dhcp, .init = relay_open, .fini = gateway_close);

static void dhcp_punt(interface_id ingress, uint8_t reason, rte_be32_t from, rte_be32_t to,
	uint16_t from_port, const struct dhcp_message *message)
{
	struct rte_mbuf *m = packet_make(sizeof(struct dhcp_packet), ingress, reason);
	struct dhcp_packet *packet = rte_pktmbuf_mtod(m, struct dhcp_packet *);

	packet->ethernet.src_addr = CLIENT;
	packet->ip = (struct rte_ipv4_hdr){ .version_ihl = 0x45,
		.total_length = RTE_BE16(sizeof(*packet) - offsetof(struct dhcp_packet, ip)),
		.time_to_live = 64,
		.next_proto_id = 17,
		.src_addr = from,
		.dst_addr = to };
	packet->ip.hdr_checksum = rte_ipv4_cksum(&packet->ip);
	packet->udp = (struct rte_udp_hdr){ .src_port = rte_cpu_to_be_16(from_port),
		.dst_port = RTE_BE16(67),
		.dgram_len = RTE_BE16(sizeof(*packet) - offsetof(struct dhcp_packet, udp)) };
	memcpy(packet->message, message, sizeof(*message));
	packet->message[sizeof(*message)] = DHCP_OPTION_END;
	packet_metadata(m)->protocol = 17;
	packet_metadata(m)->l4_offset = offsetof(struct dhcp_packet, udp);
	punt(m);
	poll_now();
}

static struct dhcp_message message_of(uint8_t operation, rte_be16_t flags)
{
	return (struct dhcp_message){ .operation = operation,
		.hardware_type = DHCP_ETHERNET,
		.hardware_length = DHCP_ETHERNET_LENGTH,
		.transaction = RTE_BE32(0xcafe),
		.flags = flags,
		.hardware = { 0x52, 0x54, 0, 0, 0, 0x21 },
		.cookie = DHCP_COOKIE };
}

/* A client behind the second VTEP, without an address, asks. */
static void client_asks(rte_be16_t flags)
{
	const struct dhcp_message message = message_of(1, flags);

	heard(WEB, CLIENT, SITE_2);
	poll_now();
	dhcp_punt(WEB_INTERFACE, PUNT_BROADCAST, 0, 0xffffffff, 68, &message);
}

static void server_answers(rte_be16_t flags)
{
	struct dhcp_message message = message_of(2, flags);

	message.relay = WEB_GATEWAY;
	message.yours = LEASED;
	forget_sent();
	dhcp_punt(UPLINK, PUNT_LOCAL, SERVER, WEB_GATEWAY, 67, &message);
}

static const struct dhcp_packet *sent_dhcp(unsigned i)
{
	const struct dhcp_packet *packet = rte_pktmbuf_mtod(g.out[i].m, const struct dhcp_packet *);
	const struct rte_ipv4_hdr *ip = sent_ip(i);

	cr_assert_lt(i, g.out_count);
	cr_assert_eq(rte_raw_cksum(ip, sizeof(*ip)), 0xffff, "IP checksum");
	cr_assert_eq(rte_ipv4_udptcp_cksum_verify(ip, ip + 1), 0, "UDP checksum");
	return packet;
}

static const struct dhcp_message *message_in(const struct dhcp_packet *packet)
{
	return (const struct dhcp_message *)packet->message;
}

/* Conforms: RFC 2131 section 4.1. */
Test(slowpath_dhcp, a_request_goes_to_the_server_from_the_address_of_the_gateway_in_the_segment)
{
	client_asks(0);
	cr_assert_eq(g.out_count, 1);
	const struct dhcp_packet *packet = sent_dhcp(0);
	cr_assert_eq(g.out[0].meta.egress, UPLINK);
	cr_assert_eq(g.out[0].meta.next_hop, IP(203, 0, 113, 254));
	cr_assert_eq(packet->ip.src_addr, WEB_GATEWAY);
	cr_assert_eq(packet->ip.dst_addr, SERVER);
	cr_assert_eq(packet->udp.src_port, RTE_BE16(67));
	cr_assert_eq(packet->udp.dst_port, RTE_BE16(67));
	cr_assert_eq(message_in(packet)->relay, WEB_GATEWAY);
	cr_assert_eq(message_in(packet)->hops, 1);
	cr_assert_eq(dhcp_relay_counters(slowpath_dhcp_relay(g.slowpath), WEB)->requests_sent, 1);
}

Test(slowpath_dhcp, the_answer_goes_to_where_the_client_is_now)
{
	client_asks(0);
	heard(WEB, CLIENT, SITE_1); /* it has moved meanwhile */
	server_answers(0);
	cr_assert_eq(g.out_count, 1);
	const struct dhcp_packet *packet = sent_dhcp(0);
	cr_assert_eq(g.out[0].meta.tunnel, SITE_1);
	cr_assert(rte_is_same_ether_addr(&packet->ethernet.dst_addr, &CLIENT));
	cr_assert_eq(packet->ip.dst_addr, LEASED);
	cr_assert_eq(packet->udp.dst_port, RTE_BE16(68));
	cr_assert_eq(message_in(packet)->yours, LEASED);
}

Test(slowpath_dhcp, an_answer_that_must_be_broadcast_goes_to_all_vteps)
{
	client_asks(DHCP_BROADCAST);
	server_answers(DHCP_BROADCAST);
	cr_assert_eq(g.out_count, 2);
	for (unsigned i = 0; i < 2; i++) {
		cr_assert(rte_is_broadcast_ether_addr(&sent_dhcp(i)->ethernet.dst_addr));
		cr_assert_eq(sent_dhcp(i)->ip.dst_addr, 0xffffffff);
	}
	cr_assert_neq(g.out[0].meta.tunnel, g.out[1].meta.tunnel);
}

Test(slowpath_dhcp, an_answer_that_nobody_asked_for_reaches_nobody)
{
	server_answers(0);
	cr_assert_eq(g.out_count, 0);
	cr_assert_eq(dhcp_relay_counters(slowpath_dhcp_relay(g.slowpath), WEB)->replies_sent, 0);
}

Test(slowpath_dhcp, a_segment_without_a_relay_keeps_its_broadcasts)
{
	const struct dhcp_message message = message_of(1, 0);

	dhcp_punt(LAB_INTERFACE, PUNT_BROADCAST, 0, 0xffffffff, 68, &message);
	cr_assert_eq(g.out_count, 0);
}
