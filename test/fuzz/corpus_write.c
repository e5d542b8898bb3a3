/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes the seeds of the fuzzer, one file a kind of frame, into the folder that is given. */
#include "../pipeline/samples.h"
#include "../pipeline/worlds.h"
#include "gateway_fuzz.h"

#include <stdio.h>

int main(int argc, char **argv)
{
	struct sample sample[SAMPLES_MAX];

	if (argc != 2) {
		fprintf(stderr, "usage: corpus_write FOLDER\n");
		return 2;
	}
	struct gateway *gateway = gateway_create(&web_world, PLAN_FUSED);
	unsigned count = samples_make(gateway, sample);
	for (unsigned i = 0; i < count; i++) {
		const struct frame *frame = &sample[i].frame;
		char path[256];

		snprintf(path, sizeof(path), "%s/frame-%02u", argv[1], i);
		FILE *out = fopen(path, "w");
		if (out == NULL) {
			perror(path);
			return 1;
		}
		fputc(FUZZ_MEND | FUZZ_MEND_INNER | (sample[i].port == UPLINK ? FUZZ_UPLINK : 0), out);
		fputc(frame->length >> 8, out);
		fputc(frame->length & 0xff, out);
		fwrite(frame->bytes, 1, frame->length, out);
		fclose(out);
	}
	gateway_destroy(gateway);
	return 0;
}
