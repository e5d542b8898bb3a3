/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of any kind into a whole gateway: it must not crash, must tell of each frame what became of it, and must send
 * nothing malformed.
 *
 * An input is a row of frames, each behind three bytes: flags (FUZZ_*) and the length, high byte first. */
#include "packet_fuzz.h"
#include "../pipeline/gateway.h"
#include "../pipeline/samples.h"
#include "../pipeline/worlds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX 8

static struct gateway *gateway;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct sample sample[SAMPLES_MAX];

	(void)argc;
	(void)argv;
	gateway = gateway_create(&web_world, PLAN_FUSED);
	samples_make(gateway, sample); /* so that there are sessions to hit */
	return 0;
}

/* A random checksum is right once in 65,536 times. */
static void mend(struct frame *frame, uint16_t ip)
{
	if (frame->length >= ip + 20 && ip + (frame->bytes[ip] & 15) * 4 <= frame->length)
		frame_mend_ip(frame, ip);
}

static void frame_run(struct frame *frame, uint8_t flags)
{
	uint64_t before = gateway_ends(gateway);

	if (flags & FUZZ_MEND_INNER)
		mend(frame, 64);
	if (flags & FUZZ_MEND)
		mend(frame, 14);
	if (!gateway_send(gateway, flags & FUZZ_UPLINK ? UPLINK : UNDERLAY, frame))
		abort();
	gateway_run_lcores(gateway);
	uint64_t ends = gateway_ends(gateway) - before;
	if (ends != 1) {
		fprintf(stderr, "one frame had %lu ends\n", ends);
		abort();
	}
	gateway_run(gateway);
}

static void outputs_check(void)
{
	struct frame_view view;
	struct frame frame;
	char text[FRAME_TEXT];

	for (uint16_t port = 0; port < gateway->config->port_count; port++) {
		while (gateway_receive(gateway, port, &frame)) {
			const char *wrong = frame_check(&frame, port == UNDERLAY ? 4789 : 0, &view);
			if (wrong == NULL || frame_fault_is_end_to_end(wrong))
				continue;
			fprintf(stderr, "left malformed: %s: %s\n", wrong, frame_text(&frame, text));
			abort();
		}
	}
	gateway_forget_output(gateway);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned inputs;

	for (int n = 0; n < FRAMES_MAX && size >= 3; n++) {
		struct frame frame = { .length = (uint16_t)(data[1] << 8 | data[2]) };
		uint8_t flags = data[0];

		data += 3;
		size -= 3;
		if (frame.length > size)
			frame.length = (uint16_t)size;
		if (frame.length > 1600)
			frame.length = 1600;
		memcpy(frame.bytes, data, frame.length);
		data += frame.length;
		size -= frame.length;
		frame_run(&frame, flags);
	}
	outputs_check();
	gateway_advance(gateway, inputs++ % 1000 == 0 ? 1000 : 1);
	outputs_check();
	return 0;
}
