/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP errors about flows that there are, TCP, UDP and ping, from outside, from inside and about hairpinned ones; built
 * whole, and then changed. Besides what every frame must do: an error as a router sends it comes out right to the last
 * checksum, and no error opens, keeps or ends a session (RFC 4787 REQ-12, RFC 5508 REQ-6).
 *
 * An input is: which flow, ICMP type, code, bytes that it quotes, FUZZ_* flags; then changes of three bytes each: where in
 * the ICMP message beyond its type (from its end with the highest bit), and what is added there. */
#include "gateway_fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVER      "198.51.100.7"
#define REOPEN      4096 /* inputs between two looks after the sessions, so that none ends */
#define CHANGES_MAX 16

enum { ICMP = 1, TCP = 6, UDP = 17 };
enum {
	MEND_MESSAGE = 8,
	MEND_QUOTED = 16
}; /* beside FUZZ_*: checksums of the message, of the quoted header */

struct flow {
	const char *host; /* that opens it */
	struct packet packet;
	struct frame out; /* as it reaches the other side, for that one's errors */
	char address[16]; /* where it is seen from */
	bool hairpin;     /* the other side is a host inside, too */
};
static struct flow flows[] = {
	{ .host = "web11", .packet = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 40 } },
	{ .host = "web11",
		.packet = { .to = SERVER, .from_port = 4000, .to_port = 80, .protocol = TCP, .tcp = "S" } },
	{ .host = "web11",
		.packet = { .to = SERVER, .protocol = ICMP, .icmp_type = 8, .icmp_id = 77, .data = 40 } },
	{ .host = "web5",
		.packet = { .to = SERVER, .from_port = 4000, .to_port = 53, .no_udp_checksum = true } },
	{ .host = "router",
		.packet = { .from = SERVER,
			.to = "203.0.113.20",
			.from_port = 53,
			.to_port = 9,
			.data = 40 } },
	{ .host = "router",
		.packet = { .from = SERVER,
			.to = "203.0.113.1",
			.from_port = 5000,
			.to_port = 8080,
			.protocol = TCP,
			.tcp = "S" } },
	{ .host = "web11",
		.hairpin = true,
		.packet = { .to = "203.0.113.20", .from_port = 4001, .to_port = 53, .data = 40 } },
	{ .host = "web11",
		.hairpin = true,
		.packet = { .to = "203.0.113.1",
			.from_port = 4001,
			.to_port = 8080,
			.protocol = TCP,
			.tcp = "S" } },
	{ .host = "web12",
		.hairpin = true,
		.packet = { .to = "203.0.113.20",
			.protocol = ICMP,
			.icmp_type = 8,
			.icmp_id = 78,
			.data = 40 } },
};
#define FLOWS (sizeof(flows) / sizeof(flows[0]))
static struct gateway *gateway;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Opens the flow's session, or keeps it; it must look the same each time. */
static void flow_keep(struct flow *flow, bool first)
{
	uint16_t ip;
	char address[16];

	fuzz_passes(gateway, flow->host, &flow->packet, &flow->out);
	ip = (uint16_t)(flow->out.bytes[12] == 8 && flow->out.bytes[23] == UDP &&
					frame_get16(&flow->out, 36) == 4789
				? 64
				: 14);
	if (ip == 64) { /* what a workload sees, as it quotes it */
		flow->out.length = (uint16_t)(flow->out.length - 50);
		memmove(flow->out.bytes, &flow->out.bytes[50], flow->out.length);
	}
	snprintf(address, sizeof(address), "%u.%u.%u.%u", flow->out.bytes[26], flow->out.bytes[27],
		flow->out.bytes[28], flow->out.bytes[29]);
	if (!first && strcmp(address, flow->address) != 0)
		abort();
	strcpy(flow->address, address);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	gateway = fuzz_gateway(PLAN_FUSED_TWO);
	for (size_t i = 0; i < FLOWS; i++)
		flow_keep(&flows[i], true);
	return 0;
}

/* Who is on the other side of the flow. */
static const char *other_side(const struct flow *flow)
{
	if (!flow->hairpin && strcmp(flow->host, "router") != 0)
		return "router";
	return flow->packet.to_port == 8080 ? "web6" : "web5";
}

static uint16_t message_at(uint16_t port)
{
	return port == UNDERLAY ? 84 : 34;
}

static bool changes_make(struct frame *frame, uint16_t from, const uint8_t *data, size_t size)
{
	uint16_t length = (uint16_t)(frame->length - from);
	bool any = false;

	for (int i = 0; i < CHANGES_MAX && size >= 3; i++, data += 3, size -= 3) {
		uint16_t where = (uint16_t)((data[0] & 0x7f) << 8 | data[1]) % length;
		where = data[0] & 0x80 ? (uint16_t)(length - 1 - where) : where;
		if (where == 0)
			continue; /* the type stays */
		frame->bytes[from + where] = (uint8_t)(frame->bytes[from + where] + data[2]);
		any |= data[2] != 0;
	}
	return any;
}

/* The frame, built or changed; false: as a router would have sent it. */
static bool error_make(const uint8_t *data, size_t size, struct frame *frame, uint16_t *port)
{
	static const uint8_t types[] = { 3, 3, 3, 11, 11, 12 };
	const struct flow *flow = &flows[data[0] % FLOWS];
	const char *from = other_side(flow);
	struct packet error = { .to = flow->address,
		.from = strcmp(from, "router") == 0 ? "192.0.33.1" : NULL,
		.protocol = ICMP,
		.icmp_type = types[data[1] % sizeof(types)],
		.icmp_code = data[2] & 15,
		.icmp_mtu = 1280,
		.quote = &flow->out };
	uint16_t quoted = (uint16_t)(flow->out.length - 14);

	error.quote_length = (uint16_t)(28 + data[3] % (quoted - 27));
	gateway_host_frame(gateway, from, &error, frame);
	*port = strcmp(from, "router") == 0 ? UPLINK : UNDERLAY;
	uint16_t message = message_at(*port);
	bool changed = changes_make(frame, message, data + 5, size - 5);
	if (data[4] & MEND_QUOTED)
		fuzz_mend_ip(frame, (uint16_t)(message + 8));
	if (data[4] & MEND_MESSAGE)
		frame_mend_l4(frame, (uint16_t)(message - 20));
	return changed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned inputs;
	struct frame frame;
	uint16_t port;

	if (size < 5)
		return 0;
	if (inputs++ % REOPEN == 0) {
		fuzz_time(gateway, 1000);
		for (size_t i = 0; i < FLOWS; i++)
			flow_keep(&flows[i], false);
	}
	bool changed = error_make(data, size, &frame, &port);
	uint64_t sessions = gateway_sessions(gateway), drops = gateway_drops_all(gateway);
	fuzz_frame(gateway, port, &frame);
	if (gateway_sessions(gateway) != sessions || (!changed && gateway_drops_all(gateway) != drops)) {
		char text[FRAME_TEXT];
		fprintf(stderr, "%s: %s\n", changed ? "sessions changed by" : "dropped",
			frame_text(&frame, text));
		abort();
	}
	fuzz_outputs(gateway, !changed, NULL);
	fuzz_time(gateway, 1);
	fuzz_outputs(gateway, false, NULL);
	return 0;
}
