/* SPDX-License-Identifier: BSD-3-Clause */
/* What the gateway does for the workloads of a segment: the DHCP relay. */
#include "pipeline_case.h"
#include "worlds.h"

#include <stdio.h>
#include <string.h>

#define SERVER    "198.51.100.53"
#define BROADCAST "ff:ff:ff:ff:ff:ff"

enum { REQUEST = 1, REPLY = 2 };

/* Offsets in a DHCP message. */
enum {
	HOPS = 3,
	TRANSACTION = 4,
	FLAGS = 10,
	YOURS = 16,
	RELAY = 24,
	HARDWARE = 28,
	COOKIE = 236,
	OPTIONS = 240
};

struct dhcp {
	uint8_t operation, hops;
	uint16_t flags;
	const char *yours, *relay, *mac; /* mac NULL: web11's */
	const uint8_t *options;          /* before the end option */
	uint8_t options_length;
};

/* A datagram with a DHCP message of 300 bytes. */
static void dhcp_frame(struct frame *frame, struct packet packet, const struct dhcp *dhcp)
{
	const uint16_t message = 42;

	packet.data = 300;
	frame_build(frame, &packet);
	memset(frame->bytes + message, 0, 300);
	frame->bytes[message] = dhcp->operation;
	frame->bytes[message + 1] = 1;
	frame->bytes[message + 2] = 6;
	frame->bytes[message + HOPS] = dhcp->hops;
	frame_put32(frame, message + TRANSACTION, 0x12345678);
	frame_put16(frame, message + FLAGS, dhcp->flags);
	frame_put32(frame, message + YOURS, dhcp->yours != NULL ? ipv4_from_text(dhcp->yours) : 0);
	frame_put32(frame, message + RELAY, dhcp->relay != NULL ? ipv4_from_text(dhcp->relay) : 0);
	mac_from_text(dhcp->mac != NULL ? dhcp->mac : "52:54:00:01:00:11", frame->bytes + message + HARDWARE);
	frame_put32(frame, message + COOKIE, 0x63825363);
	if (dhcp->options_length > 0)
		memcpy(frame->bytes + message + OPTIONS, dhcp->options, dhcp->options_length);
	frame->bytes[message + OPTIONS + dhcp->options_length] = 255;
	frame_mend_l4(frame, 14);
}

static void client_sends(struct gateway *gateway, const struct dhcp *dhcp)
{
	struct frame frame;

	dhcp_frame(&frame,
		(struct packet){ .mac_to = BROADCAST,
			.mac_from = "52:54:00:01:00:11",
			.from = "0.0.0.0",
			.to = "255.255.255.255",
			.from_port = 68,
			.to_port = 67 },
		dhcp);
	gateway_host_sends_frame(gateway, "web11", &frame);
	gateway_run(gateway);
}

static void server_sends(struct gateway *gateway, const char *from, const struct dhcp *dhcp)
{
	struct frame frame;

	dhcp_frame(&frame,
		(struct packet){ .mac_to = gateway_port_mac(UPLINK),
			.mac_from = "52:54:00:00:ff:fe",
			.from = from,
			.to = "10.0.1.1",
			.from_port = 67,
			.to_port = 67 },
		dhcp);
	gateway_send(gateway, UPLINK, &frame);
	gateway_run(gateway);
}

static void both_servers_asked(struct gateway *gateway, struct frame *outside)
{
	expect_at_taking(gateway, "router", "udp 10.0.1.1:67 > 198.51.100.53:67 ttl 64 data 300", outside);
	expect_at(gateway, "db21", "udp 10.0.1.1:67 > 10.0.2.21:67 ttl 64 data 300");
}

