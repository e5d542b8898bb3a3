/* SPDX-License-Identifier: BSD-3-Clause */
/* Who was refused new sessions, and why. */
#include "table/nat_host.h"
#include "table/nat_refusal.h"

#include "eal_fixture.h"

TestSuite(nat_refusal, .init = eal_start);

enum { WEB = 3, SHOP = 4 };

static const struct flow_hash_key key = { { 0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d1,
	0x082efa98ec4e6c89 } };

static uint64_t hash_of(uint16_t segment, uint32_t host)
{
	return nat_host_hash(&key, segment, rte_cpu_to_be_32(host));
}

static void note(
	struct nat_refusals *refusals, uint16_t segment, uint32_t host, enum nat_limit limit, uint32_t tick)
{
	nat_refusal_note(refusals, hash_of(segment, host), segment, rte_cpu_to_be_32(host), limit, tick);
}

static bool find(
	const struct nat_refusals *refusals, uint16_t segment, uint32_t host, struct nat_refused *out)
{
	return nat_refusal_find(refusals, hash_of(segment, host), segment, rte_cpu_to_be_32(host), out);
}

/* Conforms: RFC 6888 REQ-11c. */
Test(nat_refusal, counts_by_host_and_by_what_was_at_its_limit)
{
	struct nat_refusals refusals;
	struct nat_refused got;
	uint32_t there = 0;

	cr_assert_eq(nat_refusals_init(&refusals), 0);
	cr_assert_not(find(&refusals, WEB, 0x0a000105, &got));
	for (uint32_t i = 0; i < 3; i++)
		note(&refusals, WEB, 0x0a000105, NAT_LIMIT_POOL_PORTS, 70 + i);
	note(&refusals, WEB, 0x0a000105, NAT_LIMIT_HOST_RATE, 80);
	note(&refusals, SHOP, 0x0a000105, NAT_LIMIT_HOST_SESSIONS, 90);
	cr_assert(find(&refusals, WEB, 0x0a000105, &got));
	cr_assert_eq(got.count[NAT_LIMIT_POOL_PORTS], 3);
	cr_assert_eq(got.count[NAT_LIMIT_HOST_RATE], 1);
	cr_assert_eq(got.count[NAT_LIMIT_HOST_SESSIONS], 0, "that was the host of another segment");
	cr_assert_eq(got.tick, 80);
	cr_assert(find(&refusals, SHOP, 0x0a000105, &got));
	cr_assert_eq(got.count[NAT_LIMIT_HOST_SESSIONS], 1);
	for (uint32_t place = 0; place < NAT_REFUSALS; place++)
		there += nat_refusal_read(&refusals, place, &got);
	cr_assert_eq(there, 2);
	nat_refusals_destroy(&refusals);
}

/* A scan by very many hosts uses up no memory, and pushes out only whose refusals are older. */
Test(nat_refusal, forgets_the_host_whose_last_refusal_is_longest_ago)
{
	enum { HOSTS = 100000 };
	struct nat_refusals refusals;
	struct nat_refused got;

	cr_assert_eq(nat_refusals_init(&refusals), 0);
	for (uint32_t i = 0; i < HOSTS; i++) {
		note(&refusals, WEB, 0x0a000001 + i, NAT_LIMIT_SESSIONS, i);
		note(&refusals, WEB, 0x0b000001, NAT_LIMIT_HOST_PORTS, i);
	}
	cr_assert(find(&refusals, WEB, 0x0b000001, &got));
	cr_assert_eq(got.count[NAT_LIMIT_HOST_PORTS], HOSTS, "it is refused all the time and stays");
	cr_assert(find(&refusals, WEB, 0x0a000001 + HOSTS - 1, &got));
	cr_assert_eq(got.count[NAT_LIMIT_SESSIONS], 1, "nothing is left of who was there before");
	cr_assert_not(find(&refusals, WEB, 0x0a000001, &got));
	for (uint32_t place = 0; place < NAT_REFUSALS; place++) {
		cr_assert(nat_refusal_read(&refusals, place, &got));
		cr_assert(got.tick >= HOSTS - 16 * NAT_REFUSALS, "refused long ago, and still there");
	}
	nat_refusals_destroy(&refusals);
}
