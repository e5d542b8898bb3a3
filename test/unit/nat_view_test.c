/* SPDX-License-Identifier: BSD-3-Clause */
/* What people see of NAT: sessions and bindings, in pages, by filter. */
#include "nat_fixture.h"
#include "table/nat_mapping.h"

TestSuite(nat_view, .timeout = 60);

enum { FLOWS = 900 };

static struct gateway *with_flows(void)
{
	struct gateway *gateway = gateway_start(&test_settings);

	for (uint16_t i = 0; i < FLOWS; i++) {
		const struct packet up = { .from = NAT_FROM_INSIDE,
			.protocol = i % 3 ? IPPROTO_UDP : IPPROTO_TCP,
			.tcp_flags = RTE_TCP_SYN_FLAG,
			.source = IP(10, 0, 1, 20 + i % 10),
			.destination = i % 2 ? REMOTE : REMOTE_2,
			.source_port = (uint16_t)(2000 + i / 2),
			.destination_port = (uint16_t)(50 + i % 7) };
		gateway_bind(gateway, &up);
	}
	return gateway;
}

/* All sessions of a filter, in pages of `max` out of `scan` records looked at. */
static uint32_t count_paged(struct gateway *gateway, const struct nat_filter *filter, uint32_t max,
	uint32_t scan, uint32_t *calls)
{
	struct nat_session_view view[64];
	uint32_t cursor = 0, count = 0;

	for (*calls = 0; cursor != UINT32_MAX; (*calls)++) {
		uint32_t n = nat_owner_sessions(
			gateway->context->nat, &cursor, filter, view, max, scan, gateway->context->tick);
		cr_assert_leq(n, max);
		cr_assert_lt(*calls, 100000u, "the cursor does not get on");
		count += n;
	}
	return count;
}

Test(nat_view, every_session_is_on_exactly_one_page_however_small_the_pages)
{
	struct gateway *gateway = with_flows();
	uint32_t sessions = (uint32_t)gateway_sessions(gateway), calls;

	cr_assert_eq(count_paged(gateway, NULL, 64, 100000, &calls), sessions);
	cr_assert_eq(count_paged(gateway, NULL, 7, 100000, &calls), sessions);
	cr_assert_eq(count_paged(gateway, NULL, 64, 10, &calls), sessions);
	cr_assert_gt(calls, sessions / 10, "no call looks at more than it may");
	cr_assert_eq(count_paged(gateway, NULL, 1, 1, &calls), sessions);
	gateway_stop(gateway);
}

Test(nat_view, a_filter_takes_what_it_names_and_nothing_else)
{
	struct gateway *gateway = with_flows();
	const struct {
		struct nat_filter filter;
		uint32_t wanted;
	} cases[] = {
		{ { .segment = -1 }, FLOWS },
		{ { .segment = WEB }, FLOWS },
		{ { .segment = DB }, 0 },
		{ { .segment = -1, .protocol = IPPROTO_TCP }, FLOWS / 3 },
		{ { .segment = -1, .inside = IP(10, 0, 1, 23) }, FLOWS / 10 },
		{ { .segment = -1, .remote = REMOTE }, FLOWS / 2 },
		{ { .segment = -1, .inside = IP(10, 0, 1, 23), .remote = REMOTE_2 }, 0 },
		{ { .segment = -1, .inside_port = 2100 }, 2 },
		{ { .segment = -1, .remote_port = 50 }, (FLOWS + 6) / 7 },
		{ { .segment = -1, .outside = STATIC_IP }, 0 },
	};
	uint32_t calls;

	for (size_t i = 0; i < RTE_DIM(cases); i++)
		cr_assert_eq(count_paged(gateway, &cases[i].filter, 64, 1000, &calls), cases[i].wanted,
			"case %zu", i);
	gateway_stop(gateway);
}

Test(nat_view, the_rules_are_listed_with_the_owner_of_their_host)
{
	struct gateway *gateway = gateway_start(&test_settings);
	struct nat_binding_view view[2];

	cr_assert_eq(nat_rule_bindings(gateway->nat, view, 2, 0), 3);
	cr_assert_str_eq(view[0].kind, "static");
	cr_assert_eq(view[0].protocol, 0);
	cr_assert_eq(view[0].inside, STATIC_HOST);
	cr_assert_eq(view[0].outside, STATIC_IP);
	cr_assert_str_eq(view[1].kind, "forward");
	cr_assert_eq(nat_rule_bindings(gateway->nat, view, 2, 2), 3);
	cr_assert_eq(view[0].outside_port, 5353);
	cr_assert_eq(view[0].inside_port, 53);
	gateway_stop(gateway);
}

Test(nat_view, expiry_looks_at_a_bounded_number_of_records_a_call_and_still_gets_round)
{
	struct nat_settings settings = test_settings;
	settings.max_sessions = 100000;
	struct gateway *gateway = gateway_start(&settings);
	struct nat_owner *owner = gateway->context->nat;
	struct packet up = { .from = NAT_FROM_INSIDE, .destination = REMOTE, .destination_port = 53 };

	for (uint32_t i = 0; i < 3000; i++) {
		up.source = IP(10, 0, 1, 20 + i % 200);
		up.source_port = (uint16_t)(2000 + i / 200);
		gateway_bind(gateway, &up);
	}
	uint32_t tick = gateway->context->tick + 301 * TICKS_PER_S;
	for (uint32_t calls = 0; nat_owner_counters(owner)->sessions > 0; calls++) {
		uint64_t before = nat_owner_counters(owner)->sessions_expired;
		nat_owner_expire(owner, tick + calls / 20); /* twenty turns of the lcore a tick */
		cr_assert_leq(nat_owner_counters(owner)->sessions_expired - before, 128u);
		cr_assert_leq(calls, 20u * 5 * TICKS_PER_S, "a round takes longer than five seconds");
	}
	cr_assert_eq(nat_owner_counters(owner)->sessions_expired, 3000);
	gateway_stop(gateway);
}

