/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway_fuzz.h"
#include "../pipeline/worlds.h"

#include <stdio.h>
#include <stdlib.h>

#define VXLAN_PORT 4789

/* A leak checker does not look into the memory of rte_malloc, and takes what only that refers to for lost. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

struct gateway *fuzz_gateway(enum gateway_plan plan)
{
	return gateway_create(&web_world, plan);
}

void fuzz_mend_ip(struct frame *frame, uint16_t ip)
{
	if (frame->length >= ip + 20 && ip + (frame->bytes[ip] & 15) * 4 <= frame->length)
		frame_mend_ip(frame, ip);
}

void fuzz_frame(struct gateway *gateway, uint16_t port, struct frame *frame)
{
	uint64_t before = gateway_ends(gateway);

	if (!gateway_send(gateway, port, frame))
		abort();
	gateway_run_lcores(gateway);
	uint64_t ends = gateway_ends(gateway) - before;
	if (ends != 1) {
		fprintf(stderr, "one frame had %lu ends\n", ends);
		abort();
	}
	gateway_run(gateway);
}

/* Datagrams to the VXLAN port that the gateway only forwards may hold anything: those that come from its own VTEP address
 * are tunnels. */
static uint16_t vxlan_port(const struct gateway *gateway, uint16_t port, const struct frame *frame)
{
	return port == UNDERLAY && rte_cpu_to_be_32(frame_get32(frame, 26)) == gateway->plane->vtep_address
		       ? VXLAN_PORT
		       : 0;
}

void fuzz_outputs(struct gateway *gateway, bool strict,
	void (*see)(uint16_t port, const struct frame *frame, const struct frame_view *view))
{
	struct frame_view view;
	struct frame frame;
	char text[FRAME_TEXT];

	for (uint16_t port = 0; port < gateway->config->port_count; port++) {
		while (gateway_receive(gateway, port, &frame)) {
			const char *wrong = frame_check(&frame, vxlan_port(gateway, port, &frame), &view);
			if (wrong != NULL && (strict || !frame_fault_is_end_to_end(wrong))) {
				fprintf(stderr, "left malformed: %s: %s\n", wrong, frame_text(&frame, text));
				abort();
			}
			if (see != NULL)
				see(port, &frame, &view);
		}
	}
	gateway_forget_output(gateway);
}

void fuzz_time(struct gateway *gateway, uint64_t ms)
{
	gateway->now_ns += ms * NS_PER_MS;
	gateway_run(gateway);
}

void fuzz_passes(struct gateway *gateway, const char *host, const struct packet *packet, struct frame *out)
{
	struct frame frame;

	gateway_host_frame(gateway, host, packet, &frame);
	fuzz_frame(gateway, gateway_host(gateway, host)->vni != 0 ? UNDERLAY : UPLINK, &frame);
	for (uint16_t port = 0; port < gateway->config->port_count; port++)
		if (gateway_receive(gateway, port, out)) {
			gateway_forget_output(gateway);
			return;
		}
	fprintf(stderr, "what %s sent did not get through\n", host);
	abort();
}
