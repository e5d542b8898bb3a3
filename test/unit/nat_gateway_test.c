/* SPDX-License-Identifier: BSD-3-Clause */
/* Translation as a network would notice it: packets in, packets out, every byte and checksum. */
#include "nat_fixture.h"
#include "stage/nat_private.h"

#define UP   .from = NAT_FROM_INSIDE
#define DOWN .from = NAT_FROM_OUTSIDE

TestSuite(nat_gateway, .timeout = 60);

static struct gateway *start(void)
{
	return gateway_start(&test_settings);
}

/* Binds a flow from inside and checks that it and its answer are translated to the last byte. */
static void exchange(struct gateway *gateway, struct packet up)
{
	struct public_endpoint public = gateway_bind(gateway, &up);
	struct packet outside = up, answer = up, inside;

	outside.source = public.ip;
	outside.source_port = public.port;
	expect_translated(gateway, &up, &outside);
	answer.from = NAT_FROM_OUTSIDE;
	answer.source = up.destination;
	answer.destination = public.ip;
	if (up.protocol == IPPROTO_ICMP) {
		answer.icmp_type = RTE_IP_ICMP_ECHO_REPLY;
		answer.source_port = public.port;
	} else {
		answer.source_port = up.destination_port;
		answer.destination_port = public.port;
		answer.tcp_flags = RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG;
	}
	inside = answer;
	inside.destination = up.source;
	inside.ttl = (uint8_t)((answer.ttl ? answer.ttl : 64) - 1);
	if (up.protocol == IPPROTO_ICMP)
		inside.source_port = up.source_port;
	else
		inside.destination_port = up.source_port;
	expect_translated(gateway, &answer, &inside);
}

Test(nat_gateway, a_flow_from_inside_and_its_answer_are_translated_to_the_last_byte)
{
	static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP };
	struct gateway *gateway = start();

	for (uint16_t i = 0; i < 300; i++)
		exchange(gateway,
			(struct packet){ UP, .protocol = protocols[i % 3],
				.source = IP(10, 0, 1, 30 + i % 50), .destination = i % 2 ? REMOTE : REMOTE_2,
				.source_port = (uint16_t)(40000 + i * 77),
				.destination_port = (uint16_t)(i % 3 == 2 ? i : 53),
				.payload = (uint16_t)(i * 3 % 1000), .tcp_flags = RTE_TCP_SYN_FLAG,
				.icmp_type = RTE_IP_ICMP_ECHO_REQUEST, .ttl = (uint8_t)(2 + i % 200),
				.options = i % 5 == 4 ? 8 : 0 });
	cr_assert_eq(gateway_sessions(gateway), 300);
	gateway_stop(gateway);
}

Test(nat_gateway, the_public_address_and_port_are_of_the_pool)
{
	struct gateway *gateway = start();

	for (uint16_t i = 0; i < 200; i++) {
		const struct packet up = { UP, .source = IP(10, 0, 1, 20 + i), .destination = REMOTE,
			.source_port = i, .destination_port = 53 };
		struct public_endpoint public = gateway_bind(gateway, &up);
		cr_assert_geq(rte_be_to_cpu_32(public.ip), web_range.first);
		cr_assert_leq(rte_be_to_cpu_32(public.ip), web_range.last);
		cr_assert_geq(public.port, 1024);
	}
	gateway_stop(gateway);
}

/* Conforms: RFC 4787 REQ-1. */
Test(nat_gateway, a_socket_keeps_its_public_endpoint_whomever_it_talks_to)
{
	struct gateway *gateway = start();
	struct packet up = { UP, .source = HOST_A, .destination = REMOTE, .source_port = 5000,
		.destination_port = 1 };
	struct public_endpoint first = gateway_bind(gateway, &up);

	for (uint16_t port = 2; port < 500; port++) {
		up.destination_port = port;
		up.destination = port % 2 ? REMOTE : REMOTE_2;
		struct public_endpoint other = gateway_bind(gateway, &up);
		cr_assert_eq(other.ip, first.ip);
		cr_assert_eq(other.port, first.port);
	}
	cr_assert_eq(nat_owner_counters(gateway->context->nat)->bindings, 1);
	cr_assert_eq(nat_owner_counters(gateway->context->nat)->sessions, 499);
	/* and each of those it talks to can answer */
	for (uint16_t port = 1; port < 500; port++) {
		rte_be32_t remote = port % 2 ? REMOTE : REMOTE_2;
		const struct packet down = { DOWN, .source = remote, .destination = first.ip,
			.source_port = port, .destination_port = first.port };
		struct packet inside = down;
		inside.destination = HOST_A;
		inside.destination_port = 5000;
		inside.ttl = 63;
		if (port == 1) /* came from REMOTE at first */
			inside.source = REMOTE;
		expect_translated(gateway, &down, &inside);
	}
	gateway_stop(gateway);
}

/* Conforms: RFC 7857 4. */
Test(nat_gateway, all_flows_of_a_host_leave_by_one_public_address)
{
	struct gateway *gateway = start();
	uint32_t used[4] = { 0 };

	for (uint16_t host = 0; host < 200; host++) {
		rte_be32_t address = 0;
		for (uint16_t flow = 0; flow < 9; flow++) {
			const struct packet up = { UP, .source = IP(10, 0, 1, 20 + host),
				.destination = REMOTE,
				.protocol = flow % 3 == 0   ? IPPROTO_UDP
					    : flow % 3 == 1 ? IPPROTO_TCP
							    : IPPROTO_ICMP,
				.tcp_flags = RTE_TCP_SYN_FLAG, .icmp_type = RTE_IP_ICMP_ECHO_REQUEST,
				.source_port = (uint16_t)(6000 + flow), .destination_port = 7 };
			struct public_endpoint public = gateway_bind(gateway, &up);
			cr_assert(flow == 0 || public.ip == address);
			address = public.ip;
		}
		used[rte_be_to_cpu_32(address) - web_range.first]++;
	}
	for (int i = 0; i < 4; i++)
		cr_assert_gt(used[i], 20u, "address %d has %u of 200 hosts", i, used[i]);
	gateway_stop(gateway);
}

