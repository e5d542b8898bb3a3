/* SPDX-License-Identifier: BSD-3-Clause */
/* What public address and port a host gets: spread, ranges, rests, blocks, limits. Flows are opened in the owner's
 * tables directly, and closed by time. */
#include "nat_fixture.h"
#include "table/nat_host_view.h"
#include <errno.h>

static const struct nat_port_range gappy[] = { { 1024, 1100 }, { 2000, 2000 }, { 4000, 4200 } };

struct opened {
	int64_t number; /* or -errno */
	rte_be32_t outside;
	uint16_t port;
};

static struct nat *nat_with(struct nat_pool_settings *pool, uint16_t owners, uint32_t rest)
{
	struct nat_settings settings = test_settings;
	struct nat_pool_settings pools[] = { test_pools[0], test_pools[1] };

	eal_start();
	if (pool->range == NULL) {
		pool->range = &web_range;
		pool->range_count = 1;
	}
	if (pool->ports == NULL) {
		pool->ports = &web_ports;
		pool->port_range_count = 1;
	}
	pool->name = "web";
	pools[0] = *pool;
	settings.pool = pools;
	settings.owners = owners;
	settings.port_rest_s = rest;
	settings.max_sessions = 65536;
	struct nat *nat = nat_create(&settings);
	cr_assert_not_null(nat);
	return nat;
}

static struct opened flow_open(struct nat *nat, struct nat_flow flow, uint32_t tick)
{
	struct nat_owner *owner = nat_owner(nat, nat_owner_of_inside(nat, flow.segment, flow.inside));
	struct nat_opening opening = { .flow = flow };
	struct opened opened;

	opening.inside_hash = nat_flow_inside_hash(owner, &opening.flow);
	nat_open_ask(owner, &opening);
	opened.number = nat_open_reserve(owner, &opening, tick);
	if (opened.number == 0)
		opened.number = nat_open_commit(owner, &opening, tick);
	opened.outside = opening.flow.outside;
	opened.port = rte_be_to_cpu_16(opening.flow.outside_port);
	return opened;
}

static struct opened udp_open(struct nat *nat, rte_be32_t host, uint16_t port, uint32_t tick)
{
	return flow_open(nat,
		(struct nat_flow){ .segment = WEB,
			.protocol = IPPROTO_UDP,
			.inside = host,
			.inside_port = rte_cpu_to_be_16(port),
			.remote = REMOTE,
			.remote_port = RTE_BE16(53) },
		tick);
}

static rte_be32_t host(uint32_t number) /* of 10.0.1.0/24 */
{
	return rte_cpu_to_be_32(0x0a000100 + number);
}

/* All owners, round the whole table. */
static void time_passes(struct nat *nat, uint32_t from, uint32_t to)
{
	for (uint32_t tick = from; tick != to; tick++)
		for (uint16_t i = 0; nat_owner(nat, i) != NULL; i++)
			nat_owner_expire(nat_owner(nat, i), tick);
}

static struct nat_pool_view pool_view(struct nat *nat)
{
	struct nat_pool_view view[2];

	cr_assert_eq(nat_pools(nat, view, 2), 2);
	return view[0];
}

/* Conforms: RFC 4787 REQ-3, RFC 6888 REQ-13. */
Test(nat_port, a_port_is_taken_from_each_range_and_from_nowhere_between)
{
	static const uint16_t counts[] = { 1, 2, 5 };
	static const struct nat_pool_range one = { 0xcb00710a, 0xcb00710a };

	for (size_t c = 0; c < RTE_DIM(counts); c++) {
		struct nat_pool_settings pool = {
			.range = &one, .range_count = 1, .ports = gappy, .port_range_count = 3
		};
		struct nat *nat = nat_with(&pool, counts[c], 0);
		uint32_t got = 0;

		for (uint32_t h = 10; h < 200; h++)
			for (uint16_t port = 1; port <= 4; port++) {
				struct opened opened = udp_open(nat, host(h), port, 0);
				if (opened.number < 0)
					continue;
				got++;
				cr_assert((opened.port >= 1024 && opened.port <= 1100) ||
					  opened.port == 2000 ||
					  (opened.port >= 4000 && opened.port <= 4200));
			}
		cr_assert_eq(pool_view(nat).ports, 77 + 1 + 201);
		cr_assert_eq(pool_view(nat).used[1], got);
		cr_assert_eq(got, 77 + 1 + 201);
		nat_destroy(nat);
	}
}

