/* SPDX-License-Identifier: BSD-3-Clause */
/* A table has room for max_sessions sessions by whatever way they are opened, and their records lie where packets from outside
 * look for them. */
#include "nat_fixture.h"

TestSuite(nat_capacity, .init = eal_start, .timeout = 120);

enum { MOST = 100000, BINDINGS = 200, TOGETHER = 16, TICK = 1000 };

static struct nat *nat_open_to_all(void)
{
	struct nat_pool_settings pools[2] = { test_pools[0], test_pools[1] };
	struct nat_settings settings = test_settings;

	pools[0].filtering = NAT_FILTER_NONE;
	settings.pool = pools;
	settings.max_sessions = MOST;
	struct nat *nat = nat_create(&settings);
	cr_assert_not_null(nat);
	return nat;
}

/* Flow number `remote` of endpoint number `endpoint`, ready to be reserved. */
static void opening_make(
	struct nat_owner *owner, struct nat_opening *opening, uint32_t endpoint, uint32_t remote)
{
	*opening = (struct nat_opening){ .flow = { .inside = IP(10, 0, 1, 30 + endpoint % 200),
						 .inside_port =
							 rte_cpu_to_be_16((uint16_t)(2000 + endpoint / 200)),
						 .remote = rte_cpu_to_be_32(0x08000000 + remote),
						 .remote_port = rte_cpu_to_be_16(7000),
						 .segment = WEB,
						 .protocol = IPPROTO_UDP } };
	opening->inside_hash = nat_flow_inside_hash(owner, &opening->flow);
	nat_open_ask(owner, opening);
}

static int64_t flow_open(struct nat_owner *owner, uint32_t endpoint, uint32_t remote)
{
	struct nat_opening opening;

	opening_make(owner, &opening, endpoint, remote);
	int64_t status = nat_open_reserve(owner, &opening, TICK);
	return status < 0 ? status : nat_open_commit(owner, &opening, TICK);
}

static int64_t opened_from_inside(struct nat_owner *owner, uint32_t i)
{
	return flow_open(owner, i, 0);
}

static int64_t opened_from_inside_by_few_endpoints(struct nat_owner *owner, uint32_t i)
{
	return flow_open(owner, i % BINDINGS, i / BINDINGS);
}

static int64_t opened_from_outside(struct nat_owner *owner, uint32_t i)
{
	static uint32_t first[BINDINGS];
	int64_t number;

	if (i < BINDINGS) {
		number = flow_open(owner, i, 0);
		first[i] = (uint32_t)number;
		return number;
	}
	const struct nat_session *session = &owner->session[first[i % BINDINGS]];
	const struct nat_flow flow = { .remote = rte_cpu_to_be_32(0x08000000 + i),
		.remote_port = rte_cpu_to_be_16(7000),
		.outside = session->outside,
		.outside_port = session->outside_port,
		.protocol = IPPROTO_UDP };
	return nat_binding_open(owner, first[i % BINDINGS], &flow, TICK);
}

/* All flows of a new endpoint at once, as in one burst: the second and later ones find out when they are committed. */
static int64_t opened_together(struct nat_owner *owner, uint32_t i)
{
	static struct nat_opening opening[TOGETHER];

	for (uint32_t j = 0; i % TOGETHER == 0 && j < TOGETHER; j++) {
		opening_make(owner, &opening[j], i / TOGETHER, j);
		opening[j].unbound = true;
		cr_assert_eq(nat_open_reserve(owner, &opening[j], TICK), 0);
	}
	for (uint32_t j = 0; i % TOGETHER == 0 && j < TOGETHER; j++)
		nat_open_place(owner, &opening[j]);
	return nat_open_commit(owner, &opening[i % TOGETHER], TICK);
}

static void fills(int64_t (*open)(struct nat_owner *owner, uint32_t i))
{
	struct nat *nat = nat_open_to_all();
	struct nat_owner *owner = nat_owner(nat, 0);
	uint32_t elsewhere = 0;

	for (uint32_t i = 0; i < MOST; i++)
		cr_assert_geq(open(owner, i), 0, "session %u", i);
	cr_assert_eq(owner->counters.sessions, MOST);
	cr_assert_eq(nat_records_left(&owner->rows), 0);
	cr_assert_lt(opened_from_inside(owner, MOST), 0, "one more than max_sessions");
	for (uint32_t i = 0; i < owner->rows.free.size; i++)
		elsewhere += owner->session[i].protocol != 0 &&
			     owner->rows.row[i / NAT_ROW_RECORDS].tag[i % NAT_ROW_RECORDS] == 0;
	cr_assert_leq(elsewhere, MOST / 50, "%u of %u lie elsewhere", elsewhere, MOST);
	nat_destroy(nat);
}

Test(nat_capacity, has_room_for_flows_of_endpoints_of_their_own)
{
	fills(opened_from_inside);
}

Test(nat_capacity, has_room_for_flows_of_few_endpoints)
{
	fills(opened_from_inside_by_few_endpoints);
}

Test(nat_capacity, has_room_for_flows_from_outside)
{
	fills(opened_from_outside);
}

Test(nat_capacity, has_room_for_flows_that_begin_together)
{
	fills(opened_together);
}