/* Conforms: RFC 4787 REQ-3, RFC 7857 9, RFC 7857 8. */
Test(nat_gateway, a_port_is_kept_when_it_is_free_and_never_given_twice)
{
	struct gateway *gateway = start();
	static bool taken[4][65536];
	uint32_t kept = 0;

	for (uint32_t i = 0; i < 2000; i++) {
		const struct packet up = { UP, .source = IP(10, 0, 1, 20 + i % 200), .destination = REMOTE,
			.source_port = (uint16_t)(30000 + i / 200), .destination_port = 53 };
		struct public_endpoint public = gateway_bind(gateway, &up);
		bool *port = &taken[rte_be_to_cpu_32(public.ip) - web_range.first][public.port];
		cr_assert_not(*port);
		*port = true;
		kept += public.port == up.source_port;
	}
	cr_assert_leq(kept, 4 * 10);
	cr_assert_geq(kept, 4 * 9, "ten ports on four addresses: %u kept", kept);
	gateway_stop(gateway);
}

Test(nat_gateway, segments_with_the_same_addresses_stay_apart)
{
	struct gateway *gateway = start();
	struct packet web = { UP, .segment = WEB, .source = HOST_A, .destination = REMOTE,
		.source_port = 2050, .destination_port = 53 };
	struct packet db = web;
	db.segment = DB;
	struct public_endpoint of_web = gateway_bind(gateway, &web), of_db = gateway_bind(gateway, &db);

	cr_assert_neq(of_web.ip, of_db.ip);
	struct packet down = { DOWN, .source = REMOTE, .destination = of_db.ip, .source_port = 53,
		.destination_port = of_db.port };
	struct rte_mbuf *m = packet_make(gateway, &down);
	cr_assert_eq(gateway_take(gateway, m), STAGE_MAC_LOOKUP);
	cr_assert_eq(packet_metadata(m)->egress, interface_of_segment(DB));
	cr_assert_eq(packet_metadata(m)->next_hop, HOST_A);
	rte_pktmbuf_free(m);
	gateway_stop(gateway);
}

Test(nat_gateway, strangers_are_kept_out_of_a_dynamic_binding)
{
	struct gateway *gateway = start();
	const struct packet up = { UP, .source = HOST_A, .destination = REMOTE, .source_port = 5000,
		.destination_port = 53 };
	struct public_endpoint public = gateway_bind(gateway, &up);
	struct packet down = { DOWN, .source = REMOTE, .destination = public.ip, .source_port = 54,
		.destination_port = public.port };

	expect_dropped(gateway, &down, NAT_FILTERED); /* another port */
	down.source = REMOTE_2;
	down.source_port = 53;
	expect_dropped(gateway, &down, NAT_FILTERED); /* another address */
	down.destination_port = (uint16_t)(public.port + 1);
	expect_dropped(gateway, &down, NAT_NO_BINDING);
	down.destination_port = public.port;
	down.protocol = IPPROTO_TCP;
	down.tcp_flags = RTE_TCP_SYN_FLAG;
	expect_dropped(gateway, &down, NAT_NO_BINDING); /* another protocol is another binding */
	cr_assert_eq(gateway_sessions(gateway), 1);
	gateway_stop(gateway);
}

Test(nat_gateway, a_static_binding_works_from_both_sides_on_every_port)
{
	struct gateway *gateway = start();

	for (uint16_t i = 0; i < 3; i++) {
		static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP };
		struct packet down = { DOWN, .protocol = protocols[i], .source = REMOTE,
			.destination = STATIC_IP, .source_port = 777, .destination_port = 22,
			.tcp_flags = RTE_TCP_SYN_FLAG, .icmp_type = RTE_IP_ICMP_ECHO_REQUEST };
		struct packet inside = down;
		inside.destination = STATIC_HOST;
		inside.ttl = 63;
		expect_translated(gateway, &down, &inside);
		exchange(gateway,
			(struct packet){ UP, .protocol = protocols[i], .source = STATIC_HOST,
				.destination = REMOTE_2, .source_port = 99, .destination_port = 100,
				.tcp_flags = RTE_TCP_SYN_FLAG, .icmp_type = RTE_IP_ICMP_ECHO_REQUEST });
		struct packet up = { UP, .protocol = protocols[i], .source = STATIC_HOST,
			.destination = REMOTE, .source_port = i == 2 ? 777 : 22,
			.destination_port = i == 2 ? 22 : 777 };
		struct packet outside = up;
		outside.source = STATIC_IP;
		expect_translated(gateway, &up, &outside); /* the answer to the first */
	}
	cr_assert_eq(gateway_sessions(gateway), 6);
	gateway_stop(gateway);
}

Test(nat_gateway, a_forward_leads_in_and_what_its_server_starts_leaves_by_it)
{
	struct gateway *gateway = start();
	struct packet down = { DOWN, .protocol = IPPROTO_TCP, .source = REMOTE, .destination = OWN_IP,
		.source_port = 777, .destination_port = 8080, .tcp_flags = RTE_TCP_SYN_FLAG,
		.flags = PACKET_TO_SELF };
	struct packet inside = down;

	inside.destination = FORWARD_HOST;
	inside.destination_port = 80;
	inside.ttl = 63;
	expect_translated(gateway, &down, &inside);
	struct packet up = { UP, .protocol = IPPROTO_TCP, .source = FORWARD_HOST, .destination = REMOTE,
		.source_port = 80, .destination_port = 777,
		.tcp_flags = RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG };
	struct packet outside = up;
	outside.source = OWN_IP;
	outside.source_port = 8080;
	expect_translated(gateway, &up, &outside);
	/* a UDP server that speaks first */
	struct packet first = { UP, .source = FORWARD_HOST, .destination = REMOTE_2, .source_port = 53,
		.destination_port = 1000 };
	outside = first;
	outside.source = OWN_IP;
	outside.source_port = 5353;
	expect_translated(gateway, &first, &outside);
	/* the host's other flows use the pool */
	first.source_port = 54;
	cr_assert_neq(gateway_bind(gateway, &first).ip, OWN_IP);
	gateway_stop(gateway);
}