/* Conforms: RFC 1542 section 4.1.1, RFC 2131 section 4.1, RFC 3046 section 2.1. */
CASE(services, a_client_without_an_address_reaches_each_server_through_the_relay, services_world)
{
	static const uint8_t option[] = { 82, 20, 1, 8, 'w', 'e', 'b', '/', '5', '0', '0', '1', 2, 8, 's',
		'e', 'r', 'v', 'i', 'c', 'e', 's', 255 };
	struct frame seen;

	client_sends(gateway, &(struct dhcp){ .operation = REQUEST });
	both_servers_asked(gateway, &seen);
	cr_assert_eq(seen.bytes[42 + HOPS], 1);
	cr_assert_eq(frame_get32(&seen, 42 + RELAY), ipv4_from_text("10.0.1.1"));
	cr_assert_arr_eq(seen.bytes + 42 + OPTIONS, option, sizeof(option));
}

/* Conforms: RFC 1542 section 4.1.2, RFC 2131 section 4.1. */
CASE(services, an_offer_reaches_a_client_that_cannot_answer_arp_yet, services_world)
{
	struct frame seen;

	client_sends(gateway, &(struct dhcp){ .operation = REQUEST });
	both_servers_asked(gateway, &seen);
	server_sends(gateway, SERVER,
		&(struct dhcp){ .operation = REPLY, .hops = 1, .yours = "10.0.1.77", .relay = "10.0.1.1" });
	expect_at(gateway, "web11", "udp 10.0.1.1:67 > 10.0.1.77:68 ttl 64 data 300");
}

/* Conforms: RFC 2131 section 4.1. */
CASE(services, a_client_that_asks_for_broadcast_gets_broadcast, services_world)
{
	struct frame seen;

	client_sends(gateway, &(struct dhcp){ .operation = REQUEST, .flags = 0x8000 });
	both_servers_asked(gateway, &seen);
	server_sends(gateway, SERVER,
		&(struct dhcp){
			.operation = REPLY, .flags = 0x8000, .yours = "10.0.1.77", .relay = "10.0.1.1" });
	expect_at(gateway, "vtep1",
		"* > ff:ff:ff:ff:ff:ff | udp 10.0.1.1:67 > 255.255.255.255:68 ttl 64 data 300");
	expect_at(gateway, "vtep2",
		"* > ff:ff:ff:ff:ff:ff | udp 10.0.1.1:67 > 255.255.255.255:68 ttl 64 data 300");
}

CASE(services, the_answer_follows_a_client_that_moved_since_it_asked, services_world)
{
	struct frame seen, moved;

	client_sends(gateway, &(struct dhcp){ .operation = REQUEST });
	both_servers_asked(gateway, &seen);
	gateway_host(gateway, "web11")->vtep = "192.0.2.12";
	frame_arp(&moved, &(struct arp){ .mac_from = "52:54:00:01:00:11",
				  .operation = 3,
				  .sender = "0.0.0.0",
				  .target = "0.0.0.0" });
	gateway_host_sends_frame(gateway, "web11", &moved);
	gateway_run(gateway);
	server_sends(gateway, SERVER,
		&(struct dhcp){ .operation = REPLY, .yours = "10.0.1.77", .relay = "10.0.1.1" });
	expect_at(gateway, "web11", "udp 10.0.1.1:67 > 10.0.1.77:68 ttl 64 data 300");
	expect_drop(gateway, DROP_SEGMENT_BROADCAST);
}

/* The server would see the address of the pool, and answer the lease's. */
/* Conforms: RFC 2131 section 4.4.5. */
CASE(services, a_lease_is_renewed_through_nat, services_world)
{
	struct frame frame, seen;

	dhcp_frame(&frame,
		(struct packet){ .mac_to = "02:00:5e:00:50:01",
			.mac_from = "52:54:00:01:00:11",
			.from = "10.0.1.11",
			.to = SERVER,
			.from_port = 68,
			.to_port = 67 },
		&(struct dhcp){ .operation = REQUEST });
	gateway_host_sends_frame(gateway, "web11", &frame);
	gateway_run(gateway);
	both_servers_asked(gateway, &seen);
	/* Anything else for the server goes its usual way. */
	gateway_host_sends(gateway, "web11",
		&(struct packet){ .to = SERVER, .from_port = 4000, .to_port = 53, .data = 30 });
	gateway_run(gateway);
	expect_at(gateway, "router", "udp 203.0.113.10:* > 198.51.100.53:53 ttl 63 data 30");
}

