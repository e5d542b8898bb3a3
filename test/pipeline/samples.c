/* SPDX-License-Identifier: BSD-3-Clause */
#include "samples.h"

#include <rte_debug.h>
#include <stdio.h>
#include <string.h>

#define SERVER "198.51.100.7"

enum { ICMP = 1, IGMP = 2, TCP = 6, UDP = 17 };

struct maker {
	struct gateway *gateway;
	struct sample *sample;
	unsigned count;
};

static void add(struct maker *maker, const char *kind, const char *host, const struct packet *packet)
{
	const struct host *from = gateway_host(maker->gateway, host);
	struct sample *sample = &maker->sample[maker->count++];

	sample->kind = kind;
	sample->port = from->vni ? UNDERLAY : from->port;
	gateway_host_frame(maker->gateway, host, packet, &sample->frame);
}

/* The frame that leaves by the uplink when the workload sends the packet: then a binding is there. */
static void goes_out(
	struct gateway *gateway, const struct packet *packet, struct frame *out, char address[16])
{
	gateway_host_sends(gateway, "web11", packet);
	gateway_run(gateway);
	if (!gateway_receive(gateway, UPLINK, out))
		rte_exit(EXIT_FAILURE, "the samples cannot be made: nothing goes out\n");
	snprintf(address, 16, "%u.%u.%u.%u", out->bytes[26], out->bytes[27], out->bytes[28], out->bytes[29]);
}

static void both_ways(struct maker *maker, const char *kind, const struct packet *up)
{
	struct packet down = {
		.from = up->to, .from_port = up->to_port, .protocol = up->protocol, .data = 20
	};
	struct packet error = {
		.from = "192.0.33.1", .protocol = ICMP, .icmp_type = 3, .icmp_code = 4, .icmp_mtu = 1280
	};
	struct frame out;
	char public[16];

	goes_out(maker->gateway, up, &out, public);
	add(maker, kind, "web11", up);
	down.to = error.to = public;
	down.to_port = frame_get16(&out, 34);
	down.icmp_id = frame_get16(&out, 38);
	add(maker, kind, "router", &down);
	error.quote = &out;
	add(maker, "an ICMP error about what went out", "router", &error);
}

static void arps(struct maker *maker)
{
	struct sample *sample = &maker->sample[maker->count++];
	struct tunnel_packet tunnel = { .mac_to = gateway_port_mac(UNDERLAY),
		.mac_from = "52:54:00:00:00:11",
		.from = "192.0.2.11",
		.to = "192.0.2.1",
		.vni = 5001,
		.udp_checksum = true };
	struct frame arp;

	sample->kind = "ARP from a neighbour";
	sample->port = UPLINK;
	frame_arp(&sample->frame, &(struct arp){ .mac_from = "52:54:00:00:ff:fe",
					  .operation = 1,
					  .sender = "203.0.113.254",
					  .target = "203.0.113.1" });
	frame_arp(&arp, &(struct arp){ .mac_from = "52:54:00:01:00:11",
				.operation = 1,
				.sender = "10.0.1.11",
				.target = "10.0.1.1" });
	sample = &maker->sample[maker->count++];
	sample->kind = "ARP in a tunnel";
	sample->port = UNDERLAY;
	frame_encapsulate(&sample->frame, &tunnel, &arp);
}

unsigned samples_make(struct gateway *gateway, struct sample samples[SAMPLES_MAX])
{
	static const uint8_t options[] = { 148, 4, 0, 0, 1, 1, 7, 3, 4, 1, 1,
		0 }; /* router alert, padding, record route */
	struct maker maker = { gateway, samples, 0 };

	both_ways(&maker, "UDP",
		&(struct packet){ .to = SERVER, .from_port = 4000, .to_port = 53, .data = 18 });
	both_ways(&maker, "TCP",
		&(struct packet){ .to = SERVER,
			.from_port = 4000,
			.to_port = 80,
			.protocol = TCP,
			.tcp = "S",
			.data = 8 });
	add(&maker, "TCP of a connection", "web11",
		&(struct packet){ .to = SERVER,
			.from_port = 4000,
			.to_port = 80,
			.protocol = TCP,
			.tcp = "A",
			.data = 8 });
	both_ways(&maker, "ping",
		&(struct packet){
			.to = SERVER, .protocol = ICMP, .icmp_type = 8, .icmp_id = 77, .data = 16 });
	add(&maker, "to another segment", "web11",
		&(struct packet){
			.to = "10.0.2.21", .from_port = 4000, .to_port = 5432, .protocol = TCP, .tcp = "S" });
	add(&maker, "to a static binding", "router",
		&(struct packet){
			.from = SERVER, .to = "203.0.113.20", .from_port = 5000, .to_port = 22, .data = 16 });
	add(&maker, "to a forwarded port", "router",
		&(struct packet){ .from = SERVER,
			.to = "203.0.113.1",
			.from_port = 5000,
			.to_port = 8080,
			.protocol = TCP,
			.tcp = "S" });
	add(&maker, "ping to the gateway", "web11",
		&(struct packet){
			.to = "10.0.1.1", .protocol = ICMP, .icmp_type = 8, .icmp_id = 7, .data = 16 });
	add(&maker, "ping to the gateway from outside", "router",
		&(struct packet){ .from = SERVER,
			.to = "203.0.113.1",
			.protocol = ICMP,
			.icmp_type = 8,
			.icmp_id = 7,
			.data = 16 });
	add(&maker, "with IP options", "web11",
		&(struct packet){ .to = SERVER,
			.from_port = 4000,
			.to_port = 53,
			.data = 18,
			.options = options,
			.options_length = sizeof(options) });
	add(&maker, "a fragment", "web11",
		&(struct packet){ .to = "10.0.2.21", .data = 24, .fragment_offset = 4 });
	add(&maker, "an IGMP query", "vtep1",
		&(struct packet){ .mac_to = "01:00:5e:00:00:01",
			.to = "224.0.0.1",
			.protocol = IGMP,
			.data = 8,
			.ttl = 1 });
	arps(&maker);
	return maker.count;
}
