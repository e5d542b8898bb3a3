/* SPDX-License-Identifier: BSD-3-Clause */
/* The plans: every case plays the same on each of them; and what is special where lcores are joined by rings, or are
 * overloaded. */
#include "gateway_ports.h"
#include "pipeline_case.h"
#include "stage/fast_path_level.h"
#include "table/nat_owner.h"
#include "worlds.h"

#include <arpa/inet.h>
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
		compare(*at, PLAN_FUSED_TWO, PLAN_SPLIT_TWO, false, 0);
}

/* Owners have different public ports: these are told apart by the order in which they appear. */
Test(plans, all_cases_give_the_same_on_one_lcore_and_two, .timeout = 600)
{
	for (const struct pipeline_case *const *at = __start_pipeline_cases; at < __stop_pipeline_cases; at++)
		compare(*at, PLAN_FUSED, PLAN_FUSED_TWO, true, 0);
}

/* What leaves tells the public port in its payload, or goes by an address that the owner has chosen: that of the steered owner
 * is another. The case itself holds all the same. */
static bool shows_the_endpoint(const struct pipeline_case *which)
{
	return strcmp(which->suite, "port_control") == 0 ||
	       strcmp(which->name, "two_hosts_with_the_same_port_never_share_a_public_one") == 0;
}

Test(plans, all_cases_give_the_same_where_ports_bring_packets_to_their_owners, .timeout = 600)
{
	for (const struct pipeline_case *const *at = __start_pipeline_cases; at < __stop_pipeline_cases; at++)
		if (!shows_the_endpoint(*at))
			compare(*at, PLAN_FUSED, PLAN_STEERED, true, 0);
		else if ((*at)->plans & 1u << PLAN_STEERED)
			pipeline_case_run(*at, PLAN_STEERED, false, NULL, NULL);
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

static void many_flows(struct gateway *gateway, uint16_t flows, uint16_t packets)
{
	for (uint16_t i = 0; i < packets; i++)
		gateway_host_sends(gateway, "web11",
			&(struct packet){ .to = SERVER,
				.from_port = (uint16_t)(4000 + i % flows),
				.to_port = 53,
				.data = 9 });
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

/* A host's flows belong to one lcore, whichever receives them: to that the other one gives them as they came, the first
 * packets and all others. */
Test(plans, packets_received_elsewhere_are_handed_to_the_owner)
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
	many_flows(gateway, 16, 16);
	gateway_run(gateway);
	cr_assert_eq(frames_waiting(gateway, UPLINK), 16);
	cr_assert_eq(lcore[owner]->counters.fast_path.packets, before + 16);
	cr_assert_eq(lcore[other]->counters.fast_path.packets, 0);
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
			&(struct packet){ .to = SERVER,
				.from_port = (uint16_t)(6000 + i),
				.to_port = 443,
				.protocol = 6,
				.tcp = "S" });
	gateway_run(gateway);
	cr_assert_eq(counters->handed_off, 8 + 8 * BURST_MAX + 20);
	cr_assert_eq(counters->handed_early, counters->handed_off);
	cr_assert_eq(counters->stage[STAGE_CLASSIFY].packets, seen);
	cr_assert_eq(frames_waiting(gateway, UPLINK) + gateway_drops(gateway, DROP_NAT_NEW_SESSION_BUDGET),
		16 * BURST_MAX + 40);
	cr_assert_gt(gateway_drops(gateway, DROP_NAT_NEW_SESSION_BUDGET), 0);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

static uint64_t received(const struct gateway *gateway, uint16_t port)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < gateway->path->count; i++)
		sum += gateway->path->context[i]->counters.interface[port].rx_packets;
	return sum;
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
	uint64_t before = received(gateway, UNDERLAY);
	uint16_t other = !sole_owner(gateway);
	const struct lcore_counters *counters = &gateway->path->context[other]->counters;
	many_flows(gateway, 16, 400);
	for (int turn = 0; turn < 6; turn++)
		gateway_poll_lcore(gateway, other);
	cr_assert_eq(counters->handed_early, 8 + 200);
	uint64_t shed = gateway_drops(gateway, DROP_RING_FULL);
	cr_assert_eq(shed, 200 - 63);
	cr_assert_eq(counters->ring_full[STAGE_NAT_GATEWAY], shed);
	gateway_run(gateway);
	cr_assert_eq(frames_waiting(gateway, UPLINK), 400 - shed);
	cr_assert_eq(received(gateway, UNDERLAY), before + 400);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* Hosts of the segment web, and which of the two lcores owns each: two of either. */
struct owned {
	const char *name;
	uint16_t owner;
};
enum { OWNED = 4, CANDIDATES = 20 };

/* A gateway with such hosts. Whose a host is, a key says that is drawn for it. */
static struct gateway *shared(struct owned owned[OWNED])
{
	static char name[CANDIDATES][8], mac[CANDIDATES][18], ip[CANDIDATES][16];
	struct world world = web_world;
	unsigned hosts = 0, count = 0, of_owner[2] = { 0, 0 };

	while (world.host[hosts].name != NULL)
		hosts++;
	for (unsigned i = 0; i < CANDIDATES; i++) {
		snprintf(name[i], sizeof(name[i]), "web%u", 100 + i);
		snprintf(mac[i], sizeof(mac[i]), "52:54:00:01:01:%02x", i);
		snprintf(ip[i], sizeof(ip[i]), "10.0.1.%u", 100 + i);
		world.host[hosts + i] = (struct host){
			.name = name[i], .mac = mac[i], .ip = ip[i], .vni = 5001, .vtep = "192.0.2.11"
		};
	}
	struct gateway *gateway = gateway_create(&world, PLAN_FUSED_TWO);
	for (unsigned i = 0; i < CANDIDATES; i++) {
		uint16_t owner = nat_owner_of_inside(gateway->plane->nat, 0, inet_addr(ip[i]));
		if (of_owner[owner]++ < OWNED / 2)
			owned[count++] = (struct owned){ name[i], owner };
	}
	cr_assert_eq(count, OWNED);
	return gateway;
}