/* Conforms: RFC 1542 section 4.1.1, RFC 3046 section 2.1, RFC 3046 section 2.1.1. */
CASE(services, requests_that_no_relay_may_forward_are_dropped_by_name, services_world)
{
	static const uint8_t agent[] = { 82, 3, 1, 1, 'x' };
	struct frame frame;

	client_sends(gateway, &(struct dhcp){ .operation = REQUEST, .hops = 5 });
	expect_drop(gateway, DROP_DHCP_HOPS);
	client_sends(gateway, &(struct dhcp){ .operation = REQUEST, .relay = "10.0.2.1" });
	expect_drop(gateway, DROP_DHCP_SPOOFED_RELAY);
	client_sends(gateway,
		&(struct dhcp){ .operation = REQUEST, .options = agent, .options_length = sizeof(agent) });
	expect_drop(gateway, DROP_DHCP_OPTION_82);
	client_sends(gateway, &(struct dhcp){ .operation = REQUEST, .mac = "01:00:5e:00:00:01" });
	expect_drop(gateway, DROP_DHCP_MALFORMED);
	dhcp_frame(&frame,
		(struct packet){ .mac_to = BROADCAST,
			.mac_from = "52:54:00:01:00:11",
			.from = "0.0.0.0",
			.to = "255.255.255.255",
			.from_port = 68,
			.to_port = 67 },
		&(struct dhcp){ .operation = REQUEST });
	frame.bytes[100] ^= 1;
	gateway_host_sends_frame(gateway, "web11", &frame);
	gateway_run(gateway);
	expect_drop(gateway, DROP_UDP_MALFORMED);
}

/* Conforms: RFC 1542 section 4.1.2. */
CASE(services, only_a_configured_server_that_was_asked_is_believed, services_world)
{
	const struct dhcp offer = { .operation = REPLY, .yours = "10.0.1.77", .relay = "10.0.1.1" };
	struct frame seen;

	server_sends(gateway, SERVER, &offer);
	expect_drop(gateway, DROP_DHCP_UNEXPECTED);
	client_sends(gateway, &(struct dhcp){ .operation = REQUEST });
	both_servers_asked(gateway, &seen);
	server_sends(gateway, "198.51.100.66", &offer);
	expect_drop(gateway, DROP_DHCP_SERVER);
	server_sends(gateway, SERVER,
		&(struct dhcp){ .operation = REPLY, .yours = "10.0.1.77", .relay = "10.0.2.1" });
	expect_drop(gateway, DROP_DHCP_UNEXPECTED);
	gateway_advance(gateway, 31000);
	server_sends(gateway, SERVER, &offer);
	expect_drop(gateway, DROP_DHCP_UNEXPECTED);
}

CASE(services, a_broadcast_that_is_no_dhcp_request_is_none_of_the_relays_business, services_world)
{
	struct packet packet = { .mac_to = BROADCAST,
		.mac_from = "52:54:00:01:00:11",
		.from = "10.0.1.11",
		.to = "255.255.255.255",
		.from_port = 137,
		.to_port = 137,
		.data = 50 };
	struct frame frame;

	frame_build(&frame, &packet);
	gateway_host_sends_frame(gateway, "web11", &frame);
	packet.to_port = 67;
	packet.from = "10.9.9.9";
	frame_build(&frame, &packet);
	gateway_host_sends_frame(gateway, "web11", &frame);
	gateway_run(gateway);
	expect_drop(gateway, DROP_SEGMENT_BROADCAST);
	expect_drop(gateway, DROP_IPV4_SPOOFED_SEGMENT);
}
