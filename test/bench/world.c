/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

#include <arpa/inet.h>
#include <rte_common.h>
#include <rte_debug.h>
#include <stdio.h>
#include <stdlib.h>

#define PORTS_AN_ADDRESS                                                                                     \
	40000u /* that are counted on: the fuller a pool, the longer is the search for a free port */
#define ADDRESSES_MIN 64u
#define ADDRESSES_MAX 254u
#define ROOM          1024u

static const char network[] = "{ \"name\": \"bench\","
			      "  \"lcores\": { \"management\": 0, \"packet\": [1], \"idle\": \"poll\" },"
			      "  \"telemetry\": { \"socket\": \"off\" },"
			      "  \"routes\": [ { \"prefix\": \"0.0.0.0/0\", \"via\": \"203.0.113.254\" } ],"
			      "  \"vxlan\": { \"source\": \"192.0.2.1\" },";

static const char *dotted(uint32_t address, char text[INET_ADDRSTRLEN])
{
	struct in_addr in = { htonl(address) };

	return inet_ntop(AF_INET, &in, text, INET_ADDRSTRLEN);
}

static void ports_write(FILE *out, uint32_t room)
{
	static const struct {
		const char *name, *address;
		uint16_t mtu;
	} port[] = { [UNDERLAY] = { "underlay", "192.0.2.1/24", 1600 },
		[UPLINK] = { "uplink", "203.0.113.1/24", 1500 } };

	fprintf(out, "\"ports\": [");
	for (uint32_t i = 0; i < RTE_DIM(port); i++)
		fprintf(out,
			"%s{ \"name\": \"%s\", \"device\": \"net_ring%u\", \"mtu\": %u, \"addresses\": "
			"[\"%s\"], \"rx_descriptors\": %u, \"tx_descriptors\": %u }",
			i ? "," : "", port[i].name, i, port[i].mtu, port[i].address, room, room);
	fprintf(out, "],");
}

static void segments_write(FILE *out, uint32_t segments)
{
	char text[INET_ADDRSTRLEN];

	fprintf(out, "\"segments\": [");
	for (uint32_t i = 0; i < segments; i++)
		fprintf(out,
			"%s{ \"name\": \"web%u\", \"vni\": %u, \"gateway\": \"%s/20\", \"mac\": \"%s\","
			"\"flood\": { \"vteps\": [\"192.0.2.11\", \"192.0.2.12\"] } }",
			i ? "," : "", i, VNI + i,
			dotted(rte_be_to_cpu_32(traffic_segment_network(i)) + 1, text), segment_mac);
	fprintf(out, "],");
}

static void nat_write(FILE *out, const struct world_size *size)
{
	uint32_t addresses = size->max_sessions / PORTS_AN_ADDRESS + 1;
	char first[INET_ADDRSTRLEN], last[INET_ADDRSTRLEN];

	addresses = RTE_MIN(RTE_MAX(addresses, ADDRESSES_MIN), ADDRESSES_MAX);
	fprintf(out,
		"\"nat\": { \"pools\": [ { \"name\": \"internet\", \"addresses\": [\"%s-%s\"] } ],"
		"\"source\": [",
		dotted(POOL_ADDRESS + 1, first), dotted(POOL_ADDRESS + addresses, last));
	for (uint32_t i = 0; i < size->segments; i++)
		fprintf(out, "%s{ \"segment\": \"web%u\", \"prefix\": \"%s/20\", \"pool\": \"internet\" }",
			i ? "," : "", i, dotted(rte_be_to_cpu_32(traffic_segment_network(i)), first));
	fprintf(out,
		"], \"max_sessions\": %u, \"new_sessions_in_overload\": 0,"
		"\"timeouts\": { \"udp\": %u } } }",
		size->max_sessions, size->lasting ? 86400 : UDP_SECONDS);
}

static char *config_make(const struct world_size *size)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	fputs(network, out);
	ports_write(out, size->room);
	segments_write(out, size->segments);
	nat_write(out, size);
	if (fclose(out) != 0)
		rte_exit(EXIT_FAILURE, "no memory\n");
	return text;
}

/* Asks for the gateway's MAC, as a host does that starts. */
static void workload_speaks(struct gateway *gateway, const struct traffic *traffic, uint32_t workload)
{
	uint32_t vtep = workload & 1, segment = traffic_segment(traffic, workload);
	char text[INET_ADDRSTRLEN];
	struct frame inner, frame;
	struct tunnel_packet tunnel = { .mac_to = gateway_underlay_mac,
		.mac_from = vtep_mac[vtep],
		.from = vtep ? "192.0.2.12" : "192.0.2.11",
		.to = "192.0.2.1",
		.vni = VNI + segment };

	frame_arp(&inner,
		&(struct arp){ .mac_from = router_mac,
			.operation = 1,
			.sender = "0.0.0.0",
			.target = dotted(rte_be_to_cpu_32(traffic_segment_network(segment)) + 1, text) });
	traffic_workload_mac(workload, &inner.bytes[6]);
	traffic_workload_mac(workload, &inner.bytes[22]);
	frame_put32(&inner, 28, rte_be_to_cpu_32(traffic_workload_ip(traffic, workload)));
	frame_encapsulate(&frame, &tunnel, &inner);
	gateway_send(gateway, UNDERLAY, &frame);
}

static void workloads_speak(struct gateway *gateway, const struct traffic *traffic)
{
	struct frame answer;
	unsigned answers = 0;

	for (uint32_t workload = 0; workload < WORKLOADS; workload++) {
		workload_speaks(gateway, traffic, workload);
		if (workload % 128 == 127)
			gateway_advance(gateway, 10); /* the meter of ARP fills up again */
	}
	while (gateway_receive(gateway, UNDERLAY, &answer))
		answers++;
	if (answers != WORKLOADS || slowpath_counters(gateway->slowpath)->macs_learned != WORKLOADS)
		rte_exit(EXIT_FAILURE, "%u of %u workloads got an answer\n", answers, WORKLOADS);
}

struct gateway *world_create(const struct world_size *size, const struct traffic *traffic)
{
	struct world_size roomy = *size;

	roomy.room = size->room == 0 ? ROOM : size->room;
	char *config = config_make(&roomy);
	struct world world = {
		.config = config,
		.host = { { .name = "router", .mac = router_mac, .ip = "203.0.113.254", .port = UPLINK },
			{ .name = "vtep1", .mac = vtep_mac[0], .ip = "192.0.2.11", .port = UNDERLAY },
			{ .name = "vtep2", .mac = vtep_mac[1], .ip = "192.0.2.12", .port = UNDERLAY } },
		.ring_size = 2 * roomy.room,
	};
	struct gateway *gateway = size->shape == NULL ? gateway_create(&world, PLAN_FUSED)
						      : gateway_create_shaped(&world, size->shape);

	free(config);
	workloads_speak(gateway, traffic);
	return gateway;
}