/* From now on each flow's packets must leave in the order of their identifications. */
struct flow_order {
	uint32_t source;
	uint16_t port, last;
};
static unsigned in_order(struct gateway *gateway, unsigned fragments)
{
	static struct flow_order flow[256];
	unsigned flows = 0, count = 0;
	struct frame frame;
	struct frame_view view;

	while (gateway_receive(gateway, UPLINK, &frame)) {
		count++;
		cr_assert_null(frame_check(&frame, 0, &view));
		if (view.protocol != IPPROTO_UDP || view.fragment) {
			fragments -= view.fragment;
			continue;
		}
		uint32_t source = frame_get32(&frame, (uint16_t)(view.ip + 12));
		uint16_t port = frame_get16(&frame, view.l4),
			 id = frame_get16(&frame, (uint16_t)(view.ip + 4));
		unsigned i = 0;
		while (i < flows && (flow[i].source != source || flow[i].port != port))
			i++;
		if (i == flows) {
			cr_assert_lt(flows, sizeof(flow) / sizeof(flow[0]));
			flow[flows++] = (struct flow_order){ source, port, id };
		}
		cr_assert_geq(id, flow[i].last, "flow of port %u: %u after %u", port, id, flow[i].last);
		flow[i].last = id;
	}
	cr_assert_eq(fragments, 0);
	return count;
}

/* Whatever comes between: a ping, a datagram in fragments. */
static void mixed_bursts(struct gateway *gateway, const struct owned owned[OWNED], uint16_t packets)
{
	for (uint16_t i = 0; i < packets; i++) {
		struct packet packet = { .to = SERVER,
			.from_port = (uint16_t)(4000 + i / OWNED % 8),
			.to_port = 53,
			.data = 32,
			.ip_id = (uint16_t)(i + 1) };

		if (i % 61 == 5) {
			packet.protocol = IPPROTO_ICMP;
			packet.icmp_type = 8;
			packet.icmp_id = 7;
		}
		packet.more_fragments = i % 67 == 3;
		gateway_host_sends(gateway, owned[i % OWNED].name, &packet);
		if (packet.more_fragments) {
			packet.more_fragments = false;
			packet.fragment_offset = 5;
			gateway_host_sends(gateway, owned[i % OWNED].name, &packet);
		}
	}
}

/* Where a burst has packets of both lcores, it is sorted before it is looked at, and what the other one handed over joins it:
 * nothing is lost, no flow gets out of order, and each packet is counted once. */
Test(plans, bursts_with_packets_of_two_owners_are_sorted)
{
	enum { PACKETS = 208, FRAGMENTED = 4 };
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);

	for (int round = 0; round < 4; round++) {
		uint64_t before = received(gateway, UNDERLAY);
		mixed_bursts(gateway, owned, PACKETS);
		gateway_run(gateway);
		cr_assert_eq(in_order(gateway, 2 * FRAGMENTED), PACKETS + FRAGMENTED, "round %d", round);
		cr_assert_eq(received(gateway, UNDERLAY), before + PACKETS + FRAGMENTED);
		for (uint16_t i = 0; i < 2; i++)
			cr_assert(gateway->path->context[i]->mixed[UNDERLAY]);
	}
	for (uint16_t i = 0; i < 2; i++)
		cr_assert_gt(gateway->path->context[i]->counters.handed_early, PACKETS / 4);
	cr_assert_eq(gateway_drops_all(gateway), 0);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* Which receive queue a flow's packets get to, seen by sending one. */
static uint16_t queue_of_flow(struct gateway *gateway, const char *host, const struct packet *packet)
{
	struct rte_ring **queue = gateway->ports->port[UNDERLAY].rx;
	unsigned before = rte_ring_count(queue[1]);

	gateway_host_sends(gateway, host, packet);
	return rte_ring_count(queue[1]) > before;
}

/* Packets that were handed over wait for others of their port, but not while these come in full bursts that leave them no
 * room. */
Test(plans, what_was_handed_over_does_not_wait_behind_full_bursts)
{
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);
	struct packet packet = { .to = SERVER, .to_port = 53, .data = 9 };
	uint16_t of_queue[2] = { 0, 0 };
	const char *host = owned[0].name;
	uint16_t mine = owned[0].owner, others = !mine;

	for (packet.from_port = 4001; of_queue[0] == 0 || of_queue[1] == 0; packet.from_port++)
		of_queue[queue_of_flow(gateway, host, &packet)] = packet.from_port;
	gateway_run(gateway);
	frames_waiting(gateway, UPLINK);
	packet.from_port = of_queue[others];
	packet.ip_id = 999;
	gateway_host_sends(gateway, host, &packet);
	gateway_poll_lcore(gateway, others);
	packet.from_port = of_queue[mine];
	packet.ip_id = 1;
	for (int i = 0; i < 4 * BURST_MAX; i++)
		gateway_host_sends(gateway, host, &packet);
	const struct interface_counters *uplink = &gateway->path->context[mine]->counters.interface[UPLINK];
	uint64_t before = uplink->tx_packets;
	gateway_poll_lcore(gateway, mine);
	cr_assert_eq(uplink->tx_packets, before + BURST_MAX + 1);
	gateway_run(gateway);
	cr_assert_eq(frames_waiting(gateway, UPLINK), 4 * BURST_MAX + 1);
	cr_assert_eq(gateway_destroy(gateway), 0);
}
