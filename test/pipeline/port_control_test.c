/* SPDX-License-Identifier: BSD-3-Clause */
/* A workload opens a public port for itself: PCP (RFC 6887) and NAT-PMP (RFC 6886). Hosts of segment web may open two of
 * their ports 1024 to 9999. */
#include "pipeline_case.h"
#include "worlds.h"

#include <stdio.h>
#include <string.h>

enum { MESSAGE = 42, TCP = 6, UDP = 17 };
enum { ANNOUNCE, MAP, PEER };
enum {
	SUCCESS,
	UNSUPP_VERSION,
	NOT_AUTHORIZED,
	MALFORMED_REQUEST,
	UNSUPP_OPCODE,
	UNSUPP_OPTION,
	MALFORMED_OPTION,
	UNSUPP_PROTOCOL = 9,
	USER_EX_QUOTA,
	CANNOT_PROVIDE_EXTERNAL,
	ADDRESS_MISMATCH
};

struct ask {
	const char *host, *address; /* NULL: web11; its own */
	uint8_t version_from_2;     /* added to the version */
	uint8_t opcode, protocol, nonce;
	uint16_t port, wanted, remote_port;
	uint32_t lifetime;
	uint8_t option, option_length;
	bool with_option;
	uint16_t length; /* 0: as the opcode needs */
};

static void v4_mapped(struct frame *frame, uint16_t at, const char *address)
{
	frame_put32(frame, (uint16_t)(at + 8), 0xffff);
	frame_put32(frame, (uint16_t)(at + 12), ipv4_from_text(address));
}

/* Asks, and takes the response. Its result. */
static uint8_t pcp(struct gateway *gateway, struct ask ask, struct frame *response)
{
	const char *host = ask.host != NULL ? ask.host : "web11";
	const char *address = gateway_host(gateway, host)->ip;
	uint16_t length = (uint16_t)(24 + (ask.opcode == MAP ? 36 : ask.opcode == PEER ? 56 : 0));
	uint16_t option = (uint16_t)(MESSAGE + length);
	char mac[18], pattern[64];
	struct frame frame;

	length = (uint16_t)(length + (ask.with_option ? 4 : 0));
	length = ask.length != 0 ? ask.length : length;
	gateway_segment_mac(gateway, 5001, mac);
	frame_build(&frame, &(struct packet){ .mac_to = mac,
				    .mac_from = gateway_host(gateway, host)->mac,
				    .from = address,
				    .to = "10.0.1.1",
				    .from_port = 40000,
				    .to_port = 5351,
				    .data = length });
	memset(frame.bytes + MESSAGE, 0, length);
	frame.bytes[MESSAGE] = (uint8_t)(2 + ask.version_from_2);
	frame.bytes[MESSAGE + 1] = ask.opcode;
	frame_put32(&frame, MESSAGE + 4, ask.lifetime);
	v4_mapped(&frame, MESSAGE + 8, ask.address != NULL ? ask.address : address);
	memset(frame.bytes + MESSAGE + 24, ask.nonce, ask.opcode != ANNOUNCE && length >= 36 ? 12 : 0);
	if (ask.opcode == MAP || ask.opcode == PEER) {
		frame.bytes[MESSAGE + 36] = ask.protocol;
		frame_put16(&frame, MESSAGE + 40, ask.port);
		frame_put16(&frame, MESSAGE + 42, ask.wanted);
	}
	if (ask.opcode == PEER) {
		frame_put16(&frame, MESSAGE + 60, ask.remote_port);
		v4_mapped(&frame, MESSAGE + 64, "198.51.100.7");
	}
	if (ask.with_option) {
		frame.bytes[option] = ask.option;
		frame_put16(&frame, (uint16_t)(option + 2), ask.option_length);
	}
	frame_mend_l4(&frame, 14);
	gateway_host_sends_frame(gateway, host, &frame);
	gateway_run(gateway);
	snprintf(pattern, sizeof(pattern), "udp 10.0.1.1:5351 > %s:40000 ttl 64 data *", address);
	expect_at_taking(gateway, host, pattern, response);
	return response->bytes[50 + MESSAGE + 3];
}

static uint16_t public_port(const struct frame *response)
{
	return frame_get16(response, 50 + MESSAGE + 42);
}

static uint32_t lifetime(const struct frame *response)
{
	return frame_get32(response, 50 + MESSAGE + 4);
}

