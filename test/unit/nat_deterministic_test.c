/* SPDX-License-Identifier: BSD-3-Clause */
/* Deterministic NAT: the computation both ways over all hosts, and flows that stay within it. */
#include "nat_fixture.h"
#include <errno.h>

static const struct nat_port_range two_ranges[] = { { 1024, 5000 }, { 6000, 65535 } };
enum { PORTS = 5000 - 1024 + 1 + 65535 - 6000 + 1 };

/* Prefixes of two segments, in no order; one lies within another. 4096 + 256 + 16 hosts. */
static const struct nat_source_settings sources[] = {
	{ .segment = DB, .prefix = IP(10, 0, 7, 0), .prefix_length = 24, .pool = 0 },
	{ .segment = WEB, .prefix = IP(10, 0, 16, 0), .prefix_length = 20, .pool = 0 },
	{ .segment = WEB, .prefix = IP(10, 0, 17, 0), .prefix_length = 24, .pool = 0 },
	{ .segment = WEB, .prefix = IP(10, 9, 0, 0), .prefix_length = 28, .pool = 0 },
	{ .segment = WEB, .prefix = IP(10, 8, 0, 0), .prefix_length = 16, .pool = 1 },
};
enum { HOSTS = 4096 + 256 + 16, ADDRESSES = 17, SHARE = PORTS / 257 };

static const struct nat_pool_range addresses[] = { { 0xcb007100, 0xcb00710f }, { 0xcb007180, 0xcb007180 } };
static const struct nat_pool_range other_address = { 0xcb0071f0, 0xcb0071f0 };
static const struct nat_pool_settings pools[] = {
	{ .name = "subscribers",
		.range = addresses,
		.range_count = 2,
		.ports = two_ranges,
		.port_range_count = 2,
		.deterministic = true },
	{ .name = "others",
		.range = &other_address,
		.range_count = 1,
		.ports = two_ranges,
		.port_range_count = 2 },
};

static struct nat_settings settings_of(uint16_t owners)
{
	struct nat_settings settings = test_settings;

	settings.pool = pools;
	settings.pool_count = RTE_DIM(pools);
	settings.source = sources;
	settings.source_count = RTE_DIM(sources);
	settings.static_count = 0;
	settings.forward_count = 0;
	settings.owners = owners;
	settings.max_sessions = 65536;
	settings.port_rest_s = 120;
	return settings;
}

static rte_be32_t host_ip(uint32_t number, uint16_t *segment)
{
	*segment = number < 4096 + 16 ? WEB : DB;
	if (number < 4096)
		return rte_cpu_to_be_32(0x0a001000 + number);
	if (number < 4096 + 16)
		return rte_cpu_to_be_32(0x0a090000 + number - 4096);
	return rte_cpu_to_be_32(0x0a000700 + number - 4096 - 16);
}

/* RFC 7422 section 2. */
Test(nat_deterministic, each_host_has_ports_of_its_own_and_each_port_leads_back_to_its_host)
{
	const struct nat_settings settings = settings_of(1);
	struct nat_deterministic plan;
	static uint32_t owner[ADDRESSES][PORTS];

	memset(owner, 0, sizeof(owner));
	cr_assert_eq(nat_deterministic_init(&plan, &settings, 0, ADDRESSES, PORTS), 0);
	cr_assert_eq(plan.hosts, HOSTS);
	cr_assert_eq(plan.ports_a_host, SHARE);
	for (uint32_t host = 0; host < HOSTS; host++) {
		uint32_t address, place;
		uint16_t segment;
		rte_be32_t ip = host_ip(host, &segment);

		cr_assert(nat_deterministic_out(&plan, segment, ip, &address, &place));
		cr_assert_lt(address, ADDRESSES);
		cr_assert_leq(place + plan.ports_a_host, PORTS);
		for (uint32_t i = 0; i < plan.ports_a_host; i++) {
			cr_assert_eq(owner[address][place + i], 0, "a port of two hosts");
			owner[address][place + i] = host + 1;
		}
	}
	for (uint32_t address = 0; address < ADDRESSES; address++)
		for (uint32_t place = 0; place < PORTS; place++) {
			uint16_t segment, wanted_segment;
			rte_be32_t ip;
			bool found = nat_deterministic_in(&plan, address, place, &segment, &ip);

			cr_assert_eq(found, owner[address][place] != 0);
			if (!found)
				continue;
			cr_assert_eq(ip, host_ip(owner[address][place] - 1, &wanted_segment));
			cr_assert_eq(segment, wanted_segment);
		}
	nat_deterministic_destroy(&plan);
}

