/* SPDX-License-Identifier: BSD-3-Clause */
/* The plans: every case plays the same on each of them; and what is special where lcores are joined by rings, or are
 * overloaded. */
#include "pipeline_case.h"
#include "stage/fast_path_level.h"
#include "table/nat.h"
#include "worlds.h"

#include <stdio.h>
#include <string.h>

#define SERVER "198.51.100.7"

static void compare(const struct pipeline_case *which, enum gateway_plan a, enum gateway_plan b,
	bool normalised, unsigned also)
{
	struct gateway_transcript *of_a, *of_b;

	if (!(which->plans & 1u << a) || !(which->plans & 1u << b) ||
		(normalised && which->plans & OWN_PORTS))
		return;
	pipeline_case_run(which, a, normalised, &of_a, NULL);
	pipeline_case_run(which, b, normalised, &of_b, NULL);
	const char *difference = gateway_transcript_compare(of_a, of_b, also);
	cr_assert(difference == NULL, "%s/%s differs between the plans %s and %s: %s", which->suite,
		which->name, gateway_plan_name[a], gateway_plan_name[b], difference);
	gateway_transcript_free(of_a);
	gateway_transcript_free(of_b);
}

/* What leaves tells the public port in its payload, or goes by an address that the owner has chosen: of another
 * owner it is another. The case itself holds all the same. */
static bool shows_the_endpoint(const struct pipeline_case *which)
{
	return strcmp(which->suite, "port_control") == 0 ||
	       strcmp(which->name, "two_hosts_with_the_same_port_never_share_a_public_one") == 0;
}

static void compare_owners(const struct pipeline_case *which, enum gateway_plan plan)
{
	if (!shows_the_endpoint(which))
		compare(which, PLAN_FUSED, plan, true, 0);
	else if (which->plans & 1u << plan)
		pipeline_case_run(which, plan, false, NULL, NULL);
}

/* Flows that come by both lcores at once are opened in another order where one hands over more than the other. */
static bool opens_in_any_order(const struct pipeline_case *which)
{
	return strcmp(which->name, "keeps_many_flows_in_order_of_which_some_packets_are_left") == 0 ||
	       strcmp(which->name, "opens_many_flows_of_one_burst_and_keeps_each_in_order") == 0;
}

/* With as many owners, all bytes are the same. */
Test(plans, all_cases_give_the_same_bytes_and_counters_with_the_fast_path_and_without, .timeout = 600)
{
	for (const struct pipeline_case *const *at = __start_pipeline_cases; at < __stop_pipeline_cases; at++)
		compare(*at, PLAN_FUSED, PLAN_STAGES, false, COMPARE_ORDER);
}

Test(plans, all_cases_give_the_same_bytes_and_counters_fused_and_split, .timeout = 600)
{
	for (const struct pipeline_case *const *at = __start_pipeline_cases; at < __stop_pipeline_cases; at++)
		compare(*at, PLAN_STAGES, PLAN_SPLIT, false, COMPARE_STAGES);
}

Test(plans, all_cases_give_the_same_bytes_and_counters_on_two_fused_and_two_split, .timeout = 600)
{
	for (const struct pipeline_case *const *at = __start_pipeline_cases; at < __stop_pipeline_cases; at++)
		compare(*at, PLAN_FUSED_TWO, PLAN_SPLIT_TWO, opens_in_any_order(*at), 0);
}

/* Owners have different public ports: these are told apart by the order in which they appear. */
Test(plans, all_cases_give_the_same_on_one_lcore_and_two, .timeout = 600)
{
	for (const struct pipeline_case *const *at = __start_pipeline_cases; at < __stop_pipeline_cases; at++)
		compare_owners(*at, PLAN_FUSED_TWO);
}

Test(plans, all_cases_give_the_same_where_ports_bring_packets_to_their_owners, .timeout = 600)
{
	for (const struct pipeline_case *const *at = __start_pipeline_cases; at < __stop_pipeline_cases; at++)
		compare_owners(*at, PLAN_STEERED);
}

/* The fast path is compiled for several instruction sets: each that this CPU has does the same. */
Test(plans, all_cases_give_the_same_bytes_and_counters_whatever_the_instruction_set, .timeout = 600)
{
	const struct fast_path_level *best = fast_path_level();
	char error[CPU_FLAGS_TEXT_MAX + 64];

	for (const struct fast_path_level *const *level = fast_path_levels; *level != NULL; level++) {
		if (*level == best || fast_path_level_use((*level)->name, error, sizeof(error)) < 0)
			continue;
		for (const struct pipeline_case *const *at = __start_pipeline_cases;
			at < __stop_pipeline_cases; at++)
			compare(*at, PLAN_FUSED, PLAN_STAGES, false, COMPARE_ORDER);
	}
}

