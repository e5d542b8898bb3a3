/* SPDX-License-Identifier: BSD-3-Clause */
/* Fragments of datagrams of open sessions, both ways and hairpinned, in any order, overlapping, tiny, with holes, and with
 * time between them. Besides what every frame must do: no byte of a datagram passes twice (RFC 1858 section 4), and
 * nothing is kept beyond its time.
 *
 * An input is a row of fragments of four bytes each: which datagram (low three bits) and which of eight identifications;
 * where it begins and how long it is, in units of 8 bytes; and flags: LAST, PAUSE (time passes first), and in the upper
 * four bits how many bytes are missing at its end. */
#include "gateway_fuzz.h"
#include "table/fragment_table.h"
#include "table/nat_owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVER        "198.51.100.7"
#define FRAGMENTS_MAX 48
#define PAUSES_MAX    2 /* an input, so that no session ends */
#define UNITS         96u
#define IDS           8u
#define ID_MAGIC      0x4600u
#define LONG_MS       16000 /* nothing is kept for so long */

enum { ICMP = 1, TCP = 6, UDP = 17 };
enum { LAST = 1, PAUSE = 2, PAUSE_SHORT = 4 };

struct datagram {
	const char *host; /* that sends it */
	struct packet packet;
	int answers; /* the datagram whose session it comes back by, or -1 */
	struct frame whole;
};
static struct datagram datagrams[] = {
	{ .host = "web11",
		.packet = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 640 },
		.answers = -1 },
	{ .host = "web11",
		.packet = { .to = SERVER,
			.protocol = TCP,
			.from_port = 4000,
			.to_port = 80,
			.tcp = "S",
			.data = 640 },
		.answers = -1 },
	{ .host = "web11",
		.packet = { .to = SERVER, .protocol = ICMP, .icmp_type = 8, .icmp_id = 77, .data = 640 },
		.answers = -1 },
	{ .host = "web11",
		.packet = { .to = "203.0.113.20", .from_port = 4001, .to_port = 53, .data = 640 },
		.answers = -1 },
	{ .host = "router", .packet = { .from = SERVER, .from_port = 53, .data = 640 }, .answers = 0 },
	{ .host = "router",
		.packet = { .from = SERVER, .protocol = TCP, .from_port = 80, .tcp = "SA", .data = 640 },
		.answers = 1 },
	{ .host = "router", .packet = { .from = SERVER, .protocol = ICMP, .data = 640 }, .answers = 2 },
	{ .host = "router",
		.packet = { .from = SERVER,
			.to = "203.0.113.20",
			.from_port = 53,
			.to_port = 9,
			.data = 640 },
		.answers = -1 },
};
#define DATAGRAMS (sizeof(datagrams) / sizeof(datagrams[0]))
static struct gateway *gateway;

/* What of each has passed since it was last forgotten. */
static struct passed {
	bool unit[UNITS + 1];
	unsigned end; /* 0: not known */
} passed[DATAGRAMS][IDS];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(const struct datagram *datagram)
{
	return strcmp(datagram->host, "router") != 0;
}

