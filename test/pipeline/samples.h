/* SPDX-License-Identifier: BSD-3-Clause */
/* Valid frames of every kind that the gateway handles: what malformed ones, and the corpus of the fuzzer, start from. */
#pragma once

#include "gateway.h"

struct sample {
	const char *kind;
	uint16_t port;
	struct frame frame;
};
#define SAMPLES_MAX 24

/* Of web_world, where "web11" has bindings for UDP, TCP and ping (made here). Returns how many. */
unsigned samples_make(struct gateway *gateway, struct sample samples[SAMPLES_MAX]);