Test(nat_gateway, a_thousand_clients_of_one_forward_are_told_apart)
{
	struct gateway *gateway = start();

	for (int round = 0; round < 2; round++)
		for (uint16_t i = 0; i < 1000; i++) {
			struct packet down = { DOWN, .source = rte_cpu_to_be_32(0xc6336400u + i % 7),
				.destination = OWN_IP, .source_port = (uint16_t)(2000 + i),
				.destination_port = 5353, .flags = PACKET_TO_SELF };
			struct packet inside = down, up, outside;
			inside.destination = FORWARD_HOST;
			inside.destination_port = 53;
			inside.ttl = 63;
			expect_translated(gateway, &down, &inside);
			up = (struct packet){ UP, .source = FORWARD_HOST, .destination = down.source,
				.source_port = 53, .destination_port = down.source_port };
			outside = up;
			outside.source = OWN_IP;
			outside.source_port = 5353;
			expect_translated(gateway, &up, &outside);
		}
	cr_assert_eq(gateway_sessions(gateway), 1000);
	cr_assert_eq(nat_host_sessions(gateway->nat, WEB, FORWARD_HOST), 1000);
	gateway_wait(gateway, 310);
	cr_assert_eq(gateway_sessions(gateway), 0);
	gateway_stop(gateway);
}

Test(nat_gateway, what_is_for_the_gateway_itself_reaches_it)
{
	struct gateway *gateway = start();
	const struct packet probes[] = {
		{ DOWN, .source = REMOTE, .destination = OWN_IP, .source_port = 1, .destination_port = 9 },
		{ DOWN, .protocol = IPPROTO_TCP, .source = REMOTE, .destination = OWN_IP, .source_port = 1,
			.destination_port = 22, .tcp_flags = RTE_TCP_SYN_FLAG },
		{ DOWN, .protocol = IPPROTO_ICMP, .source = REMOTE, .destination = OWN_IP,
			.icmp_type = RTE_IP_ICMP_ECHO_REQUEST, .source_port = 1 },
		{ DOWN, .protocol = 112, .source = REMOTE, .destination = OWN_IP, .payload = 20 },
		{ DOWN, .protocol = IPPROTO_ICMP, .source = REMOTE, .destination = OWN_IP, .icmp_type = 17 },
		{ DOWN, .protocol = IPPROTO_ICMP, .source = REMOTE, .destination = OWN_IP, .icmp_type = 3,
			.payload = 28 },
	};

	for (size_t i = 0; i < RTE_DIM(probes); i++) {
		struct packet probe = probes[i];
		probe.flags = PACKET_TO_SELF;
		struct rte_mbuf *m = packet_make(gateway, &probe);
		cr_assert_eq(gateway_take(gateway, m), VERDICT_PUNT, "probe %zu", i);
		cr_assert_eq(packet_metadata(m)->punt, PUNT_LOCAL);
		cr_assert(packet_metadata(m)->flags & PACKET_NAT_MISS);
		expect_packet(m, &probe);
		rte_pktmbuf_free(m);
	}
	cr_assert_eq(gateway_sessions(gateway), 0);
	gateway_stop(gateway);
}

Test(nat_gateway, a_udp_packet_without_checksum_stays_without)
{
	struct gateway *gateway = start();
	struct packet up = { UP, .source = HOST_A, .destination = REMOTE, .source_port = 5000,
		.destination_port = 53, .no_checksum = true, .payload = 33 };
	struct public_endpoint public = gateway_bind(gateway, &up);
	struct packet outside = up;

	outside.source = public.ip;
	outside.source_port = public.port;
	expect_translated(gateway, &up, &outside);
	gateway_stop(gateway);
}

Test(nat_gateway, a_udp_checksum_is_never_sent_as_zero)
{
	struct gateway *gateway = start();

	/* Some of 3 x 65,536 payloads make the translated sum 0. */
	struct packet up = { UP, .source = HOST_A, .destination = REMOTE, .source_port = 5000,
		.destination_port = 53, .payload = 2 };
	struct public_endpoint public = gateway_bind(gateway, &up);
	struct rte_mbuf *m = packet_make(gateway, &up);
	uint32_t ones = 0;
	for (uint32_t word = 0; word < 0x10000; word++) {
		ip_packet_write(packet_ip(m), &up);
		*(uint16_t *)(packet_l4(m) + 8) = (uint16_t)word;
		*(uint16_t *)(packet_l4(m) + 6) = 0;
		*(uint16_t *)(packet_l4(m) + 6) = l4_checksum(packet_ip(m));
		packet_route(m, &up);
		cr_assert_eq(gateway_take(gateway, m), STAGE_MAC_LOOKUP);
		uint16_t checksum = *(uint16_t *)(packet_l4(m) + 6);
		cr_assert_neq(checksum, 0);
		cr_assert_eq(checksum, l4_checksum(packet_ip(m)));
		ones += checksum == 0xffff;
	}
	cr_assert_gt(ones, 0u);
	cr_assert_eq(packet_ip(m)->src_addr, public.ip);
	rte_pktmbuf_free(m);
	gateway_stop(gateway);
}

