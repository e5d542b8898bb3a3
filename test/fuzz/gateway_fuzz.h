/* SPDX-License-Identifier: BSD-3-Clause */
/* What the fuzzers that drive a whole gateway share: it must not crash, must tell of each frame what became of it, and must
 * send nothing malformed. */
#pragma once

#include "../pipeline/gateway.h"

/* What a frame is put right with before it is sent, if a flag says so: a random checksum is right once in 65,536 times. */
enum {
	FUZZ_UPLINK = 1,     /* it comes in by the uplink, else by the underlay */
	FUZZ_MEND = 2,       /* its IP header checksum is put right */
	FUZZ_MEND_INNER = 4, /* that of the packet inside VXLAN too */
};

/* The gateway of web_world, on one lcore or on two that own half of the flows each. */
struct gateway *fuzz_gateway(enum gateway_plan plan);

/* Sends the frame and runs; aborts when it has none or several ends. */
void fuzz_frame(struct gateway *gateway, uint16_t port, struct frame *frame);
void fuzz_mend_ip(struct frame *frame, uint16_t ip); /* nothing when the header is not whole */
/* Takes all that has left, hands it to `see` (or NULL), and aborts at what is malformed. `strict`: also at what a gateway
 * leaves for the receiver to find. */
void fuzz_outputs(struct gateway *gateway, bool strict,
	void (*see)(uint16_t port, const struct frame *frame, const struct frame_view *view));
/* One step in time, however long. */
void fuzz_time(struct gateway *gateway, uint64_t ms);

/* Sends what must get through, and takes what comes out of it at the other port. */
void fuzz_passes(struct gateway *gateway, const char *host, const struct packet *packet, struct frame *out);