static void stranger_calls(struct gateway *gateway, uint16_t port)
{
	gateway_host_sends(gateway, "router",
		&(struct packet){ .from = "198.51.100.99",
			.to = "203.0.113.10",
			.from_port = 5000,
			.to_port = port,
			.data = 20 });
	gateway_run(gateway);
}

static const struct ask web_server = {
	.opcode = MAP, .protocol = UDP, .nonce = 7, .port = 8080, .wanted = 18080, .lifetime = 600
};

/* Conforms: RFC 6887 section 11.3, RFC 6887 section 15, RFC 4787 REQ-1, RFC 6888 REQ-9. */
CASE(port_control, a_workload_opens_a_port_that_anyone_reaches_until_its_time_is_over, services_world)
{
	struct frame response;

	cr_assert_eq(pcp(gateway, web_server, &response), SUCCESS);
	stranger_calls(gateway, public_port(&response));
	cr_assert_eq(lifetime(&response), 600);
	expect_at(gateway, "web11", "udp 198.51.100.99:5000 > 10.0.1.11:8080 ttl 63 data 20");
	/* Outward by the same public endpoint. */
	gateway_host_sends(gateway, "web11",
		&(struct packet){ .to = "198.51.100.7", .from_port = 8080, .to_port = 53, .data = 9 });
	gateway_run(gateway);
	struct frame out;
	expect_at_taking(gateway, "router", "udp 203.0.113.10:* > 198.51.100.7:53 ttl 63 data 9", &out);
	cr_assert_eq(frame_from_port(&out), public_port(&response));
	/* Idle for longer than a session lives. */
	gateway_advance(gateway, 590 * 1000);
	stranger_calls(gateway, public_port(&response));
	expect_at(gateway, "web11", "udp 198.51.100.99:5000 > 10.0.1.11:8080 ttl 63 data 20");
	gateway_advance(gateway, 400 * 1000);
	stranger_calls(gateway, public_port(&response));
	expect_drop(gateway, DROP_NAT_NO_BINDING);
}

/* Conforms: RFC 6887 section 15.1, RFC 6887 section 11.3, RFC 6888 REQ-9. */
CASE(port_control, whoever_opened_a_port_can_prolong_and_close_it_and_nobody_else, services_world)
{
	struct frame response;
	struct ask ask = web_server;

	cr_assert_eq(pcp(gateway, ask, &response), SUCCESS);
	uint16_t port = public_port(&response);
	ask.lifetime = 100000;
	cr_assert_eq(pcp(gateway, ask, &response), SUCCESS);
	cr_assert_eq(public_port(&response), port);
	cr_assert_eq(lifetime(&response), 7200, "the policy's most");
	ask.nonce = 8;
	cr_assert_eq(pcp(gateway, ask, &response), NOT_AUTHORIZED);
	ask.lifetime = 0;
	cr_assert_eq(pcp(gateway, ask, &response), NOT_AUTHORIZED);
	ask.nonce = 7;
	cr_assert_eq(pcp(gateway, ask, &response), SUCCESS);
	cr_assert_eq(lifetime(&response), 0);
	stranger_calls(gateway, port);
	expect_drop(gateway, DROP_NAT_NO_BINDING);
}

CASE_IN(port_control, a_port_that_an_operator_closed_is_closed_and_can_be_opened_anew, services_world,
	ALL_PLANS | OWN_PORTS)
{
	struct ask ask = web_server;
	struct frame response;

	cr_assert_eq(pcp(gateway, ask, &response), SUCCESS);
	uint16_t port = public_port(&response);
	ask.port = 8081;
	ask.wanted = 0;
	cr_assert_eq(pcp(gateway, ask, &response), SUCCESS);
	ask.port = 8082;
	cr_assert_eq(pcp(gateway, ask, &response), USER_EX_QUOTA);
	cr_assert_eq(gateway_clear(gateway, rte_cpu_to_be_32(ipv4_from_text("10.0.1.11"))), 2);
	stranger_calls(gateway, port);
	expect_drop(gateway, DROP_NAT_NO_BINDING);
	cr_assert_eq(pcp(gateway, ask, &response), SUCCESS, "two more, as if there had been none");
	ask.port = 8080;
	ask.nonce = 8;
	cr_assert_eq(pcp(gateway, ask, &response), SUCCESS, "and by whoever asks first");
	cr_assert_eq(public_port(&response), port, "at the place where it was");
	stranger_calls(gateway, public_port(&response));
	expect_at(gateway, "web11", "udp 198.51.100.99:5000 > 10.0.1.11:8080 ttl 63 data 20");
	ask.port = 8083;
	cr_assert_eq(pcp(gateway, ask, &response), USER_EX_QUOTA);
}