Test(nat_gateway, ttl_and_mtu_are_checked_on_the_way_in_before_anything_is_changed)
{
	struct gateway *gateway = start();
	struct packet down = { DOWN, .source = REMOTE, .destination = STATIC_IP, .source_port = 1,
		.destination_port = 9, .ttl = 1 };
	struct rte_mbuf *m = packet_make(gateway, &down);

	cr_assert_eq(gateway_take(gateway, m), VERDICT_PUNT);
	cr_assert_eq(packet_metadata(m)->punt, PUNT_TTL_EXPIRED);
	expect_packet(m, &down);
	rte_pktmbuf_free(m);

	down.ttl = 2;
	down.payload = 1450 - 28;
	struct packet inside = down;
	inside.destination = STATIC_HOST;
	inside.ttl = 1;
	expect_translated(gateway, &down, &inside); /* opens the session: what follows belongs to it */

	down.payload++;
	for (int known = 0; known < 2; known++) {
		down.destination_port = known ? 9 : 10;
		down.dont_fragment = true;
		m = packet_make(gateway, &down);
		cr_assert_eq(gateway_take(gateway, m), VERDICT_PUNT);
		cr_assert_eq(packet_metadata(m)->punt, PUNT_TOO_BIG);
		cr_assert_eq(packet_metadata(m)->mtu, 1450);
		expect_packet(m, &down);
		rte_pktmbuf_free(m);
	}
	cr_assert_eq(gateway_sessions(gateway), 1);
	gateway_stop(gateway);
}

Test(nat_gateway, tcp_needs_a_syn_to_open_a_session)
{
	static const uint8_t others[] = { RTE_TCP_ACK_FLAG, RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG,
		RTE_TCP_RST_FLAG, RTE_TCP_FIN_FLAG | RTE_TCP_ACK_FLAG, RTE_TCP_SYN_FLAG | RTE_TCP_FIN_FLAG,
		RTE_TCP_SYN_FLAG | RTE_TCP_RST_FLAG, RTE_TCP_PSH_FLAG };
	struct gateway *gateway = start();

	for (size_t i = 0; i < RTE_DIM(others); i++) {
		const struct packet up = { UP, .protocol = IPPROTO_TCP, .source = HOST_A,
			.destination = REMOTE, .source_port = 5000, .destination_port = 80,
			.tcp_flags = others[i] };
		const struct packet down = { DOWN, .protocol = IPPROTO_TCP, .source = REMOTE,
			.destination = STATIC_IP, .source_port = 5000, .destination_port = 80,
			.tcp_flags = others[i] };
		expect_dropped(gateway, &up, NAT_TCP_STATE);
		expect_dropped(gateway, &down, NAT_TCP_STATE);
	}
	cr_assert_eq(gateway_sessions(gateway), 0);
	gateway_stop(gateway);
}

static const char *state_of_only_session(struct gateway *gateway)
{
	uint32_t cursor = 0;
	struct nat_session_view view;
	uint32_t n = nat_owner_sessions(
		gateway->context->nat, &cursor, NULL, &view, 1, UINT32_MAX, gateway->context->tick);

	return n == 1 ? view.state : "none";
}

/* Conforms: RFC 5382 REQ-5, RFC 7857 2. */
Test(nat_gateway, a_tcp_connection_goes_through_its_states_and_their_timeouts)
{
	struct gateway *gateway = start();
	struct packet up = { UP, .protocol = IPPROTO_TCP, .source = HOST_A, .destination = REMOTE,
		.source_port = 5000, .destination_port = 80, .tcp_flags = RTE_TCP_SYN_FLAG };
	struct public_endpoint public = gateway_bind(gateway, &up);
	struct packet down = { DOWN, .protocol = IPPROTO_TCP, .source = REMOTE, .destination = public.ip,
		.source_port = 80, .destination_port = public.port };

	cr_assert_str_eq(state_of_only_session(gateway), "opened-inside");
	gateway_wait(gateway, 230);
	cr_assert_eq(gateway_sessions(gateway), 1);
	gateway_wait(gateway, 20);
	cr_assert_eq(gateway_sessions(gateway), 0, "half open for longer than four minutes");

	public = gateway_bind(gateway, &up);
	down.destination_port = public.port;
	down.tcp_flags = RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG;
	cr_assert_eq(gateway_send(gateway, &down), STAGE_MAC_LOOKUP);
	cr_assert_str_eq(state_of_only_session(gateway), "established");
	gateway_wait(gateway, 7430);
	cr_assert_eq(gateway_sessions(gateway), 1, "established: two hours and four minutes");
	up.tcp_flags = RTE_TCP_ACK_FLAG;
	cr_assert_eq(gateway_send(gateway, &up), STAGE_MAC_LOOKUP);
	gateway_wait(gateway, 7430);
	cr_assert_eq(gateway_sessions(gateway), 1, "a packet starts the time anew");

	up.tcp_flags = down.tcp_flags = RTE_TCP_FIN_FLAG | RTE_TCP_ACK_FLAG;
	cr_assert_eq(gateway_send(gateway, &up), STAGE_MAC_LOOKUP);
	cr_assert_str_eq(state_of_only_session(gateway), "fin-inside");
	gateway_wait(gateway, 3600);
	cr_assert_eq(gateway_sessions(gateway), 1, "the other side may still send");
	cr_assert_eq(gateway_send(gateway, &down), STAGE_MAC_LOOKUP);
	cr_assert_str_eq(state_of_only_session(gateway), "closing");
	gateway_wait(gateway, 200);
	up.tcp_flags = RTE_TCP_ACK_FLAG;
	cr_assert_eq(gateway_send(gateway, &up), STAGE_MAC_LOOKUP, "the last ACK passes");
	gateway_wait(gateway, 50);
	cr_assert_eq(gateway_sessions(gateway), 0, "and does not keep a finished connection");
	gateway_stop(gateway);
}