/* Conforms: RFC 6888 REQ-3. */
Test(nat_port, the_addresses_of_a_pool_need_not_be_in_a_row)
{
	static const struct nat_pool_range apart[] = { { 0xcb00710a, 0xcb00710b },
		{ 0xc6336414, 0xc6336414 } };
	static const struct nat_port_range ten = { 5000, 5009 };
	struct nat_pool_settings pool = {
		.range = apart, .range_count = 2, .ports = &ten, .port_range_count = 1
	};
	struct nat *nat = nat_with(&pool, 1, 0);
	uint32_t used[3] = { 0 };

	for (uint32_t h = 10; h < 200; h++) {
		struct opened opened = udp_open(nat, host(h), 7, 0);
		uint32_t outside = rte_be_to_cpu_32(opened.outside);
		if (opened.number < 0)
			continue;
		cr_assert(outside == 0xcb00710a || outside == 0xcb00710b || outside == 0xc6336414);
		used[outside == 0xc6336414 ? 2 : outside & 1]++;
	}
	for (int i = 0; i < 3; i++)
		cr_assert_eq(used[i], 10);
	nat_destroy(nat);
}

/* Conforms: RFC 4787 REQ-2, RFC 6888 REQ-2. */
Test(nat_port, a_host_keeps_one_public_address_and_hosts_are_spread_evenly)
{
	struct nat_pool_settings pool = { 0 };
	struct nat *nat = nat_with(&pool, 2, 120);
	uint32_t hosts[4] = { 0 };

	for (uint32_t h = 10; h < 250; h++) {
		rte_be32_t address = 0;
		for (uint16_t port = 1; port <= 20; port++) {
			struct opened opened = udp_open(nat, host(h), (uint16_t)(port * 1000), 0);
			cr_assert_geq(opened.number, 0);
			cr_assert(address == 0 || address == opened.outside);
			address = opened.outside;
		}
		hosts[rte_be_to_cpu_32(address) - web_range.first]++;
	}
	for (int i = 0; i < 4; i++)
		cr_assert(hosts[i] > 40 && hosts[i] < 80, "%u of 240 hosts on address %d", hosts[i], i);
	nat_destroy(nat);
}

/* Conforms: RFC 6888 REQ-8. */
Test(nat_port, a_freed_port_goes_to_nobody_else_for_the_rest_however_scarce_ports_are)
{
	static const struct nat_port_range four = { 5000, 5003 };
	static const struct nat_pool_range one = { 0xcb00710a, 0xcb00710a };
	struct nat_pool_settings pool = {
		.range = &one, .range_count = 1, .ports = &four, .port_range_count = 1
	};
	struct nat *nat = nat_with(&pool, 1, 120);
	const uint32_t end = 310 * TICKS_PER_S; /* of the sessions, and the rests begin */

	for (uint32_t h = 10; h < 14; h++)
		cr_assert_geq(udp_open(nat, host(h), 7, 0).number, 0);
	cr_assert_eq(udp_open(nat, host(20), 7, 0).number, -EADDRNOTAVAIL);
	time_passes(nat, 300 * TICKS_PER_S, end);
	cr_assert_eq(pool_view(nat).used[1], 0);
	cr_assert_eq(pool_view(nat).resting[1], 4);
	cr_assert_eq(pool_view(nat).most[1], 4);
	for (uint32_t second = 310; second < 300 + 120; second += 5)
		cr_assert_eq(udp_open(nat, host(21), (uint16_t)second, second * TICKS_PER_S).number,
			-EADDRNOTAVAIL, "after %u s", second - 300);
	cr_assert_geq(udp_open(nat, host(21), 9, (310 + 180) * TICKS_PER_S).number, 0);
	cr_assert_eq(pool_view(nat).resting[1], 0);
	nat_destroy(nat);
}

