/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline_case.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

void expect_frame_here(const char *file, int line, struct gateway *gateway, uint16_t port,
	const char *pattern, struct frame *frame)
{
	char text[FRAME_TEXT];
	struct frame got;

	if (!gateway_receive(gateway, port, &got)) {
		char drops[512] = "";
		for (int i = 0; i < DROP_REASONS; i++)
			if (gateway_drops(gateway, (enum drop_reason)i) != gateway->drops_claimed[i])
				snprintf(drops + strlen(drops), sizeof(drops) - strlen(drops), " %s",
					drop_reason_text[i].name);
		cr_assert_fail("%s:%d: [%s] nothing left by port %u, expected \"%s\"; unexpected drops:%s",
			file, line, gateway_plan_name[gateway->plan], port, pattern, drops);
	}
	cr_assert(frame_matches(&got, pattern), "%s:%d: [%s] port %u: \"%s\", expected \"%s\"", file, line,
		gateway_plan_name[gateway->plan], port, frame_text(&got, text), pattern);
	if (frame != NULL)
		*frame = got;
}

static const struct host *vtep_of(struct gateway *gateway, const struct host *host)
{
	for (int i = 0; i < HOSTS_MAX; i++)
		if (gateway->host[i].name != NULL && gateway->host[i].vni == 0 &&
			strcmp(gateway->host[i].ip, host->vtep) == 0)
			return &gateway->host[i];
	cr_assert_fail("no VTEP %s", host->vtep);
	return NULL;
}

void expect_at_here(const char *file, int line, struct gateway *gateway, const char *name,
	const char *pattern, struct frame *frame)
{
	const struct host *host = gateway_host(gateway, name);
	char whole[FRAME_TEXT], gateway_mac[18];
	uint16_t port = host->port;

	if (host->vni == 0) {
		snprintf(whole, sizeof(whole), "%s > %s | %s", gateway_port_mac(port), host->mac, pattern);
	} else {
		const struct host *vtep = vtep_of(gateway, host);
		port = vtep->port;
		gateway_segment_mac(gateway, host->vni, gateway_mac);
		snprintf(whole, sizeof(whole),
			"%s > %s | vxlan %u 192.0.2.1:* > %s:4789 ttl 64 df | %s > %s | %s",
			gateway_port_mac(port), vtep->mac, host->vni, vtep->ip, gateway_mac, host->mac,
			pattern);
	}
	expect_frame_here(file, line, gateway, port, whole, frame);
}

void expect_silence_here(const char *file, int line, struct gateway *gateway)
{
	char text[FRAME_TEXT];
	struct frame frame;

	for (uint16_t port = 0; port < gateway->config->port_count; port++)
		if (gateway_receive(gateway, port, &frame))
			cr_assert_fail("%s:%d: [%s] port %u: unexpected \"%s\"", file, line,
				gateway_plan_name[gateway->plan], port, frame_text(&frame, text));
}

void expect_drops_here(
	const char *file, int line, struct gateway *gateway, enum drop_reason reason, uint64_t count)
{
	uint64_t since = gateway_drops(gateway, reason) - gateway->drops_claimed[reason];

	cr_assert_eq(since, count, "%s:%d: [%s] %lu dropped as %s, expected %lu", file, line,
		gateway_plan_name[gateway->plan], since, drop_reason_text[reason].name, count);
	gateway->drops_claimed[reason] += count;
}

void pipeline_case_run(const struct pipeline_case *which, enum gateway_plan plan, bool normalised,
	struct gateway_transcript **transcript, uint64_t drops[DROP_REASONS])
{
	struct gateway *gateway = gateway_create(which->world, plan);

	which->run(gateway);
	gateway_run(gateway);
	expect_silence_here(which->name, 0, gateway);
	for (int i = 0; i < DROP_REASONS; i++) {
		uint64_t count = gateway_drops(gateway, (enum drop_reason)i);
		cr_assert_eq(count, gateway->drops_claimed[i], "%s [%s]: %lu unexpected drops: %s",
			which->name, gateway_plan_name[plan], count - gateway->drops_claimed[i],
			drop_reason_text[i].name);
		if (drops != NULL)
			drops[i] += count;
	}
	if (transcript != NULL)
		*transcript = gateway_take_transcript(gateway, normalised);
	unsigned lost = gateway_destroy(gateway);
	cr_assert_eq(lost, 0, "%s [%s]: %u packet buffers lost", which->name, gateway_plan_name[plan], lost);
}

static struct frame_view view_of(const struct frame *frame)
{
	struct frame_view view;

	frame_check(frame, 4789, &view);
	return view;
}

uint16_t frame_from_port(const struct frame *frame)
{
	return frame_get16(frame, view_of(frame).l4);
}

uint16_t frame_icmp_id(const struct frame *frame)
{
	return frame_get16(frame, (uint16_t)(view_of(frame).l4 + 4));
}

uint32_t frame_from_address(const struct frame *frame)
{
	return frame_get32(frame, (uint16_t)(view_of(frame).ip + 12));
}

uint16_t frame_outer_port(const struct frame *frame)
{
	return frame_get16(frame, view_of(frame).outer_udp);
}
