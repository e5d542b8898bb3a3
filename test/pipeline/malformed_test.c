/* SPDX-License-Identifier: BSD-3-Clause */
/* Malformed input of every kind: it ends in a named drop, or is forwarded well-formed. Nothing is lost on the way: of
 * each frame the counters tell what became of it. */
#include "pipeline_case.h"
#include "samples.h"
#include "worlds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sends one frame and follows it: out, dropped, waiting, or handed to the slow path, exactly one of these. */
static void send_and_account(
	struct gateway *gateway, uint16_t port, const struct frame *frame, const char *what)
{
	uint64_t before = gateway_ends(gateway);

	cr_assert(gateway_send(gateway, port, frame));
	gateway_run_lcores(gateway);
	uint64_t ends = gateway_ends(gateway) - before;
	cr_assert_eq(
		ends, 1, "[%s] %s: one frame had %lu ends", gateway_plan_name[gateway->plan], what, ends);
	gateway_run(gateway);
}

static void expect_well_formed(struct gateway *gateway, const char *what, bool corrupted)
{
	struct frame_view view;
	struct frame frame;
	char text[FRAME_TEXT];

	for (uint16_t port = 0; port < gateway->config->port_count; port++) {
		while (gateway_receive(gateway, port, &frame)) {
			const char *wrong = frame_check(&frame, port == UNDERLAY ? 4789 : 0, &view);
			cr_assert(wrong == NULL || (corrupted && frame_fault_is_end_to_end(wrong)),
				"[%s] %s: left malformed: %s", gateway_plan_name[gateway->plan], what,
				frame_text(&frame, text));
		}
	}
}

static void claim_all_drops(struct gateway *gateway)
{
	for (int i = 0; i < DROP_REASONS; i++)
		gateway->drops_claimed[i] = gateway_drops(gateway, (enum drop_reason)i);
}

CASE(malformed, every_sample_is_good_to_begin_with, web_world)
{
	struct sample sample[SAMPLES_MAX];
	unsigned count = samples_make(gateway, sample);

	for (unsigned i = 0; i < count; i++) {
		struct frame_view view;
		const char *wrong = frame_check(&sample[i].frame, 4789, &view);
		bool igmp = strstr(sample[i].kind, "IGMP") != NULL;
		cr_assert(wrong == NULL, "%s: %s", sample[i].kind, wrong);
		cr_assert(gateway_send(gateway, sample[i].port, &sample[i].frame));
		gateway_run(gateway);
		cr_assert(igmp || gateway_waiting(gateway, UPLINK) + gateway_waiting(gateway, UNDERLAY) > 0,
			"%s: nothing came of it", sample[i].kind);
		expect_well_formed(gateway, sample[i].kind, false);
	}
	claim_all_drops(gateway);
}

/* Cut off at every byte, as it is. */
CASE(malformed, frames_cut_at_every_byte, web_world)
{
	struct sample sample[SAMPLES_MAX];
	unsigned count = samples_make(gateway, sample);

	for (unsigned i = 0; i < count; i++) {
		for (uint16_t length = 0; length < sample[i].frame.length; length++) {
			struct frame frame = sample[i].frame;
			char what[96];

			snprintf(what, sizeof(what), "%s, cut to %u bytes", sample[i].kind, length);
			frame.length = length;
			send_and_account(gateway, sample[i].port, &frame, what);
			expect_well_formed(gateway, what, false);
		}
		gateway_advance(gateway, 1000); /* meters fill up again */
		expect_well_formed(gateway, sample[i].kind, false);
	}
	claim_all_drops(gateway);
}

/* Cut off with the outer lengths right, so that only the packet inside is short. */
CASE(malformed, inner_frames_cut_at_every_byte, web_world)
{
	struct sample sample[SAMPLES_MAX];
	unsigned count = samples_make(gateway, sample);

	for (unsigned i = 0; i < count; i++) {
		uint16_t inner = sample[i].port == UNDERLAY && sample[i].frame.length > 50 ? 50 : 14;
		for (uint16_t length = inner; length < sample[i].frame.length; length++) {
			struct frame frame = sample[i].frame;
			char what[96];

			frame.length = length;
			if (frame_get16(&frame, 12) == 0x0800) {
				frame_put16(&frame, 16, (uint16_t)(length - 14));
				if (length >= 34)
					frame_mend_ip(&frame, 14);
				if (inner == 50) {
					frame_put16(&frame, 38, (uint16_t)(length - 34));
					frame_put16(&frame, 40, 0);
				}
			}
			snprintf(what, sizeof(what), "%s, inner part cut to %u bytes", sample[i].kind,
				length - inner);
			send_and_account(gateway, sample[i].port, &frame, what);
			expect_well_formed(gateway, what, true);
		}
		gateway_advance(gateway, 1000);
		expect_well_formed(gateway, sample[i].kind, true);
	}
	claim_all_drops(gateway);
}