Test(nat_deterministic, who_is_no_host_of_the_pool_has_nothing)
{
	const struct nat_settings settings = settings_of(1);
	struct nat_deterministic plan;
	uint32_t address, place;

	cr_assert_eq(nat_deterministic_init(&plan, &settings, 0, ADDRESSES, PORTS), 0);
	cr_assert_not(nat_deterministic_out(&plan, DB, IP(10, 0, 16, 1), &address, &place));
	cr_assert_not(nat_deterministic_out(&plan, WEB, IP(10, 0, 15, 255), &address, &place));
	cr_assert_not(nat_deterministic_out(&plan, WEB, IP(10, 0, 32, 0), &address, &place));
	cr_assert_not(nat_deterministic_out(&plan, WEB, IP(10, 8, 0, 1), &address, &place));
	nat_deterministic_destroy(&plan);
}

Test(nat_deterministic, a_pool_too_small_for_its_hosts_is_refused)
{
	const struct nat_settings settings = settings_of(1);
	struct nat_deterministic plan;

	cr_assert_eq(nat_deterministic_init(&plan, &settings, 0, 5, PORTS), 0);
	cr_assert_eq(plan.ports_a_host, PORTS / ((HOSTS + 4) / 5));
	nat_deterministic_destroy(&plan);
	cr_assert_eq(nat_deterministic_init(&plan, &settings, 0, 4, PORTS), -ERANGE);
}

static uint16_t port_open(
	struct nat *nat, uint16_t segment, rte_be32_t host, uint16_t port, rte_be32_t *outside)
{
	struct nat_owner *owner = nat_owner(nat, nat_owner_of_inside(nat, segment, host));
	struct nat_opening opening = { .flow = { .segment = segment,
					       .protocol = IPPROTO_UDP,
					       .inside = host,
					       .inside_port = rte_cpu_to_be_16(port),
					       .remote = REMOTE,
					       .remote_port = RTE_BE16(53) } };

	opening.inside_hash = nat_flow_inside_hash(owner, &opening.flow);
	nat_open_ask(owner, &opening);
	if (nat_open_reserve(owner, &opening, 0) < 0)
		return 0;
	cr_assert_geq(nat_open_commit(owner, &opening, 0), 0);
	*outside = opening.flow.outside;
	return rte_be_to_cpu_16(opening.flow.outside_port);
}

/* On each number of lcores: what comes back to a port is handed to the owner of the host that has it. */
Test(nat_deterministic, a_hosts_flows_take_the_ports_computed_for_it_and_no_others)
{
	for (uint16_t owners = 1; owners <= 3; owners++) {
		const struct nat_settings settings = settings_of(owners);
		struct nat *nat;

		eal_start();
		nat = nat_create(&settings);
		cr_assert_not_null(nat);
		for (uint32_t host = 0; host < HOSTS; host += 359) {
			uint16_t segment, who_segment;
			rte_be32_t ip = host_ip(host, &segment), outside = 0, who;
			uint32_t opened = 0;

			for (uint16_t port = 1; port <= SHARE + 5; port++) {
				uint16_t got = port_open(nat, segment, ip, port, &outside);
				if (got == 0)
					break;
				opened++;
				cr_assert(nat_deterministic_who(nat, outside, got, &who_segment, &who));
				cr_assert_eq(who, ip);
				cr_assert_eq(who_segment, segment);
				cr_assert_eq(nat_owner_of_outside(
						     nat, IPPROTO_UDP, outside, rte_cpu_to_be_16(got)),
					nat_owner_of_inside(nat, segment, ip));
			}
			cr_assert_eq(opened, SHARE, "host %u had %u ports", host, opened);
		}
		rte_be32_t who;
		uint16_t segment;
		cr_assert_not(nat_deterministic_who(nat, rte_cpu_to_be_32(0xcb0071f0), 2000, &segment, &who));
		cr_assert_not(nat_deterministic_who(nat, rte_cpu_to_be_32(0xcb007100), 5500, &segment, &who));
		cr_assert_not(nat_deterministic_who(nat, REMOTE, 2000, &segment, &who));
		nat_destroy(nat);
	}
}