/* Reasons that no packet can cause as things are, each with the reason why. */
static const struct {
	enum drop_reason reason;
	const char *why;
} not_coverable[] = {
	{ DROP_NAT_STALE_OWNER,
		"handoff and owner read the same immutable tables; it guards against a plan gone wrong" },
};

Test(plans, every_drop_reason_is_hit_by_a_case, .timeout = 600)
{
	uint64_t drops[DROP_REASONS] = { 0 };
	char missing[2048] = "";

	for (const struct pipeline_case *const *at = __start_pipeline_cases; at < __stop_pipeline_cases; at++)
		pipeline_case_run(*at, (enum gateway_plan)__builtin_ctz((*at)->plans), false, NULL, drops);
	for (size_t i = 0; i < sizeof(not_coverable) / sizeof(not_coverable[0]); i++) {
		enum drop_reason reason = not_coverable[i].reason;
		cr_assert_eq(drops[reason], 0, "%s is hit after all: %s", drop_reason_text[reason].name,
			not_coverable[i].why);
		drops[reason] = 1;
	}
	for (int i = 0; i < DROP_REASONS; i++)
		if (drops[i] == 0)
			snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), " %s",
				drop_reason_text[i].name);
	cr_assert_str_eq(missing, "", "no case causes:%s", missing);
}

static void known(struct gateway *gateway)
{
	gateway_host_sends(
		gateway, "web11", &(struct packet){ .to = SERVER, .from_port = 1, .to_port = 2, .data = 9 });
	gateway_run(gateway);
	expect_at(gateway, "router", "udp *");
}

static uint64_t drops_since(struct gateway *gateway, enum drop_reason reason)
{
	uint64_t since = gateway_drops(gateway, reason) - gateway->drops_claimed[reason];

	gateway->drops_claimed[reason] += since;
	return since;
}

static unsigned frames_waiting(struct gateway *gateway, uint16_t port)
{
	struct frame frame;
	unsigned count = 0;

	while (gateway_receive(gateway, port, &frame))
		count++;
	return count;
}

/* The lcore after it does not keep up: what its ring cannot hold is shed before any work is spent on it. */
CASE_IN(plans, a_full_ring_sheds_and_counts, narrow_world, 1u << PLAN_SPLIT)
{
	known(gateway);
	for (uint16_t i = 0; i < 200; i++)
		gateway_host_sends(gateway, "web11",
			&(struct packet){ .to = SERVER, .from_port = i, .to_port = 2, .data = 9 });
	for (int turn = 0; turn < 4; turn++)
		gateway_poll_lcore(gateway, 0);
	gateway_run(gateway);
	uint64_t shed = drops_since(gateway, DROP_RING_FULL);
	cr_assert_gt(shed, 100);
	cr_assert_eq(gateway->path->context[0]->counters.ring_full[STAGE_ROUTE], shed);
	cr_assert_eq(frames_waiting(gateway, UPLINK), 200 - shed);
}

CASE_IN(plans, a_device_that_takes_no_more_costs_packets_by_name, small_world, 1u << PLAN_FUSED)
{
	known(gateway);
	for (uint16_t i = 0; i < 200; i++)
		gateway_host_sends(gateway, "web11",
			&(struct packet){ .to = SERVER, .from_port = 1, .to_port = 2, .data = 9 });
	for (int turn = 0; turn < 4; turn++)
		gateway_poll_lcore(gateway, 0);
	gateway_run(gateway);
	expect_drops(gateway, DROP_TRANSMIT_FULL, 200 - 64);
	cr_assert_eq(frames_waiting(gateway, UPLINK), 64);
}

CASE_IN(plans, a_port_that_no_lcore_sends_on_costs_packets_by_name, plain_world, 1u << PLAN_FUSED)
{
	gateway->path->context[0]->tx[UPLINK].mine = false;
	gateway_host_sends(
		gateway, "web11", &(struct packet){ .to = SERVER, .from_port = 1, .to_port = 2, .data = 9 });
	gateway_run(gateway);
	expect_drop(gateway, DROP_TRANSMIT_NO_QUEUE);
}

