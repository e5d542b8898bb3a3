/* SPDX-License-Identifier: BSD-3-Clause */
/* A test of the pipeline: a world, what is sent into it, and what is expected to come out. Each case is a Criterion
 * test of its own, on the fused plan, and is run again by plans_test.c on every other plan.
 *
 *      CASE(nat, a_reply_finds_its_way_back, web_world)
 *      {
 *              gateway_host_sends(gateway, "web11", &(struct packet){.to = "198.51.100.7", ...});
 *              gateway_run(gateway);
 *              expect_at(gateway, "router", "udp 203.0.113.10:* > 198.51.100.7:53 ttl 63 data 18");
 *      }
 *
 * At its end nothing may be left unread on any port, every drop must have been expected, and no buffer may be lost. */
#pragma once

#include "gateway.h"
#include <criterion/criterion.h>

struct pipeline_case {
	const char *suite, *name;
	const struct world *world;
	unsigned plans; /* bit mask of enum gateway_plan, and OWN_PORTS */
	void (*run)(struct gateway *gateway);
};
/* The linker collects them. */
extern const struct pipeline_case *const __start_pipeline_cases[], *const __stop_pipeline_cases[];

/* Runs the case in one plan. The transcript of all that left is returned when `transcript` is not NULL; the drops
 * that occurred are added to `drops`, if not NULL. */
void pipeline_case_run(const struct pipeline_case *which, enum gateway_plan plan, bool normalised,
	struct gateway_transcript **transcript, uint64_t drops[DROP_REASONS]);

#define ALL_PLANS ((1u << PLANS) - 1)
/* Beside the plans: what the case sends depends on the public ports in other ways than to answer to them, so that it
 * cannot be compared between plans that differ in owners. */
#define OWN_PORTS (1u << PLANS)

#define CASE_IN(in_suite, case_name, of_world, in_plans)                                                     \
	static void in_suite##_##case_name(struct gateway *gateway);                                         \
	static const struct pipeline_case case_##in_suite##_##case_name = { #in_suite, #case_name,           \
		&(of_world), in_plans, in_suite##_##case_name };                                             \
	static const struct pipeline_case *const entry_##in_suite##_##case_name                              \
		__attribute__((section("pipeline_cases"), used)) = &case_##in_suite##_##case_name;           \
	Test(in_suite, case_name)                                                                            \
	{                                                                                                    \
		enum gateway_plan first = (enum gateway_plan)__builtin_ctz(in_plans);                        \
		pipeline_case_run(&case_##in_suite##_##case_name, first, false, NULL, NULL);                 \
	}                                                                                                    \
	static void in_suite##_##case_name(struct gateway *gateway)

#define CASE(in_suite, case_name, of_world) CASE_IN(in_suite, case_name, of_world, ALL_PLANS)

/* The next frame on the port matches the pattern (frame_text); it is returned in `frame` if that is not NULL. */
void expect_frame_here(const char *file, int line, struct gateway *gateway, uint16_t port,
	const char *pattern, struct frame *frame);
#define expect_frame(gateway, port, pattern, frame)                                                          \
	expect_frame_here(__FILE__, __LINE__, gateway, port, pattern, frame)
/* The next frame on the host's port is one that reaches the host, with everything before the IP header as it should
 * be, and the rest matches the pattern. */
void expect_at_here(const char *file, int line, struct gateway *gateway, const char *host,
	const char *pattern, struct frame *frame);
#define expect_at(gateway, host, pattern) expect_at_here(__FILE__, __LINE__, gateway, host, pattern, NULL)
#define expect_at_taking(gateway, host, pattern, frame)                                                      \
	expect_at_here(__FILE__, __LINE__, gateway, host, pattern, frame)
/* No frame waits on any port. */
void expect_silence_here(const char *file, int line, struct gateway *gateway);
#define expect_silence(gateway) expect_silence_here(__FILE__, __LINE__, gateway)
/* Since the last look, so many packets were dropped for this reason (others are looked at by themselves). */
void expect_drops_here(
	const char *file, int line, struct gateway *gateway, enum drop_reason reason, uint64_t count);
#define expect_drops(gateway, reason, count) expect_drops_here(__FILE__, __LINE__, gateway, reason, count)
#define expect_drop(gateway, reason)         expect_drops(gateway, reason, 1)

/* Fields of a frame that came out, host byte order. Tunnelled ones: of the inner packet. */
uint16_t frame_from_port(const struct frame *frame);
uint16_t frame_icmp_id(const struct frame *frame);
uint32_t frame_from_address(const struct frame *frame);
uint16_t frame_outer_port(const struct frame *frame); /* UDP source port of the tunnel */