/* Conforms: RFC 6888 REQ-8. */
CASE_IN(port_control, a_host_that_opens_and_closes_ports_in_a_loop_takes_no_more_than_its_limit,
	services_world, ALL_PLANS | OWN_PORTS)
{
	const struct ask all = { .opcode = MAP, .nonce = 7 };
	struct ask ask = web_server;
	struct frame response;

	cr_assert_eq(pcp(gateway, ask, &response), SUCCESS);
	uint16_t port = public_port(&response);
	ask.port = 8081;
	ask.wanted = 0;
	cr_assert_eq(pcp(gateway, ask, &response), SUCCESS);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(pcp(gateway, all, &response), SUCCESS);
		stranger_calls(gateway, port);
		expect_drop(gateway, DROP_NAT_NO_BINDING);
		ask.port = 8082;
		cr_assert_eq(pcp(gateway, ask, &response), USER_EX_QUOTA);
		ask.port = 8080;
		cr_assert_eq(pcp(gateway, ask, &response), SUCCESS, "round %d", i);
		cr_assert_eq(public_port(&response), port, "its own comes back out of its rest");
	}
	stranger_calls(gateway, port);
	expect_at(gateway, "web11", "udp 198.51.100.99:5000 > 10.0.1.11:8080 ttl 63 data 20");
	gateway_advance(gateway, 185 * 1000); /* 8081 has rested */
	ask.port = 8082;
	cr_assert_eq(pcp(gateway, ask, &response), SUCCESS);
}

/* Conforms: RFC 6887 section 15.1. */
CASE(port_control, a_forward_of_the_configuration_is_told_and_stays_open, services_world)
{
	struct ask ask = {
		.host = "web12", .opcode = MAP, .protocol = UDP, .nonce = 7, .port = 7000, .lifetime = 600
	};
	struct frame response;

	cr_assert_eq(pcp(gateway, ask, &response), SUCCESS);
	cr_assert_eq(public_port(&response), 700);
	ask.lifetime = 0;
	cr_assert_eq(pcp(gateway, ask, &response), NOT_AUTHORIZED);
	stranger_calls(gateway, 700);
	expect_at(gateway, "web12", "udp 198.51.100.99:5000 > 10.0.1.12:7000 ttl 63 data 20");
}

/* Conforms: RFC 6887 section 15.1. */
CASE(port_control, a_host_closes_all_its_ports_of_all_protocols_at_once, services_world)
{
	struct ask ask = web_server;
	struct frame response;

	cr_assert_eq(pcp(gateway, ask, &response), SUCCESS);
	uint16_t port = public_port(&response);
	cr_assert_eq(pcp(gateway, (struct ask){ .opcode = MAP, .nonce = 7 }, &response), SUCCESS);
	stranger_calls(gateway, port);
	expect_drop(gateway, DROP_NAT_NO_BINDING);
	cr_assert_eq(gateway_sessions(gateway), 0);
}