Test(nat_port, without_a_rest_a_freed_port_is_free_at_once)
{
	static const struct nat_port_range one_port = { 5000, 5000 };
	static const struct nat_pool_range one = { 0xcb00710a, 0xcb00710a };
	struct nat_pool_settings pool = {
		.range = &one, .range_count = 1, .ports = &one_port, .port_range_count = 1
	};
	struct nat *nat = nat_with(&pool, 1, 0);

	cr_assert_geq(udp_open(nat, host(20), 7, 0).number, 0);
	cr_assert_eq(udp_open(nat, host(21), 7, 0).number, -EADDRNOTAVAIL);
	time_passes(nat, 300 * TICKS_PER_S, 310 * TICKS_PER_S);
	cr_assert_geq(udp_open(nat, host(21), 7, 310 * TICKS_PER_S).number, 0);
	nat_destroy(nat);
}

/* A flow that came to nothing has used no port: it does not rest. */
Test(nat_port, a_port_that_was_never_used_needs_no_rest)
{
	struct nat_pool_settings pool = { 0 };
	struct nat *nat = nat_with(&pool, 1, 120);
	struct nat_owner *owner = nat_owner(nat, 0);
	struct nat_opening twice[2] = { 0 };

	for (int i = 0; i < 2;
		i++) { /* two packets of one flow in a burst: the second finds the first's session */
		twice[i].flow = (struct nat_flow){ .segment = WEB,
			.protocol = IPPROTO_UDP,
			.inside = HOST_A,
			.remote = REMOTE,
			.inside_port = 5 };
		twice[i].inside_hash = nat_flow_inside_hash(owner, &twice[i].flow);
		nat_open_ask(owner, &twice[i]);
		cr_assert_eq(nat_open_reserve(owner, &twice[i], 0), 0);
	}
	cr_assert_eq(pool_view(nat).used[1], 2);
	cr_assert_geq(nat_open_commit(owner, &twice[0], 0), 0);
	cr_assert_geq(nat_open_commit(owner, &twice[1], 0), 0);
	cr_assert(twice[1].exists);
	cr_assert_eq(pool_view(nat).used[1], 1);
	cr_assert_eq(pool_view(nat).resting[1], 0);
	nat_destroy(nat);
}

/* Conforms: RFC 6888 REQ-14. */
Test(nat_port, a_hosts_flows_of_all_protocols_stay_in_its_blocks)
{
	for (uint16_t owners = 1; owners <= 3; owners++) {
		struct nat_pool_settings pool = { .port_block = 256 };
		struct nat *nat = nat_with(&pool, owners, 120);
		uint16_t holder[4][256] = { { 0 } };

		for (uint16_t i = 1; i <= 100; i++)
			for (uint32_t h = 10; h < 60; h++) {
				struct nat_flow flow = { .segment = WEB,
					.protocol = i % 2 ? IPPROTO_UDP : IPPROTO_TCP,
					.inside = host(h),
					.inside_port = rte_cpu_to_be_16((uint16_t)(i * 601)),
					.remote = REMOTE,
					.remote_port = RTE_BE16(53) };
				struct opened opened = flow_open(nat, flow, 0);
				cr_assert_geq(opened.number, 0);
				uint16_t *of = &holder[rte_be_to_cpu_32(opened.outside) - web_range.first]
						      [opened.port / 256];
				cr_assert(*of == 0 || *of == h, "a block of two hosts");
				*of = (uint16_t)h;
				cr_assert_eq(nat_owner_of_outside(nat, flow.protocol, opened.outside,
						     rte_cpu_to_be_16(opened.port)),
					nat_owner_of_inside(nat, WEB, host(h)));
			}
		cr_assert_eq(pool_view(nat).blocks_used, 50, "one block each");
		cr_assert_eq(pool_view(nat).blocks, 4 * 252);
		nat_destroy(nat);
	}
}