static void arp_flood(struct gateway *gateway, unsigned count)
{
	struct frame frame;

	frame_arp(&frame, &(struct arp){ .mac_from = "52:54:00:00:ff:fe",
				  .operation = 1,
				  .sender = "203.0.113.254",
				  .target = "203.0.113.77" });
	for (unsigned i = 0; i < count; i++)
		cr_assert(gateway_send(gateway, UPLINK, &frame));
}

CASE_IN(plans, a_flood_of_arp_is_metered_and_data_goes_on, plain_world, 1u << PLAN_FUSED)
{
	gateway_advance(gateway, 1000);
	arp_flood(gateway, 1000);
	gateway_run(gateway);
	arp_flood(gateway, 1000);
	gateway_run(gateway);
	uint64_t shed = drops_since(gateway, DROP_PUNT_RATE);
	cr_assert_geq(shed, 900);
	cr_assert_lt(shed, 1000);
	gateway_host_sends(
		gateway, "router", &(struct packet){ .from = SERVER, .to = "10.0.1.12", .data = 9 });
	gateway_advance(gateway, 1000);
	expect_at(gateway, "web12", "udp *");
}

CASE_IN(plans, a_management_lcore_that_hangs_costs_only_what_is_for_it, plain_world, 1u << PLAN_FUSED)
{
	known(gateway);
	for (int i = 0; i < 6; i++) {
		arp_flood(gateway, 1000);
		gateway->now_ns += 100 * NS_PER_MS;
		gateway_run_lcores(gateway);
	}
	gateway_host_sends(
		gateway, "web11", &(struct packet){ .to = SERVER, .from_port = 1, .to_port = 2, .data = 9 });
	gateway_run_lcores(gateway);
	expect_at(gateway, "router", "udp *");
	cr_assert_gt(drops_since(gateway, DROP_PUNT_RING_FULL), 1000);
}

CASE_IN(plans, without_buffers_for_its_own_packets_the_gateway_counts_what_it_could_not_send, plain_world,
	1u << PLAN_FUSED)
{
	struct rte_mbuf *taken[2048];
	unsigned count = 0;
	struct frame frame;

	while (count < 2048 && (taken[count] = rte_pktmbuf_alloc(gateway->plane->control_pool)) != NULL)
		count++;
	frame_arp(&frame, &(struct arp){ .mac_from = "52:54:00:00:ff:fe",
				  .operation = 1,
				  .sender = "203.0.113.254",
				  .target = "203.0.113.1" });
	cr_assert(gateway_send(gateway, UPLINK, &frame));
	gateway_run(gateway);
	expect_drop(gateway, DROP_CONTROL_POOL_EMPTY);
	rte_pktmbuf_free_bulk(taken, count);
	cr_assert(gateway_send(gateway, UPLINK, &frame));
	gateway_run(gateway);
	expect_at(gateway, "router", "arp-reply *");
}

static void flows_from(struct gateway *gateway, uint16_t port, uint16_t flows, uint16_t packets)
{
	for (uint16_t i = 0; i < packets; i++)
		gateway_host_sends(gateway, "web11",
			&(struct packet){ .to = SERVER,
				.from_port = (uint16_t)(port + i % flows),
				.to_port = 53,
				.data = 9 });
}

static void many_flows(struct gateway *gateway, uint16_t flows, uint16_t packets)
{
	flows_from(gateway, 4000, flows, packets);
}

/* Of two lcores: the one that owns the sessions of the only host that has spoken. */
static uint16_t sole_owner(const struct gateway *gateway)
{
	uint64_t of[2];

	for (uint16_t i = 0; i < 2; i++)
		of[i] = nat_owner_counters(nat_owner(gateway->plane->nat, i))->sessions;
	cr_assert((of[0] == 0) != (of[1] == 0), "%lu and %lu sessions", of[0], of[1]);
	return of[0] == 0;
}

/* A host's flows belong to one lcore, whichever receives them: to that the other one gives their first packets, as they came. What
 * follows each sees through that receives it. */
