/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of any kind into a whole gateway: it must not crash, must tell of each frame what became of it, and must send
 * nothing malformed.
 *
 * An input is a row of frames, each behind three bytes: flags (FUZZ_*) and the length, high byte first. */
#include "../pipeline/samples.h"
#include "gateway_fuzz.h"

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
	gateway = fuzz_gateway(PLAN_FUSED);
	samples_make(gateway, sample); /* so that there are sessions to hit */
	return 0;
}

static void frame_run(struct frame *frame, uint8_t flags)
{
	if (flags & FUZZ_MEND_INNER)
		fuzz_mend_ip(frame, 64);
	if (flags & FUZZ_MEND)
		fuzz_mend_ip(frame, 14);
	fuzz_frame(gateway, flags & FUZZ_UPLINK ? UPLINK : UNDERLAY, frame);
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
	fuzz_outputs(gateway, false, NULL);
	gateway_advance(gateway, inputs++ % 1000 == 0 ? 1000 : 1);
	fuzz_outputs(gateway, false, NULL);
	return 0;
}