/* Conforms: RFC 7857 2.2. */
Test(nat_gateway, a_reset_ends_a_connection_in_four_minutes_unless_it_was_not_meant)
{
	struct gateway *gateway = start();
	struct packet up = { UP, .protocol = IPPROTO_TCP, .source = HOST_A, .destination = REMOTE,
		.source_port = 5000, .destination_port = 80, .tcp_flags = RTE_TCP_SYN_FLAG };
	struct public_endpoint public = gateway_bind(gateway, &up);
	struct packet down = { DOWN, .protocol = IPPROTO_TCP, .source = REMOTE, .destination = public.ip,
		.source_port = 80, .destination_port = public.port,
		.tcp_flags = RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG };

	gateway_send(gateway, &down);
	down.tcp_flags = RTE_TCP_RST_FLAG;
	cr_assert_eq(gateway_send(gateway, &down), STAGE_MAC_LOOKUP);
	cr_assert_str_eq(state_of_only_session(gateway), "reset");
	up.tcp_flags = RTE_TCP_ACK_FLAG;
	cr_assert_eq(gateway_send(gateway, &up), STAGE_MAC_LOOKUP);
	cr_assert_str_eq(state_of_only_session(gateway), "established", "it goes on: the RST was forged");
	down.tcp_flags = RTE_TCP_RST_FLAG;
	gateway_send(gateway, &down);
	gateway_wait(gateway, 250);
	cr_assert_eq(gateway_sessions(gateway), 0);
	gateway_stop(gateway);
}

/* Conforms: RFC 4787 REQ-5, RFC 5508 REQ-2. */
Test(nat_gateway, udp_and_icmp_sessions_end_after_their_idle_time_and_give_the_port_back)
{
	struct gateway *gateway = start();
	struct packet udp = { UP, .source = HOST_A, .destination = REMOTE, .source_port = 5000,
		.destination_port = 53 };
	struct packet ping = { UP, .protocol = IPPROTO_ICMP, .source = HOST_A, .destination = REMOTE,
		.source_port = 5000, .icmp_type = RTE_IP_ICMP_ECHO_REQUEST };
	struct nat_pool_view pools[2];
	struct public_endpoint public = gateway_bind(gateway, &udp);

	gateway_bind(gateway, &ping);
	nat_pools(gateway->nat, pools, 2);
	cr_assert_eq(pools[0].used[1], 1);
	cr_assert_eq(pools[0].used[2], 1);
	gateway_wait(gateway, 55);
	cr_assert_eq(gateway_sessions(gateway), 2);
	gateway_wait(gateway, 15);
	cr_assert_eq(gateway_sessions(gateway), 1, "ICMP: 60 s");
	gateway_wait(gateway, 220);
	cr_assert_eq(gateway_sessions(gateway), 1);
	const struct packet down = { DOWN, .source = REMOTE, .destination = public.ip, .source_port = 53,
		.destination_port = public.port };
	cr_assert_eq(gateway_send(gateway, &down), STAGE_MAC_LOOKUP);
	gateway_wait(gateway, 290);
	cr_assert_eq(gateway_sessions(gateway), 1, "an answer keeps a session");
	gateway_wait(gateway, 15);
	cr_assert_eq(gateway_sessions(gateway), 0, "UDP: 300 s");
	expect_dropped(gateway, &down, NAT_NO_BINDING);
	nat_pools(gateway->nat, pools, 2);
	cr_assert_eq(pools[0].used[1], 0);
	cr_assert_eq(pools[0].used[2], 0);
	cr_assert_eq(nat_host_sessions(gateway->nat, WEB, HOST_A), 0);
	gateway_stop(gateway);
}

/* Conforms: RFC 4787 REQ-5b, RFC 5508 REQ-2a, RFC 7857 2.1. */
Test(nat_gateway, each_kind_of_session_ends_after_the_time_that_is_configured_for_it)
{
	struct nat_settings settings = test_settings;
	settings.udp_s = 130;
	settings.icmp_s = 100;
	settings.tcp_opening_s = 250;
	settings.tcp_closing_s = 400;
	struct gateway *gateway = gateway_start(&settings);
	struct packet up = { UP, .source = HOST_A, .destination = REMOTE, .source_port = 5000,
		.destination_port = 80, .icmp_type = RTE_IP_ICMP_ECHO_REQUEST,
		.tcp_flags = RTE_TCP_SYN_FLAG };
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP };

	for (size_t i = 0; i < RTE_DIM(protocols); i++) {
		up.protocol = protocols[i];
		gateway_bind(gateway, &up);
	}
	up.protocol = IPPROTO_TCP; /* one that is reset at once */
	up.source_port = 5001;
	struct public_endpoint public = gateway_bind(gateway, &up);
	const struct packet reset = { DOWN, .protocol = IPPROTO_TCP, .source = REMOTE,
		.destination = public.ip, .source_port = 80, .destination_port = public.port,
		.tcp_flags = RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG };
	struct packet closed = reset;
	closed.tcp_flags = RTE_TCP_RST_FLAG;
	gateway_send(gateway, &reset);
	gateway_send(gateway, &closed);
	static const struct {
		uint32_t wait, left;
	} then[] = { { 90, 4 }, { 20, 3 }, { 30, 2 }, { 100, 2 }, { 20, 1 }, { 130, 1 }, { 20, 0 } };
	for (size_t i = 0; i < RTE_DIM(then); i++) {
		gateway_wait(gateway, then[i].wait);
		cr_assert_eq(gateway_sessions(gateway), then[i].left, "step %zu", i);
	}
	gateway_stop(gateway);
}

/* Conforms: RFC 7857 7, RFC 4787 REQ-6. */
Test(nat_gateway, packets_from_outside_do_not_keep_a_udp_session_when_told_so)
{
	struct nat_settings settings = test_settings;
	settings.udp_refresh_outbound_only = true;
	struct gateway *gateway = gateway_start(&settings);
	struct packet up = { UP, .source = HOST_A, .destination = REMOTE, .source_port = 5000,
		.destination_port = 53 };
	struct public_endpoint public = gateway_bind(gateway, &up);
	const struct packet down = { DOWN, .source = REMOTE, .destination = public.ip, .source_port = 53,
		.destination_port = public.port };

	gateway_wait(gateway, 290);
	cr_assert_eq(gateway_send(gateway, &down), STAGE_MAC_LOOKUP);
	gateway_wait(gateway, 20);
	cr_assert_eq(gateway_sessions(gateway), 0);
	gateway_stop(gateway);
}

