/* SPDX-License-Identifier: BSD-3-Clause */
/* Several owners: each packet of a flow, either way, and each error about it, comes to the same one. */
#include "nat_fixture.h"

TestSuite(nat_handoff, .timeout = 60);

static struct gateway *start(uint16_t owners)
{
	struct nat_settings settings = test_settings;

	settings.owners = owners;
	settings.max_sessions = 20000;
	return gateway_start(&settings);
}

static uint16_t owner_of(struct gateway *gateway, const struct packet *spec)
{
	struct rte_mbuf *m = packet_make(gateway, spec);
	uint8_t verdict = 0xff;

	nat_handoff_process(gateway->context, &m, 1, &verdict);
	uint16_t owner = packet_metadata(m)->owner;
	cr_assert_eq(verdict, owner == 0 ? STAGE_NAT_GATEWAY : VERDICT_HANDOFF);
	rte_pktmbuf_free(m);
	return owner;
}

/* A quarter of a fair share at least: 200 hosts are spread by a hash. */
static void both_ways_and_errors_have_one_owner(uint16_t owners)
{
	static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP };
	struct gateway *gateway = start(owners);
	uint32_t used[NAT_OWNER_MAX] = { 0 };

	for (uint16_t i = 0; i < 600; i++) {
		struct packet up = { .from = NAT_FROM_INSIDE,
			.protocol = protocols[i % 3],
			.source = IP(10, 0, 1, 20 + i % 200),
			.destination = REMOTE,
			.source_port = (uint16_t)(3000 + i),
			.destination_port = 80,
			.tcp_flags = RTE_TCP_SYN_FLAG,
			.icmp_type = RTE_IP_ICMP_ECHO_REQUEST };
		bool icmp = up.protocol == IPPROTO_ICMP;
		uint16_t owner = owner_of(gateway, &up);
		struct public_endpoint public = gateway_bind(gateway, &up);
		const struct packet down = { .from = NAT_FROM_OUTSIDE,
			.protocol = up.protocol,
			.source = REMOTE,
			.destination = public.ip,
			.source_port = icmp ? public.port : 80,
			.destination_port = icmp ? 0 : public.port,
			.icmp_type = RTE_IP_ICMP_ECHO_REPLY };
		cr_assert_lt(owner, owners);
		cr_assert_eq(owner_of(gateway, &down), owner);
		cr_assert_eq(gateway_send(gateway, &down), STAGE_MAC_LOOKUP);
		used[owner]++;

		struct packet error = { .from = NAT_FROM_OUTSIDE,
			.protocol = IPPROTO_ICMP,
			.source = REMOTE_2,
			.destination = public.ip,
			.icmp_type = 11,
			.payload = 28 };
		struct packet outside = up;
		outside.source = public.ip;
		outside.source_port = public.port;
		struct rte_mbuf *m = packet_make(gateway, &error);
		ip_packet_write((struct rte_ipv4_hdr *)(packet_l4(m) + 8), &outside);
		memset(packet_l4(m) + 2, 0, 2);
		*(uint16_t *)(packet_l4(m) + 2) = l4_checksum(packet_ip(m));
		cr_assert_eq(gateway_take(gateway, m), STAGE_MAC_LOOKUP);
		cr_assert_eq(packet_metadata(m)->owner, owner);
		rte_pktmbuf_free(m);
	}
	for (uint16_t i = 0; i < owners; i++)
		cr_assert_gt(used[i], 600u / owners / 4, "owner %u of %u has %u flows", i, owners, used[i]);
	gateway_stop(gateway);
}

Test(nat_handoff, both_ways_of_a_flow_and_errors_about_it_have_one_of_two_owners)
{
	both_ways_and_errors_have_one_owner(2);
}

Test(nat_handoff, both_ways_of_a_flow_and_errors_about_it_have_one_of_three_owners)
{
	both_ways_and_errors_have_one_owner(3);
}

Test(nat_handoff, both_ways_of_a_flow_and_errors_about_it_have_one_of_seven_owners)
{
	both_ways_and_errors_have_one_owner(7);
}