Test(nat_port, a_full_block_is_followed_by_another_up_to_the_limit)
{
	struct nat_pool_settings pool = { .port_block = 64, .limits = { .ports = 160 } };
	struct nat *nat = nat_with(&pool, 1, 120);

	for (uint16_t port = 1; port <= 160; port++)
		cr_assert_geq(udp_open(nat, HOST_A, (uint16_t)(port + 20000), 0).number, 0);
	cr_assert_eq(pool_view(nat).blocks_used, 3);
	cr_assert_eq(udp_open(nat, HOST_A, 9, 0).number, -EDQUOT);
	cr_assert_geq(udp_open(nat, HOST_B, 9, 0).number, 0);
	cr_assert_eq(pool_view(nat).blocks_used, 4);
	nat_destroy(nat);
}

Test(nat_port, who_has_a_block_is_told_for_each_of_its_ports_used_or_not)
{
	for (uint16_t owners = 1; owners <= 3; owners++) {
		struct nat_pool_settings pool = { .port_block = 64 };
		struct nat *nat = nat_with(&pool, owners, 120);
		struct opened a = udp_open(nat, HOST_A, 7, 0), b = udp_open(nat, HOST_B, 7, 0);
		uint16_t first = a.port / 64 * 64, nobodys = first ^ 0x4000, segment;
		rte_be32_t inside;

		if (b.port / 64 * 64 == nobodys) /* blocks are chosen at random */
			nobodys = first ^ 0x2000;
		for (uint16_t i = 0; i < 64; i++) { /* the block may end with the last port there is */
			cr_assert(nat_block_who(nat, a.outside, first + i, &segment, &inside));
			cr_assert_eq(inside, HOST_A);
			cr_assert_eq(segment, WEB);
		}
		cr_assert(nat_block_who(nat, b.outside, b.port ^ 1, &segment, &inside));
		cr_assert_eq(inside, HOST_B);
		cr_assert_not(nat_block_who(nat, a.outside, nobodys, &segment, &inside), "nobody's");
		cr_assert_not(nat_block_who(nat, a.outside, 80, &segment, &inside), "not of the pool");
		cr_assert_not(nat_block_who(nat, REMOTE, first, &segment, &inside), "not ours");
		nat_destroy(nat);
	}
}

Test(nat_port, an_empty_block_goes_back_rests_and_its_host_may_have_it_again)
{
	static const struct nat_port_range two_blocks = { 1024, 1151 };
	static const struct nat_pool_range one = { 0xcb00710a, 0xcb00710a };
	struct nat_pool_settings pool = {
		.range = &one, .range_count = 1, .ports = &two_blocks, .port_range_count = 1, .port_block = 64
	};
	struct nat *nat = nat_with(&pool, 1, 120);
	struct opened first = udp_open(nat, HOST_A, 7, 0);

	cr_assert_geq(udp_open(nat, HOST_B, 7, 0).number, 0);
	cr_assert_eq(udp_open(nat, host(30), 7, 0).number, -EADDRNOTAVAIL);
	time_passes(nat, 300 * TICKS_PER_S, 310 * TICKS_PER_S);
	cr_assert_eq(pool_view(nat).blocks_used, 0);
	cr_assert_eq(pool_view(nat).blocks_resting, 2);
	cr_assert_eq(udp_open(nat, host(30), 7, 320 * TICKS_PER_S).number, -EADDRNOTAVAIL);
	struct opened again = udp_open(nat, HOST_A, 7, 321 * TICKS_PER_S);
	if (again.number >= 0) /* where it is looked for first */
		cr_assert_eq(again.port / 64, first.port / 64);
	cr_assert_geq(udp_open(nat, host(30), 7, (310 + 180) * TICKS_PER_S).number, 0);
	nat_destroy(nat);
}