/* Conforms: RFC 7857 11. */
Test(nat_gateway, a_binding_outlives_its_first_session)
{
	struct gateway *gateway = start();
	struct packet up = { UP, .source = HOST_A, .destination = REMOTE, .source_port = 5000,
		.destination_port = 1 };
	struct public_endpoint public = gateway_bind(gateway, &up);

	for (uint16_t port = 2; port <= 20; port++) {
		gateway_wait(gateway, 20);
		up.destination_port = port;
		struct public_endpoint now = gateway_bind(gateway, &up);
		cr_assert_eq(now.port, public.port);
		cr_assert_eq(now.ip, public.ip);
	}
	/* 400 s later the first sessions are gone, the binding and the younger ones are not. */
	struct packet down = { DOWN, .source = REMOTE, .destination = public.ip, .source_port = 1,
		.destination_port = public.port };
	expect_dropped(gateway, &down, NAT_FILTERED);
	down.source_port = 20;
	cr_assert_eq(gateway_send(gateway, &down), STAGE_MAC_LOOKUP);
	struct nat_binding_view view;
	uint32_t cursor = 0;
	cr_assert_eq(nat_owner_bindings(gateway->context->nat, &cursor, NULL, &view, 1, UINT32_MAX, 0), 1);
	cr_assert_eq(view.outside_port, public.port);
	cr_assert_eq(view.sessions, gateway_sessions(gateway));
	cr_assert_lt(view.sessions, 18u);
	gateway_stop(gateway);
}

/* Conforms: RFC 5508 REQ-11. */
Test(nat_gateway, what_cannot_be_translated_is_dropped_by_name)
{
	struct gateway *gateway = start();
	struct packet up = { UP, .source = HOST_A, .destination = REMOTE, .source_port = 1,
		.destination_port = 2 };

	up.protocol = 47;
	expect_dropped(gateway, &up, NAT_GRE);
	up.protocol = 6 + 32; /* aliases TCP in any table that is indexed by the low bits */
	expect_dropped(gateway, &up, NAT_PROTOCOL);
	up.protocol = IPPROTO_ICMP;
	up.icmp_type = 17;
	expect_dropped(gateway, &up, NAT_ICMP_TYPE);
	up.icmp_type = 4;
	expect_dropped(gateway, &up, NAT_ICMP_TYPE);
	up.icmp_type = RTE_IP_ICMP_ECHO_REPLY;
	expect_dropped(gateway, &up, NAT_ICMP_TYPE);
	struct packet down = { DOWN, .source = REMOTE, .destination = IP(203, 0, 113, 10), .source_port = 1,
		.destination_port = 2000 };
	down.protocol = 47;
	expect_dropped(gateway, &down, NAT_GRE);
	cr_assert_eq(gateway_sessions(gateway), 0);
	gateway_stop(gateway);
}

Test(nat_gateway, an_echo_request_from_outside_does_not_enter_a_dynamic_session)
{
	struct gateway *gateway = start();
	struct packet ping = { UP, .protocol = IPPROTO_ICMP, .source = HOST_A, .destination = REMOTE,
		.source_port = 5000, .icmp_type = RTE_IP_ICMP_ECHO_REQUEST };
	struct public_endpoint public = gateway_bind(gateway, &ping);
	struct packet down = { DOWN, .protocol = IPPROTO_ICMP, .source = REMOTE, .destination = public.ip,
		.source_port = public.port, .icmp_type = RTE_IP_ICMP_ECHO_REQUEST };

	expect_dropped(gateway, &down, NAT_FILTERED);
	down.flags = PACKET_TO_SELF;
	cr_assert_eq(
		gateway_send(gateway, &down), VERDICT_PUNT, "the gateway itself answers on its own address");
	down.icmp_type = RTE_IP_ICMP_ECHO_REPLY;
	cr_assert_eq(gateway_send(gateway, &down), STAGE_MAC_LOOKUP);
	gateway_stop(gateway);
}

Test(nat_gateway, a_host_with_no_rule_for_a_flow_is_routed_as_it_is)
{
	struct nat_settings settings = test_settings;
	settings.source_count = 0;
	struct gateway *gateway = gateway_start(&settings);
	struct packet up = { UP, .source = FORWARD_HOST, .destination = REMOTE, .source_port = 54,
		.destination_port = 2 };

	expect_translated(gateway, &up, &up);
	up.protocol = IPPROTO_TCP; /* also in the middle of a connection */
	expect_translated(gateway, &up, &up);
	const struct packet ping = { UP, .protocol = IPPROTO_ICMP, .source = FORWARD_HOST,
		.destination = REMOTE, .icmp_type = 17, .source_port = 1 };
	expect_translated(gateway, &ping, &ping);
	struct packet gre = ping;
	gre.protocol = 47;
	cr_assert_eq(gateway_send(gateway, &gre), STAGE_MAC_LOOKUP);
	cr_assert_eq(gateway_sessions(gateway), 0);
	cr_assert(nat_translates_source(gateway->nat, WEB, FORWARD_HOST));
	cr_assert(nat_translates_source(gateway->nat, WEB, STATIC_HOST));
	cr_assert_not(nat_translates_source(gateway->nat, WEB, HOST_A));
	cr_assert_not(nat_translates_source(gateway->nat, DB, FORWARD_HOST));
	gateway_stop(gateway);
}