static void hosts_keep_to_one_owner(uint16_t owners)
{
	struct gateway *gateway = start(owners);

	for (uint16_t host = 0; host < 100; host++) {
		uint16_t owner = UINT16_MAX;
		for (uint16_t i = 0; i < 5; i++) {
			struct packet up = { .from = NAT_FROM_INSIDE,
				.source = IP(10, 0, 1, 50 + host),
				.destination = i % 2 ? REMOTE : REMOTE_2,
				.source_port = (uint16_t)(3000 + i * 99),
				.destination_port = 80 };
			struct public_endpoint public = gateway_bind(gateway, &up);
			struct packet down = { .from = NAT_FROM_OUTSIDE,
				.source = up.destination,
				.destination = public.ip,
				.source_port = 80,
				.destination_port = public.port };
			uint16_t now = owner_of(gateway, &up);
			cr_assert(i == 0 ? true : now == owner, "a host has two owners");
			owner = now;
			cr_assert_eq(owner_of(gateway, &down), owner);
			cr_assert_eq(gateway_send(gateway, &down), STAGE_MAC_LOOKUP);
		}
		cr_assert_eq(nat_host_sessions(gateway->nat, WEB, IP(10, 0, 1, 50 + host)), 5);
	}
	gateway_stop(gateway);
}

Test(nat_handoff, a_host_keeps_to_one_of_three_owners)
{
	hosts_keep_to_one_owner(3);
}

Test(nat_handoff, a_host_keeps_to_one_of_seven_owners)
{
	hosts_keep_to_one_owner(7);
}

Test(nat_handoff, a_host_keeps_to_one_of_sixtyfour_owners)
{
	hosts_keep_to_one_owner(64);
}

/* Whatever the key is: a small subnet is the usual one. The keys are the same in each run. */
Test(nat_handoff, addresses_in_a_row_are_shared_out_evenly)
{
	uint64_t state = 1;

	for (uint16_t owners = 2; owners <= 8; owners++)
		for (int key = 0; key < 2000; key++) {
			struct nat nat = { .owners = owners };
			uint32_t hosts[8] = { 0 };

			for (size_t i = 0; i < RTE_DIM(nat.hash_key.k); i++)
				for (int half = 0; half < 2; half++) {
					state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
					nat.hash_key.k[i] = nat.hash_key.k[i] << 32 | state >> 32;
				}
			for (uint32_t host = 1; host < 255; host++)
				hosts[nat_owner_of_inside(&nat, WEB, rte_cpu_to_be_32(0x0a000100 + host))]++;
			for (uint16_t i = 0; i < owners; i++)
				cr_assert(hosts[i] > 254u / owners / 4 && hosts[i] < 254u / owners * 5 / 2,
					"owner %u of %u has %u hosts of 254", i, owners, hosts[i]);
		}
}

Test(nat_handoff, static_bindings_and_forwards_belong_to_the_owner_of_their_host)
{
	struct gateway *gateway = start(5);
	const struct packet to_static = { .from = NAT_FROM_OUTSIDE,
		.source = REMOTE,
		.destination = STATIC_IP,
		.source_port = 1,
		.destination_port = 4444 };
	const struct packet from_static = { .from = NAT_FROM_INSIDE,
		.source = STATIC_HOST,
		.destination = REMOTE,
		.source_port = 4444,
		.destination_port = 1 };
	const struct packet to_forward = { .from = NAT_FROM_OUTSIDE,
		.source = REMOTE,
		.destination = OWN_IP,
		.source_port = 1,
		.destination_port = 5353 };
	const struct packet from_forward = { .from = NAT_FROM_INSIDE,
		.source = FORWARD_HOST,
		.destination = REMOTE,
		.source_port = 53,
		.destination_port = 1 };

	cr_assert_eq(owner_of(gateway, &to_static), owner_of(gateway, &from_static));
	cr_assert_eq(owner_of(gateway, &to_forward), owner_of(gateway, &from_forward));
	cr_assert_eq(gateway_send(gateway, &to_static), STAGE_MAC_LOOKUP);
	cr_assert_eq(gateway_send(gateway, &from_static), STAGE_MAC_LOOKUP);
	cr_assert_eq(gateway_send(gateway, &to_forward), STAGE_MAC_LOOKUP);
	cr_assert_eq(gateway_send(gateway, &from_forward), STAGE_MAC_LOOKUP);
	cr_assert_eq(gateway_sessions(gateway), 2);
	struct nat_binding_view views[3];
	cr_assert_eq(nat_rule_bindings(gateway->nat, views, 3, 0), 3);
	cr_assert_eq(views[0].owner, owner_of(gateway, &from_static));
	cr_assert_eq(views[2].owner, owner_of(gateway, &from_forward));
	gateway_stop(gateway);
}