/* Conforms: RFC 6888 REQ-4, RFC 6888 REQ-4a. */
Test(nat_port, a_host_at_its_limit_of_ports_gets_no_more_and_others_do)
{
	struct nat_pool_settings pool = { .limits = { .ports = 5 } };
	struct nat *nat = nat_with(&pool, 1, 0);
	struct nat_flow more = { .segment = WEB,
		.protocol = IPPROTO_UDP,
		.inside = HOST_A,
		.inside_port = RTE_BE16(1),
		.remote = REMOTE_2,
		.remote_port = RTE_BE16(53) };

	for (uint16_t port = 1; port <= 5; port++)
		cr_assert_geq(udp_open(nat, HOST_A, port, 0).number, 0);
	cr_assert_eq(udp_open(nat, HOST_A, 6, 0).number, -EDQUOT);
	cr_assert_geq(flow_open(nat, more, 0).number, 0, "a flow of a binding that is there needs no port");
	cr_assert_geq(udp_open(nat, HOST_B, 6, 0).number, 0);
	time_passes(nat, 300 * TICKS_PER_S, 310 * TICKS_PER_S);
	cr_assert_geq(udp_open(nat, HOST_A, 6, 310 * TICKS_PER_S).number, 0);
	nat_destroy(nat);
}

/* Conforms: RFC 6888 REQ-5. */
Test(nat_port, a_host_at_its_limit_of_sessions_keeps_those_it_has_and_gets_no_more)
{
	struct nat_pool_settings pool = { .limits = { .sessions = 3 } };
	struct nat *nat = nat_with(&pool, 1, 0);

	for (uint16_t i = 0; i < 5; i++) {
		struct nat_flow flow = { .segment = WEB,
			.protocol = IPPROTO_UDP,
			.inside = HOST_A,
			.inside_port = RTE_BE16(1),
			.remote = rte_cpu_to_be_32(0xc6336407 + i),
			.remote_port = RTE_BE16(53) };
		int64_t number = flow_open(nat, flow, 0).number;
		cr_assert(i < 3 ? number >= 0 : number == -EUSERS);
	}
	cr_assert_eq(nat_owner_counters(nat_owner(nat, 0))->sessions, 3);
	cr_assert_geq(udp_open(nat, HOST_B, 1, 0).number, 0);
	nat_destroy(nat);
}

/* Conforms: RFC 6888 REQ-4c. */
Test(nat_port, new_sessions_a_second_are_limited_on_average_and_in_a_burst)
{
	struct nat_pool_settings pool = { .limits = { .new_sessions_a_second = 50 } };
	struct nat *nat = nat_with(&pool, 1, 0);
	uint16_t port = 1;
	uint32_t opened = 0;

	while (udp_open(nat, HOST_A, port++, 1000).number >= 0)
		opened++;
	cr_assert_eq(opened, 50);
	cr_assert_geq(udp_open(nat, HOST_B, 1, 1000).number, 0);
	for (uint32_t tick = 1000; tick < 1000 + 10 * TICKS_PER_S; tick++)
		for (int i = 0; i < 5; i++)
			opened += udp_open(nat, HOST_A, port++, tick).number >= 0;
	cr_assert(opened >= 50 + 499 && opened <= 50 + 500, "%u", opened);
	nat_destroy(nat);
}

/* Conforms: RFC 6888 REQ-11d, RFC 7857 4. */
Test(nat_port, ports_that_run_out_end_no_established_session)
{
	static const struct nat_port_range ten = { 5000, 5009 };
	struct nat_pool_settings pool = { .ports = &ten, .port_range_count = 1 };
	struct nat *nat = nat_with(&pool, 1, 120);

	for (uint32_t h = 10; h < 200; h++)
		udp_open(nat, host(h), 7, 0);
	cr_assert_eq(pool_view(nat).used[1], 40);
	cr_assert_eq(nat_owner_counters(nat_owner(nat, 0))->sessions, 40);
	nat_destroy(nat);
}