Test(nat_gateway, an_exhausted_pool_refuses_the_new_and_keeps_the_old)
{
	struct gateway *gateway = start();
	struct packet up = { UP, .segment = DB, .source = HOST_A, .destination = REMOTE,
		.destination_port = 53 };

	for (uint16_t i = 0; i < 100; i++) {
		up.source_port = (uint16_t)(10000 + i);
		gateway_bind(gateway, &up);
	}
	up.source_port++;
	expect_dropped(gateway, &up, NAT_NO_PORTS);
	up.source = HOST_B;
	expect_dropped(gateway, &up, NAT_NO_PORTS);
	cr_assert_eq(nat_host_sessions(gateway->nat, DB, HOST_B), 0);
	cr_assert_eq(nat_owner_counters(gateway->context->nat)->hosts, 1);
	struct nat_pool_view pools[2];
	nat_pools(gateway->nat, pools, 2);
	cr_assert_eq(pools[1].ports, 100);
	cr_assert_eq(pools[1].used[1], 100);
	up.protocol = IPPROTO_TCP;
	up.tcp_flags = RTE_TCP_SYN_FLAG;
	cr_assert_eq(gateway_send(gateway, &up), STAGE_MAC_LOOKUP, "another protocol has ports of its own");
	up = (struct packet){ UP, .segment = DB, .source = HOST_A, .destination = REMOTE,
		.destination_port = 53 };
	for (uint16_t i = 0; i < 100; i++) {
		up.source_port = (uint16_t)(10000 + i);
		gateway_bind(gateway, &up);
	}
	gateway_stop(gateway);
}

Test(nat_gateway, a_full_table_refuses_the_new_and_keeps_the_old)
{
	struct nat_settings settings = test_settings;
	settings.max_sessions = 1000;
	struct gateway *gateway = gateway_start(&settings);
	struct packet up = { UP, .source = HOST_A, .destination = REMOTE, .destination_port = 53 };

	for (uint16_t i = 0; i < 1000; i++) {
		up.source_port = (uint16_t)(10000 + i);
		gateway_bind(gateway, &up);
	}
	up.source_port++;
	expect_dropped(gateway, &up, NAT_TABLE_FULL);
	for (uint16_t i = 0; i < 1000; i++) {
		up.source_port = (uint16_t)(10000 + i);
		gateway_bind(gateway, &up);
	}
	struct nat_pool_view pools[2];
	nat_pools(gateway->nat, pools, 2);
	cr_assert_eq(pools[0].used[1], 1000, "the port of the refused flow is free again");
	cr_assert_eq(nat_owner_counters(gateway->context->nat)->capacity, 1000);
	gateway_stop(gateway);
}

Test(nat_gateway, an_overloaded_lcore_opens_no_more_sessions_than_it_may)
{
	struct nat_settings settings = test_settings;
	settings.new_sessions_in_overload = 16 * TICKS_PER_S;
	struct gateway *gateway = gateway_start(&settings);
	struct packet old = { UP, .source = HOST_A, .destination = REMOTE, .source_port = 1,
		.destination_port = 53 };
	struct rte_mbuf *burst[BURST_MAX];
	uint8_t verdict[BURST_MAX];
	uint32_t passed = 0, refused = 0;

	gateway_bind(gateway, &old);
	gateway->context->cycles_per_tick = 1000;
	overload_init(gateway->context);
	gateway->context->overloaded = true;
	for (uint16_t i = 0; i < BURST_MAX; i++) {
		struct packet up = { UP, .source = HOST_B, .destination = REMOTE,
			.source_port = (uint16_t)(1000 + i), .destination_port = 53 };
		burst[i] = packet_make(gateway, i % 2 ? &old : &up);
	}
	nat_gateway_process(gateway->context, burst, BURST_MAX, verdict);
	for (uint16_t i = 0; i < BURST_MAX; i++) {
		if (i % 2)
			cr_assert_eq(verdict[i], STAGE_MAC_LOOKUP, "an established flow suffers");
		passed += !(i % 2) && verdict[i] == STAGE_MAC_LOOKUP;
		refused += verdict[i] == verdict_drop(DROP_NAT_NEW_SESSION_BUDGET);
	}
	cr_assert_eq(passed, 8, "who asks this often gets no more than half of what there is");
	cr_assert_eq(refused, BURST_MAX / 2 - 8);
	rte_pktmbuf_free_bulk(burst, BURST_MAX);
	gateway_stop(gateway);
}

Test(nat_gateway, a_burst_of_all_kinds_is_translated_like_its_packets_one_by_one)
{
	struct gateway *gateway = start(), *single;
	struct rte_mbuf *burst[BURST_MAX];
	struct packet spec[BURST_MAX];
	uint8_t verdict[BURST_MAX];
	unsigned seed = 5;

	/* In the burst the second packet of a new flow finds the session that the first one has opened. */
	for (uint16_t i = 0; i < BURST_MAX; i++) {
		static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP, IPPROTO_UDP,
			50 };
		bool up = rand_r(&seed) % 2;
		spec[i] = (struct packet){ .from = up ? NAT_FROM_INSIDE : NAT_FROM_OUTSIDE,
			.protocol = protocols[rand_r(&seed) % 5],
			.source = up ? STATIC_HOST : REMOTE,
			.destination = up ? REMOTE : STATIC_IP,
			.source_port = (uint16_t)(100 + rand_r(&seed) % 4),
			.destination_port = (uint16_t)(100 + rand_r(&seed) % 4),
			.tcp_flags = RTE_TCP_SYN_FLAG,
			.icmp_type = RTE_IP_ICMP_ECHO_REQUEST,
			.payload = (uint16_t)(rand_r(&seed) % 100) };
		burst[i] = packet_make(gateway, &spec[i]);
	}
	nat_gateway_process(gateway->context, burst, BURST_MAX, verdict);
	uint64_t sessions = gateway_sessions(gateway);
	single = gateway;
	for (uint16_t i = 0; i < BURST_MAX; i++) {
		struct rte_mbuf *m = packet_make(single, &spec[i]);
		cr_assert_eq(gateway_take(single, m), verdict[i]);
		cr_assert_arr_eq(
			rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_mtod(burst[i], uint8_t *), m->data_len);
		if (verdict[i] == STAGE_MAC_LOOKUP)
			expect_right_checksums(m);
		rte_pktmbuf_free(m);
	}
	cr_assert_eq(gateway_sessions(single), sessions, "a burst opens each session once");
	rte_pktmbuf_free_bulk(burst, BURST_MAX);
	gateway_stop(gateway);
}