/* The sweep knows that nothing of a word ends soon; a mapping that is asked for anew may. */
Test(nat_view, a_mapping_whose_end_is_brought_forward_ends_then)
{
	struct gateway *gateway = gateway_start(&test_settings);
	struct nat_mapping_request request = { .operation = NAT_MAPPING_MAKE,
		.protocol = IPPROTO_UDP,
		.segment = WEB,
		.inside = HOST_A,
		.inside_port = RTE_BE16(2000) };
	struct nat_mapping_answer answer;

	for (uint32_t i = 0; i < 2; i++) {
		request.id++;
		request.lifetime_s = i == 0 ? 7200 : 10;
		cr_assert(nat_mapping_ask(gateway->nat, &request));
		nat_mapping_poll(gateway->context->nat, gateway->context->tick);
		cr_assert(nat_mapping_answer_take(gateway->nat, &answer));
		cr_assert_eq(answer.status, 0);
		gateway_wait(gateway, 9);
		cr_assert_eq(gateway_sessions(gateway), 1);
	}
	gateway_wait(gateway, 6);
	cr_assert_eq(gateway_sessions(gateway), 0);
	gateway_stop(gateway);
}

/* The message that tells of a mapping waits for room, and the mapping for its message. */
Test(nat_view, however_many_mappings_are_cleared_each_one_is_told)
{
	enum { MAPPINGS = 600 };
	const struct nat_filter all = { .segment = -1 };
	struct gateway *gateway = gateway_start(&test_settings);
	struct nat_owner *owner = gateway->context->nat;
	uint32_t cursor = 0, told = 0, ended = 0;
	bool seen[MAPPINGS] = { false };
	struct nat_mapping_answer answer;

	for (uint16_t i = 0; i < MAPPINGS; i++) {
		const struct nat_mapping_request request = { .id = i + 1u,
			.operation = NAT_MAPPING_MAKE,
			.protocol = IPPROTO_UDP,
			.segment = WEB,
			.inside = HOST_A,
			.inside_port = rte_cpu_to_be_16((uint16_t)(2000 + i)),
			.lifetime_s = 600 };
		cr_assert(nat_mapping_ask(gateway->nat, &request));
		nat_mapping_poll(owner, gateway->context->tick);
		cr_assert(nat_mapping_answer_take(gateway->nat, &answer));
		cr_assert_eq(answer.status, 0);
	}
	for (int calls = 0; cursor != UINT32_MAX; calls++) {
		cr_assert_lt(calls, 10);
		ended += nat_owner_clear(owner, &cursor, &all, UINT32_MAX, UINT32_MAX);
		for (; nat_mapping_answer_take(gateway->nat, &answer); told++) {
			uint16_t number = (uint16_t)(rte_be_to_cpu_16(answer.inside_port) - 2000);
			cr_assert_eq(answer.operation, NAT_MAPPING_CLEARED);
			cr_assert_eq(answer.inside, HOST_A);
			cr_assert_lt(number, MAPPINGS);
			cr_assert_not(seen[number]);
			seen[number] = true;
		}
		cr_assert_eq(told, ended);
	}
	cr_assert_eq(told, MAPPINGS);
	cr_assert_eq(gateway_sessions(gateway), 0);
	gateway_stop(gateway);
}

static int64_t session_open(struct nat_owner *owner, uint16_t port, rte_be32_t remote)
{
	struct nat_opening opening = { .flow = { .inside = HOST_A,
					       .inside_port = rte_cpu_to_be_16(port),
					       .remote = remote,
					       .remote_port = rte_cpu_to_be_16(53),
					       .segment = WEB,
					       .protocol = IPPROTO_UDP } };

	opening.inside_hash = nat_flow_inside_hash(owner, &opening.flow);
	nat_open_ask(owner, &opening);
	cr_assert_eq(nat_open_reserve(owner, &opening, 1000), 0);
	return nat_open_commit(owner, &opening, 1000);
}

/* Between two steps of the command the first session of a binding ends, and the next one takes over its number, where the command
 * has been already. */
Test(nat_view, clearing_does_not_miss_a_session_that_gets_another_number)
{
	const struct nat_filter heirs = { .segment = -1, .remote = REMOTE_2 };
	enum { STEP = 20 };
	struct gateway *gateway = gateway_start(&test_settings);
	struct nat_owner *owner = gateway->context->nat;
	uint32_t cursor = 0, ended = 0, moves = 0;
	int64_t first[64], heir[64];

	for (uint16_t i = 0; i < 64; i++) {
		first[i] = session_open(owner, (uint16_t)(2000 + i), REMOTE);
		heir[i] = session_open(owner, (uint16_t)(2000 + i), REMOTE_2);
		cr_assert(first[i] >= 0 && heir[i] >= 0);
	}
	while (cursor != UINT32_MAX) {
		for (uint16_t i = 0; cursor != 0 && i < 64; i++)
			if (first[i] >= 0 && first[i] < cursor && heir[i] >= cursor) {
				nat_close(owner, (uint32_t)first[i]);
				first[i] = -1;
				moves++;
			}
		ended += nat_owner_clear(owner, &cursor, &heirs, UINT32_MAX, STEP);
	}
	cr_assert_gt(moves, 8);
	cr_assert_eq(ended, 64);
	cr_assert_eq(gateway_sessions(gateway), 64 - moves);
	gateway_stop(gateway);
}