Test(plans, first_packets_received_elsewhere_are_handed_to_the_owner)
{
	struct gateway *gateway = gateway_create(&web_world, PLAN_FUSED_TWO);
	const struct lcore_context *const *lcore =
		(const struct lcore_context *const *)gateway->path->context;
	uint64_t seen[2];

	for (uint16_t i = 0; i < 2; i++)
		seen[i] = lcore[i]->counters.stage[STAGE_CLASSIFY].packets;
	many_flows(gateway, 16, 16);
	gateway_run(gateway);
	cr_assert_eq(frames_waiting(gateway, UPLINK), 16);
	uint16_t owner = sole_owner(gateway), other = !owner;
	cr_assert_eq(gateway_sessions(gateway), 16);
	cr_assert_eq(lcore[owner]->counters.handed_off, 0);
	cr_assert_eq(lcore[other]->counters.handed_off, 8);
	cr_assert_eq(lcore[other]->counters.handed_early, 8);
	cr_assert_eq(lcore[other]->counters.stage[STAGE_CLASSIFY].packets, seen[other]);
	uint64_t before = lcore[owner]->counters.fast_path.packets;
	cr_assert_eq(lcore[other]->counters.fast_path.packets, 0);
	many_flows(gateway, 16, 16);
	gateway_run(gateway);
	cr_assert_eq(frames_waiting(gateway, UPLINK), 16);
	cr_assert_eq(lcore[owner]->counters.fast_path.packets, before + 8);
	cr_assert_eq(lcore[other]->counters.fast_path.packets, 8);
	cr_assert_eq(lcore[other]->counters.handed_off, 8);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* A flood of connections of the other lcore's hosts goes to it as it came, to be refused there by the first step. */
Test(plans, a_lcore_that_is_behind_hands_over_connections_as_they_came)
{
	struct gateway *gateway = gateway_create(&web_world, PLAN_FUSED_TWO);

	many_flows(gateway, 16, 16);
	gateway_run(gateway);
	cr_assert_eq(frames_waiting(gateway, UPLINK), 16);
	const struct lcore_counters *counters = &gateway->path->context[!sole_owner(gateway)]->counters;
	uint64_t seen = counters->stage[STAGE_CLASSIFY].packets;
	many_flows(gateway, 16, 16 * BURST_MAX); /* eight full bursts for each */
	for (uint16_t i = 0; i < 40; i++)
		gateway_host_sends(gateway, "web11",
			&(struct packet){ .to = "198.51.100.8",
				.from_port = (uint16_t)(6000 + i),
				.to_port = 443,
				.protocol = 6,
				.tcp = "S" });
	gateway_run(gateway);
	cr_assert_eq(counters->handed_off, 8 + 20);
	cr_assert_eq(counters->handed_early, counters->handed_off);
	cr_assert_eq(counters->stage[STAGE_CLASSIFY].packets, seen);
	cr_assert_eq(frames_waiting(gateway, UPLINK) + gateway_drops(gateway, DROP_NAT_NEW_SESSION_BUDGET),
		16 * BURST_MAX + 40);
	cr_assert_gt(gateway_drops(gateway, DROP_NAT_NEW_SESSION_BUDGET), 0);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* An owner that does not keep up: what its ring does not take is shed by name, and has been received all the same. */
Test(plans, an_owner_that_is_behind_costs_what_is_handed_to_it_by_name)
{
	struct world narrow = web_world;

	narrow.ring_size = 64;
	struct gateway *gateway = gateway_create(&narrow, PLAN_FUSED_TWO);
	many_flows(gateway, 16, 16);
	gateway_run(gateway);
	cr_assert_eq(frames_waiting(gateway, UPLINK), 16);
	uint64_t before = gateway_received(gateway, UNDERLAY);
	uint16_t other = !sole_owner(gateway);
	const struct lcore_counters *counters = &gateway->path->context[other]->counters;
	flows_from(gateway, 5000, 400, 400);
	for (int turn = 0; turn < 6; turn++)
		gateway_poll_lcore(gateway, other);
	uint16_t held = gateway->path->context[other]->held[UNDERLAY].count; /* by chance: see handoff.h */
	cr_assert_lt(held, 25);
	cr_assert_eq(counters->handed_early, 8 + 200 - held);
	uint64_t shed = gateway_drops(gateway, DROP_RING_FULL);
	cr_assert_eq(shed, 200 - held - 63);
	cr_assert_eq(counters->ring_full[STAGE_NAT_GATEWAY], shed);
	gateway_run(gateway);
	cr_assert_eq(frames_waiting(gateway, UPLINK), 400 - shed);
	cr_assert_eq(gateway_received(gateway, UNDERLAY), before + 400);
	cr_assert_eq(gateway_destroy(gateway), 0);
}