Test(nat_gateway, two_forwards_to_one_server_each_answer_from_where_they_were_asked)
{
	static const struct nat_forward_settings forwards[] = {
		{ WEB, IPPROTO_UDP, OWN_IP, FORWARD_HOST, 5353, 53 },
		{ WEB, IPPROTO_UDP, IP(203, 0, 113, 2), FORWARD_HOST, 53, 53 },
	};
	struct nat_settings settings = test_settings;
	settings.forward = forwards;
	settings.forward_count = 2;
	struct gateway *gateway = gateway_start(&settings);

	for (uint16_t i = 0; i < 40; i++) {
		const struct nat_forward_settings *by = &forwards[i % 2];
		struct packet down = { DOWN, .source = REMOTE, .destination = by->outside,
			.source_port = (uint16_t)(900 + i), .destination_port = by->outside_port };
		cr_assert_eq(gateway_send(gateway, &down), STAGE_MAC_LOOKUP);
		struct packet up = { UP, .source = FORWARD_HOST, .destination = REMOTE, .source_port = 53,
			.destination_port = (uint16_t)(900 + i) };
		struct packet outside = up;
		outside.source = by->outside;
		outside.source_port = by->outside_port;
		expect_translated(gateway, &up, &outside);
	}
	/* One client socket that asks both cannot be told apart by the server: the second is refused. */
	struct packet again = { DOWN, .source = REMOTE, .destination = OWN_IP, .source_port = 901,
		.destination_port = 5353 };
	expect_dropped(gateway, &again, NAT_FILTERED);
	gateway_wait(gateway, 310);
	cr_assert_eq(gateway_sessions(gateway), 0);
	gateway_stop(gateway);
}

Test(nat_gateway, a_forward_from_a_pool_address_keeps_its_port_from_the_pool)
{
	static const struct nat_forward_settings forwards[] = {
		{ DB, IPPROTO_UDP, IP(203, 0, 113, 40), FORWARD_HOST, 2042, 53 },
	};
	struct nat_settings settings = test_settings;
	settings.forward = forwards;
	settings.forward_count = 1;
	struct gateway *gateway = gateway_start(&settings);
	struct packet up = { UP, .segment = DB, .source = HOST_A, .destination = REMOTE,
		.destination_port = 53 };

	for (uint16_t i = 0; i < 99; i++) {
		up.source_port = (uint16_t)(2000 + i);
		cr_assert_neq(gateway_bind(gateway, &up).port, 2042);
	}
	up.source_port = 1;
	expect_dropped(gateway, &up, NAT_NO_PORTS);
	gateway_stop(gateway);
}

Test(nat_gateway, what_goes_in_carries_the_neighbour_of_its_host)
{
	struct gateway *gateway = start();
	struct neighbour_table *neighbours = gateway->plane.neighbours;
	struct packet down = { DOWN, .source = REMOTE, .destination = STATIC_IP, .source_port = 1,
		.destination_port = 9 };
	interface_id web = interface_of_segment(WEB);
	uint32_t hint = 0;

	for (int phase = 0; phase < 3; phase++) {
		uint32_t wanted = INDEX_NONE;
		if (phase == 1)
			wanted = (uint32_t)neighbour_insert(neighbours, web, STATIC_HOST);
		if (phase == 2) { /* it comes back under another number */
			neighbour_remove(neighbours, neighbour_find(neighbours, web, STATIC_HOST), 1);
			neighbour_insert(neighbours, web, HOST_A);
			wanted = (uint32_t)neighbour_insert(neighbours, web, STATIC_HOST);
		}
		for (int i = 0; i < 3; i++) {
			struct rte_mbuf *m = packet_make(gateway, &down);
			cr_assert_eq(gateway_take(gateway, m), STAGE_MAC_LOOKUP);
			cr_assert_eq(packet_metadata(m)->egress, web);
			cr_assert_eq(packet_metadata(m)->next_hop, STATIC_HOST);
			hint = packet_metadata(m)->neighbour;
			rte_pktmbuf_free(m);
		}
		cr_assert_eq(hint, wanted, "phase %d: %u, should be %u", phase, hint, wanted);
	}
	gateway_stop(gateway);
}

Test(nat_gateway, packets_and_bytes_are_counted_each_way)
{
	struct gateway *gateway = start();
	struct packet up = { UP, .source = HOST_A, .destination = REMOTE, .source_port = 5000,
		.destination_port = 53, .payload = 72 };
	struct public_endpoint public = gateway_bind(gateway, &up);
	struct packet down = { DOWN, .source = REMOTE, .destination = public.ip, .source_port = 53,
		.destination_port = public.port, .payload = 972 };
	struct nat_session_view view;
	uint32_t cursor = 0;

	for (int i = 0; i < 9; i++)
		gateway_send(gateway, &up);
	for (int i = 0; i < 3; i++)
		gateway_send(gateway, &down);
	gateway_wait(gateway, 7);
	cr_assert_eq(nat_owner_sessions(gateway->context->nat, &cursor, NULL, &view, 1, UINT32_MAX,
			     gateway->context->tick),
		1);
	cr_assert_eq(view.packets_up, 10);
	cr_assert_eq(view.bytes_up, 1000);
	cr_assert_eq(view.packets_down, 3);
	cr_assert_eq(view.bytes_down, 3000);
	cr_assert_eq(view.inside, HOST_A);
	cr_assert_eq(view.remote, REMOTE);
	cr_assert_eq(view.outside, public.ip);
	cr_assert_eq(view.inside_port, 5000);
	cr_assert_eq(view.outside_port, public.port);
	cr_assert_eq(view.remote_port, 53);
	cr_assert_eq(view.idle_s, 7);
	cr_assert_eq(view.expires_in_s, 293);
	cr_assert_str_eq(view.kind, "dynamic");
	cr_assert_str_eq(view.state, "udp");
	gateway_stop(gateway);
}