/* Conforms: RFC 6887 section 7.4, RFC 6887 section 8.2, RFC 6887 section 9, RFC 6887 section 13. */
CASE_IN(port_control, each_mistake_has_its_result_code, services_world, ALL_PLANS | OWN_PORTS)
{
	const struct {
		struct ask ask;
		uint8_t result;
	} wrong[] = {
		{ { .opcode = ANNOUNCE }, SUCCESS },
		{ { .opcode = ANNOUNCE, .version_from_2 = 1 }, UNSUPP_VERSION },
		{ { .opcode = 9 }, UNSUPP_OPCODE },
		{ { .opcode = ANNOUNCE, .address = "10.0.1.99" }, ADDRESS_MISMATCH },
		{ { .opcode = MAP, .protocol = UDP, .port = 2000, .lifetime = 600, .length = 44 },
			MALFORMED_REQUEST },
		{ { .opcode = MAP, .protocol = 132, .port = 2000, .lifetime = 600 }, UNSUPP_PROTOCOL },
		{ { .opcode = MAP, .port = 2000, .lifetime = 600 }, MALFORMED_REQUEST },
		{ { .opcode = MAP, .protocol = UDP, .lifetime = 600 }, UNSUPP_PROTOCOL },
		{ { .opcode = MAP, .protocol = UDP, .port = 80, .lifetime = 600 }, NOT_AUTHORIZED },
		{ { .opcode = MAP,
			  .protocol = UDP,
			  .port = 2000,
			  .lifetime = 600,
			  .with_option = true,
			  .option = 1 },
			UNSUPP_OPTION },
		{ { .opcode = MAP,
			  .protocol = UDP,
			  .port = 2000,
			  .lifetime = 600,
			  .with_option = true,
			  .option = 3 },
			UNSUPP_OPTION },
		{ { .opcode = MAP,
			  .protocol = UDP,
			  .port = 2000,
			  .lifetime = 600,
			  .with_option = true,
			  .option = 2,
			  .option_length = 4 },
			MALFORMED_OPTION },
		{ { .opcode = MAP,
			  .protocol = UDP,
			  .port = 2000,
			  .lifetime = 600,
			  .with_option = true,
			  .option = 200 },
			SUCCESS },
		/* 80 is none of the pool's */
		{ { .opcode = MAP,
			  .protocol = UDP,
			  .port = 2001,
			  .wanted = 80,
			  .lifetime = 600,
			  .with_option = true,
			  .option = 2 },
			CANNOT_PROVIDE_EXTERNAL },
		{ { .opcode = MAP, .protocol = TCP, .port = 2002, .lifetime = 600 }, SUCCESS },
		{ { .opcode = MAP, .protocol = TCP, .port = 2003, .lifetime = 600 }, USER_EX_QUOTA },
	};
	struct frame response;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_assert_eq(pcp(gateway, wrong[i].ask, &response), wrong[i].result, "case %zu: %u", i,
			response.bytes[50 + MESSAGE + 3]);
}

/* Conforms: RFC 6887 section 12.3. */
CASE(port_control, peer_opens_a_session_ahead_of_its_first_packet, services_world)
{
	struct frame response;

	cr_assert_eq(pcp(gateway,
			     (struct ask){ .opcode = PEER,
				     .protocol = UDP,
				     .nonce = 1,
				     .port = 3000,
				     .remote_port = 99,
				     .lifetime = 600 },
			     &response),
		SUCCESS);
	cr_assert_eq(lifetime(&response), 300, "as long as a session without packets");
	gateway_host_sends(gateway, "router",
		&(struct packet){ .from = "198.51.100.7",
			.to = "203.0.113.10",
			.from_port = 99,
			.to_port = public_port(&response),
			.data = 20 });
	gateway_run(gateway);
	expect_at(gateway, "web11", "udp 198.51.100.7:99 > 10.0.1.11:3000 ttl 63 data 20");
	stranger_calls(gateway, public_port(&response));
	expect_drop(gateway, DROP_NAT_FILTERED);
}

/* Conforms: RFC 6887 section 7.4. */
CASE(port_control, peer_gets_the_port_that_it_wants_or_none_but_keeps_the_one_it_has, services_world)
{
	struct ask ask = {
		.opcode = PEER, .protocol = UDP, .nonce = 1, .port = 3000, .remote_port = 99, .lifetime = 600
	};
	struct frame response;

	ask.wanted = 80; /* not of the pool */
	cr_assert_eq(pcp(gateway, ask, &response), CANNOT_PROVIDE_EXTERNAL);
	cr_assert_eq(gateway_sessions(gateway), 0);
	ask.wanted = 0;
	cr_assert_eq(pcp(gateway, ask, &response), SUCCESS);
	uint16_t has = public_port(&response);
	ask.wanted = 80;
	ask.remote_port = 98;
	cr_assert_eq(pcp(gateway, ask, &response), SUCCESS);
	cr_assert_eq(public_port(&response), has);
	cr_assert_eq(gateway_sessions(gateway), 2);
}

