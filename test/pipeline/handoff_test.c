/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets that one lcore receives and another one owns, when there are many of both: sorting and joining, of
 * stage/fast_path_handoff.c and packet_path.c. */
#include "gateway_ports.h"
#include "pipeline_case.h"
#include "table/nat_owner.h"
#include "worlds.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#define SERVER "198.51.100.7"

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
Test(handoff, bursts_with_packets_of_two_owners_are_sorted)
{
	enum { PACKETS = 208, FRAGMENTED = 4 };
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);

	for (int round = 0; round < 4; round++) {
		uint64_t before = gateway_received(gateway, UNDERLAY);
		mixed_bursts(gateway, owned, PACKETS);
		gateway_run(gateway);
		cr_assert_eq(in_order(gateway, 2 * FRAGMENTED), PACKETS + FRAGMENTED, "round %d", round);
		cr_assert_eq(gateway_received(gateway, UNDERLAY), before + PACKETS + FRAGMENTED);
	}
	for (uint16_t i = 0; i < 2; i++)
		cr_assert_gt(gateway->path->context[i]->counters.handed_early, PACKETS / 4);
	cr_assert_eq(gateway_drops_all(gateway), 0);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* A packet of a random flow, or something else of its host to the same remote, which goes by the stages. How many frames. */
static unsigned random_sends(struct gateway *gateway, const struct owned owned[OWNED], uint16_t id, bool odd)
{
	static const uint8_t options[4] = { 1, 1, 1, 0 };
	const char *host = owned[rand() % OWNED].name;
	int kind = odd ? 1 + rand() % 3 : 0;
	struct packet packet = { .to = SERVER,
		.from_port = (uint16_t)(4000 + rand() % 8),
		.to_port = 53,
		.data = 32,
		.ip_id = id };

	if (kind == 1) {
		packet.options = options;
		packet.options_length = sizeof(options);
	} else if (kind == 2) {
		packet.protocol = IPPROTO_ICMP;
		packet.icmp_type = 8;
		packet.icmp_id = 7;
	} else if (kind == 3) {
		packet.more_fragments = true;
		gateway_host_sends(gateway, host, &packet);
		packet.more_fragments = false;
		packet.fragment_offset = 5;
	}
	gateway_host_sends(gateway, host, &packet);
	return kind == 3 ? 2 : 1;
}

/* Whichever lcore is fast or slow, and whatever goes by the stages in between. */
Test(handoff, at_any_pace_nothing_overtakes_and_nothing_is_lost)
{
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);

	srand(1);
	for (int round = 0; round < 60; round++) {
		uint64_t before = gateway_received(gateway, UNDERLAY);
		unsigned sent = 0, fragments = 0, packets = 100 + (unsigned)rand() % 300,
			 share = round % 3 * 15u;

		for (uint16_t i = 0; i < packets; i++) {
			unsigned frames = random_sends(
				gateway, owned, (uint16_t)(i + 1), (unsigned)rand() % 100 < share);
			sent += frames;
			fragments += frames == 2 ? 2 : 0;
			for (int turns = rand() % 40 == 0 ? rand() % 4 : 0; turns > 0; turns--)
				gateway_poll_lcore(gateway, (uint16_t)(rand() % 2));
		}
		gateway_run(gateway);
		cr_assert_eq(in_order(gateway, fragments), sent, "round %d", round);
		cr_assert_eq(gateway_received(gateway, UNDERLAY), before + sent, "round %d", round);
	}
	cr_assert_eq(gateway_drops_all(gateway), 0);
	cr_assert_eq(gateway_destroy(gateway), 0);
}