/* The IP packet inside shortened as its own header says, down to nothing behind the header. */
CASE(malformed, packets_that_end_before_their_headers_do, web_world)
{
	struct sample sample[SAMPLES_MAX];
	unsigned count = samples_make(gateway, sample);

	for (unsigned i = 0; i < count; i++) {
		uint16_t ip = sample[i].port == UNDERLAY && sample[i].frame.length > 50 ? 64 : 14;
		if (frame_get16(&sample[i].frame, (uint16_t)(ip - 2)) != 0x0800)
			continue;
		for (uint16_t total = 0; total < sample[i].frame.length - ip; total++) {
			struct frame frame = sample[i].frame;
			char what[96];

			frame_put16(&frame, (uint16_t)(ip + 2), total);
			frame_mend_ip(&frame, ip);
			if (ip == 64)
				frame_put16(&frame, 40, 0);
			snprintf(what, sizeof(what), "%s, total length %u", sample[i].kind, total);
			send_and_account(gateway, sample[i].port, &frame, what);
			expect_well_formed(gateway, what, true);
		}
		gateway_advance(gateway, 1000);
		expect_well_formed(gateway, sample[i].kind, true);
	}
	claim_all_drops(gateway);
}

/* One or two bytes replaced at random; in one half of the frames the IP checksums are mended, so that more is reached
 * than the first check. */
CASE_IN(malformed, frames_with_bytes_changed_at_random, web_world, ALL_PLANS | OWN_PORTS)
{
	struct sample sample[SAMPLES_MAX];
	unsigned count = samples_make(gateway, sample);
	unsigned seed = 20221111;

	fprintf(stderr, "seed %u\n", seed);
	for (unsigned n = 0; n < 12000; n++) {
		const struct sample *from = &sample[(unsigned)rand_r(&seed) % count];
		struct frame frame = from->frame;
		uint16_t inner = from->port == UNDERLAY && frame.length > 70 ? 64 : 14;
		char what[96];

		for (int bytes = 1 + rand_r(&seed) % 2; bytes > 0; bytes--)
			frame.bytes[(unsigned)rand_r(&seed) % frame.length] = (uint8_t)rand_r(&seed);
		if (n % 2 == 0 && (frame.bytes[14] & 15) * 4 + 14 <= frame.length) {
			frame_mend_ip(&frame, 14);
			if (inner == 64 && (frame.bytes[64] & 15) * 4 + 64 <= frame.length)
				frame_mend_ip(&frame, 64);
		}
		snprintf(what, sizeof(what), "%s, change %u", from->kind, n);
		send_and_account(gateway, from->port, &frame, what);
		expect_well_formed(gateway, what, true);
		if (n % 200 == 0)
			gateway_advance(gateway, 100);
	}
	expect_well_formed(gateway, "the end", true);
	claim_all_drops(gateway);
}

static void send_spoilt(
	struct gateway *gateway, uint16_t at, uint8_t value, bool mend, enum drop_reason expected)
{
	struct frame frame;

	gateway_host_frame(gateway, "web11",
		&(struct packet){ .to = "198.51.100.7", .from_port = 1, .to_port = 2, .data = 18 }, &frame);
	frame.bytes[at] = value;
	if (mend)
		frame_mend_ip(&frame, at < 50 ? 14 : 64);
	cr_assert(gateway_send(gateway, UNDERLAY, &frame));
	gateway_run(gateway);
	expect_drop(gateway, expected);
}

CASE(malformed, each_fault_of_a_header_has_its_name, web_world)
{
	for (uint16_t ip = 14; ip <= 64; ip = (uint16_t)(ip + 50)) {
		send_spoilt(gateway, ip, 0x65, true, DROP_IPV4_VERSION);
		send_spoilt(gateway, ip, 0x44, true, DROP_IPV4_HEADER_LENGTH);
		send_spoilt(gateway, (uint16_t)(ip + 10), 0x12, false, DROP_IPV4_CHECKSUM);
		send_spoilt(gateway, (uint16_t)(ip + 2), 0x7f, true, DROP_IPV4_TOTAL_LENGTH);
		send_spoilt(gateway, (uint16_t)(ip + 24), 0x7f, false, DROP_UDP_LENGTH);
	}
	send_spoilt(gateway, 38 + 1, 12, false, DROP_VXLAN_TRUNCATED);
}

CASE(malformed, each_cut_has_its_name, web_world)
{
	static const struct {
		uint16_t length; /* of the inner frame */
		enum drop_reason reason;
	} cut[] = { { 13, DROP_ETHERNET_TRUNCATED }, { 14, DROP_IPV4_TRUNCATED }, { 33, DROP_IPV4_TRUNCATED },
		{ 34, DROP_IPV4_TOTAL_LENGTH } };
	struct packet packet = {
		.to = "198.51.100.7", .from_port = 1, .to_port = 2, .protocol = 6, .tcp = "S"
	};
	struct frame whole, inner;

	gateway_host_frame(gateway, "web11", &packet, &whole);
	memcpy(inner.bytes, &whole.bytes[50], (size_t)(whole.length - 50));
	for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
		inner.length = cut[i].length;
		gateway_host_sends_frame(gateway, "web11", &inner);
		gateway_run(gateway);
		expect_drop(gateway, cut[i].reason);
	}
	inner.length = 34 + 19; /* TCP without its last byte */
	frame_put16(&inner, 16, 39);
	frame_mend_ip(&inner, 14);
	gateway_host_sends_frame(gateway, "web11", &inner);
	gateway_run(gateway);
	expect_drop(gateway, DROP_L4_TRUNCATED);
	inner.length = 34 + 20;
	frame_put16(&inner, 16, 40);
	frame_mend_ip(&inner, 14);
	inner.bytes[34 + 12] = 4 << 4;
	gateway_host_sends_frame(gateway, "web11", &inner);
	gateway_run(gateway);
	expect_drop(gateway, DROP_TCP_HEADER_LENGTH);
}