/* Conforms: RFC 6886 section 3.2, RFC 6886 section 3.3, RFC 6886 section 3.4, RFC 6886 section 3.5. */
CASE(port_control, a_client_of_nat_pmp_is_served_too, services_world)
{
	static const struct {
		uint8_t request[12], length;
		const char *pattern;
		uint8_t result;
	} step[] = {
		{ { 0, 0 }, 2, "udp 10.0.1.1:5351 > 10.0.1.11:40000 ttl 64 data 12", 0 },
		{ { 0, 1, 0, 0, 0x1f, 0x90, 0x1f, 0x90, 0, 0, 2, 0x58 }, 12,
			"udp 10.0.1.1:5351 > 10.0.1.11:40000 ttl 64 data 16", 0 },
		{ { 0, 2, 0, 0, 0, 80, 0, 80, 0, 0, 2, 0x58 }, 12,
			"udp 10.0.1.1:5351 > 10.0.1.11:40000 ttl 64 data 16", 2 },
		{ { 0, 7 }, 2, "udp 10.0.1.1:5351 > 10.0.1.11:40000 ttl 64 data 8", 5 },
		{ { 0, 1, 0, 0, 0x1f, 0x90, 0, 0, 0, 0, 0, 0 }, 12,
			"udp 10.0.1.1:5351 > 10.0.1.11:40000 ttl 64 data 16", 0 },
	};
	char mac[18];
	struct frame frame, response;

	gateway_segment_mac(gateway, 5001, mac);
	for (size_t i = 0; i < sizeof(step) / sizeof(step[0]); i++) {
		frame_build(&frame, &(struct packet){ .mac_to = mac,
					    .mac_from = "52:54:00:01:00:11",
					    .from = "10.0.1.11",
					    .to = "10.0.1.1",
					    .from_port = 40000,
					    .to_port = 5351,
					    .data = step[i].length });
		memcpy(frame.bytes + MESSAGE, step[i].request, step[i].length);
		frame_mend_l4(&frame, 14);
		gateway_host_sends_frame(gateway, "web11", &frame);
		gateway_run(gateway);
		expect_at_taking(gateway, "web11", step[i].pattern, &response);
		cr_assert_eq(frame_get16(&response, 50 + MESSAGE + 2), step[i].result, "step %zu", i);
	}
	stranger_calls(gateway, 8080);
	expect_drop(gateway, DROP_NAT_NO_BINDING);
}

/* To both VTEPs of the segment, in the words of either protocol. */
static void announced(struct gateway *gateway)
{
	struct frame frame;

	expect_frame(gateway, UNDERLAY,
		"* 192.0.2.11:4789 * > 01:00:5e:00:00:01 | udp 10.0.1.1:5351 > 224.0.0.1:5350 ttl 64 data 24",
		&frame);
	cr_assert_eq(frame.bytes[50 + MESSAGE + 1], 0x80, "an answer to ANNOUNCE");
	cr_assert_eq(frame.bytes[50 + MESSAGE + 3], SUCCESS);
	expect_frame(
		gateway, UNDERLAY, "* 192.0.2.12:4789 * > 01:00:5e:00:00:01 | udp 10.0.1.1:5351 > *", NULL);
	expect_frame(gateway, UNDERLAY,
		"* 192.0.2.11:4789 * > 01:00:5e:00:00:01 | udp 10.0.1.1:5351 > 224.0.0.1:5350 ttl 64 data 12",
		&frame);
	cr_assert_eq(frame_get32(&frame, 50 + MESSAGE), 0x00800000, "NAT-PMP's public address");
	cr_assert_eq(frame_get32(&frame, 50 + MESSAGE + 8), ipv4_from_text("203.0.113.10"));
	expect_frame(
		gateway, UNDERLAY, "* 192.0.2.12:4789 * > 01:00:5e:00:00:01 | udp 10.0.1.1:5351 > *", NULL);
	expect_silence(gateway);
}

/* Conforms: RFC 6887 section 14.1, RFC 6886 section 3.2.1. */
CASE(port_control, all_hosts_are_told_after_a_start_that_their_ports_are_closed, services_world)
{
	gateway->show_announcements = true;
	gateway_advance(gateway, 1100);
	announced(gateway);
	for (int i = 1; i < 10; i++) {
		gateway_advance(gateway, 250u << (i - 1));
		announced(gateway);
	}
	gateway_advance(gateway, 200000);
	expect_silence(gateway);
}

CASE(port_control, a_segment_without_it_is_told_that_nobody_is_there, services_world)
{
	gateway_host_sends(gateway, "db21",
		&(struct packet){ .to = "10.0.2.1", .from_port = 40000, .to_port = 5351, .data = 24 });
	gateway_run(gateway);
	expect_at(gateway, "db21", "icmp 3/3 10.0.2.1 > 10.0.2.21 *");
	expect_drop(gateway, DROP_SLOWPATH_UNHANDLED);
}