/* Opens the sessions, or keeps them, by small packets of the same flows. */
static void sessions_keep(bool first)
{
	for (size_t i = 0; i < DATAGRAMS; i++) {
		struct datagram *datagram = &datagrams[i];
		struct packet small = datagram->packet;
		struct frame out;

		small.data = 8;
		if (datagram->answers >= 0)
			continue;
		fuzz_passes(gateway, datagram->host, &small, &out);
		for (size_t j = 0; j < DATAGRAMS && first; j++) {
			static char address[DATAGRAMS][16];
			if (datagrams[j].answers != (int)i)
				continue;
			snprintf(address[j], sizeof(address[j]), "%u.%u.%u.%u", out.bytes[26], out.bytes[27],
				out.bytes[28], out.bytes[29]);
			datagrams[j].packet.to = address[j];
			datagrams[j].packet.to_port = frame_get16(&out, 34);
			datagrams[j].packet.icmp_id = frame_get16(&out, 38);
		}
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	gateway = fuzz_gateway(PLAN_FUSED_TWO);
	sessions_keep(true);
	for (size_t i = 0; i < DATAGRAMS; i++) {
		struct frame *whole = &datagrams[i].whole;
		gateway_host_frame(gateway, datagrams[i].host, &datagrams[i].packet, whole);
		if (is_inside(&datagrams[i])) { /* what the workload sent, without its tunnel */
			whole->length = (uint16_t)(whole->length - 50);
			memmove(whole->bytes, &whole->bytes[50], whole->length);
		}
	}
	return 0;
}

static void forget(void)
{
	memset(passed, 0, sizeof(passed));
}

/* A fragment has left: was any of it there before? Of a datagram that is whole nothing is known any more. */
static void see(uint16_t port, const struct frame *frame, const struct frame_view *view)
{
	uint16_t bits, id;

	(void)port;
	if (view->ip == 0 || !view->fragment)
		return;
	bits = frame_get16(frame, (uint16_t)(view->ip + 6));
	id = frame_get16(frame, (uint16_t)(view->ip + 4));
	struct passed *of = &passed[(id / IDS) % DATAGRAMS][id % IDS];
	unsigned from = bits & 0x1fff, to = from + (view->ip_total - view->ip_header + 7u) / 8;

	if (!(bits & 0x2000))
		of->end = to;
	for (unsigned unit = from; unit < to; unit++) {
		if (unit > UNITS || of->unit[unit]) {
			fprintf(stderr, "unit %u of datagram %x passed twice\n", unit, id);
			abort();
		}
		of->unit[unit] = true;
	}
	unsigned units = 0;
	while (of->end != 0 && units < of->end && of->unit[units])
		units++;
	if (of->end != 0 && units == of->end)
		*of = (struct passed){ .end = 0 };
}

static void fragment_send(const uint8_t *data)
{
	unsigned which = data[0] % DATAGRAMS, id = data[0] / DATAGRAMS % IDS;
	const struct datagram *datagram = &datagrams[which];
	struct frame piece = datagram->whole, frame;
	unsigned units = (datagram->whole.length - 34u) / 8, from = data[1] % (units + 1);
	unsigned length = (1 + data[2] % units) * 8, missing = data[3] >> 4;

	if (from * 8 + length > datagram->whole.length - 34u)
		length = datagram->whole.length - 34u - from * 8;
	length = length > missing ? length - missing : 0;
	memmove(&piece.bytes[34], &datagram->whole.bytes[34 + from * 8], length);
	piece.length = (uint16_t)(34 + length);
	frame_put16(&piece, 16, (uint16_t)(20 + length));
	frame_put16(&piece, 18, (uint16_t)(ID_MAGIC | which * IDS | id));
	frame_put16(&piece, 20, (uint16_t)(from | (data[3] & LAST ? 0 : 0x2000)));
	frame_mend_ip(&piece, 14);
	if (!is_inside(datagram)) {
		fuzz_frame(gateway, UPLINK, &piece);
		return;
	}
	frame_encapsulate(&frame,
		&(struct tunnel_packet){ .mac_to = gateway_port_mac(UNDERLAY),
			.mac_from = "52:54:00:00:00:11",
			.from = "192.0.2.11",
			.to = "192.0.2.1",
			.vni = 5001 },
		&piece);
	fuzz_frame(gateway, UNDERLAY, &frame);
}

static void pause_make(uint8_t flags, int *pauses)
{
	if (*pauses == 0)
		return;
	--*pauses;
	/* Short: for what waits for its first fragment it is too long. */
	fuzz_time(gateway, flags & PAUSE_SHORT ? 3000 : LONG_MS);
	fuzz_outputs(gateway, false, see);
	if (!(flags & PAUSE_SHORT))
		forget();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int pauses = PAUSES_MAX;

	sessions_keep(false);
	for (int n = 0; n < FRAGMENTS_MAX && size >= 4; n++, data += 4, size -= 4) {
		if (data[3] & PAUSE)
			pause_make(data[3], &pauses);
		fragment_send(data);
		fuzz_outputs(gateway, false, see);
	}
	fuzz_time(gateway, LONG_MS);
	fuzz_outputs(gateway, false, see);
	forget();
	for (uint16_t i = 0; i < gateway->path->count; i++) {
		const struct lcore_context *context = gateway->path->context[i];
		if (context->nat != NULL && (fragment_table_waiting(context->nat->fragments) != 0 ||
						    fragment_table_datagrams(context->nat->fragments) != 0)) {
			fprintf(stderr, "a datagram is kept for ever\n");
			abort();
		}
	}
	return 0;
}