Test(nat_handoff, all_public_ports_of_a_pool_are_shared_out_to_the_owners)
{
	struct gateway *gateway = start(6);
	struct packet up = {
		.from = NAT_FROM_INSIDE, .segment = DB, .destination = REMOTE, .destination_port = 53
	};
	bool taken[65536] = { false };
	uint32_t bound = 0;

	/* enough flows of enough hosts that every owner runs out */
	for (uint32_t i = 0; i < 20000 && bound < 100; i++) {
		up.source = rte_cpu_to_be_32(0x0a000100u + i % 250);
		up.source_port = (uint16_t)(1000 + i / 250);
		struct rte_mbuf *m = packet_make(gateway, &up);
		if (gateway_take(gateway, m) == STAGE_MAC_LOOKUP) {
			uint16_t port = rte_be_to_cpu_16(*(uint16_t *)packet_l4(m));
			cr_assert_not(taken[port]);
			cr_assert(port >= 2000 && port <= 2099 ? true : false);
			taken[port] = true;
			bound++;
		}
		rte_pktmbuf_free(m);
	}
	cr_assert_eq(bound, 100);
	struct nat_pool_view pools[2];
	nat_pools(gateway->nat, pools, 2);
	cr_assert_eq(pools[1].used[1], 100);
	gateway_stop(gateway);
}

Test(nat_handoff, what_comes_to_the_wrong_owner_is_dropped_there)
{
	struct gateway *gateway = start(2);
	const struct packet up = { .from = NAT_FROM_INSIDE,
		.source = HOST_A,
		.destination = REMOTE,
		.source_port = 1,
		.destination_port = 2 };
	uint16_t wrong = owner_of(gateway, &up) ^ 1;
	struct rte_mbuf *m = packet_make(gateway, &up);
	uint8_t verdict = 0xff;

	packet_metadata(m)->owner = (uint16_t)(wrong ^ 1);
	nat_gateway_process(&gateway->context[wrong], &m, 1, &verdict);
	cr_assert_eq(verdict, verdict_drop(DROP_NAT_STALE_OWNER));
	rte_pktmbuf_free(m);
	cr_assert_eq(gateway_sessions(gateway), 0);
	gateway_stop(gateway);
}

Test(nat_handoff, a_lcore_without_a_gateway_hands_everything_over)
{
	struct gateway *gateway = start(1);
	const struct packet up = { .from = NAT_FROM_INSIDE,
		.source = HOST_A,
		.destination = REMOTE,
		.source_port = 1,
		.destination_port = 2 };
	struct rte_mbuf *m = packet_make(gateway, &up);
	uint8_t verdict = 0xff;

	gateway->context->owner_index = UINT16_MAX;
	nat_handoff_process(gateway->context, &m, 1, &verdict);
	cr_assert_eq(verdict, VERDICT_HANDOFF);
	cr_assert_eq(packet_metadata(m)->owner, 0);
	packet_metadata(m)->nat = NAT_NONE;
	nat_handoff_process(gateway->context, &m, 1, &verdict);
	cr_assert_eq(verdict, STAGE_MAC_LOOKUP, "what needs no translation goes straight on");
	rte_pktmbuf_free(m);
	gateway_stop(gateway);
}

/* All fragments of a datagram have addresses and identification in common, and nothing else. */
Test(nat_handoff, fragments_of_a_datagram_meet_at_one_owner)
{
	struct gateway *gateway = start(4);
	struct packet down = { .from = NAT_FROM_OUTSIDE,
		.source = REMOTE,
		.destination = IP(203, 0, 113, 10),
		.flags = PACKET_FRAGMENT };
	struct rte_mbuf *m;
	uint16_t owner = 0;

	for (uint16_t port = 0; port < 64; port++) {
		down.source_port = down.destination_port = port;
		down.flags = port % 2 ? PACKET_FRAGMENT | PACKET_LATER_FRAGMENT : PACKET_FRAGMENT;
		m = packet_make(gateway, &down);
		nat_handoff_process(&gateway->context[0], &m, 1, &(uint8_t){ 0 });
		if (port == 0)
			owner = packet_metadata(m)->owner;
		cr_assert_eq(packet_metadata(m)->owner, owner);
		rte_pktmbuf_free(m);
	}
	gateway_stop(gateway);
}
