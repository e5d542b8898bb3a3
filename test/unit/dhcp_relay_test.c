/* SPDX-License-Identifier: BSD-3-Clause */
#include "services/dhcp_relay.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define IP(a, b, c, d)                                                                                       \
	RTE_BE32((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))
#define GATEWAY IP(10, 0, 1, 1)
#define SERVER  IP(192, 0, 2, 53)

enum { WEB, DB, BLUE };

static union {
	struct dhcp_message message;
	uint8_t bytes[1500];
} m;
static uint16_t length;

static void message_make(uint8_t operation)
{
	memset(&m, 0, sizeof(m));
	m.message = (struct dhcp_message){ .operation = operation,
		.hardware_type = DHCP_ETHERNET,
		.hardware_length = DHCP_ETHERNET_LENGTH,
		.transaction = RTE_BE32(0xcafe),
		.hardware = { 0x52, 0x54, 0, 0, 0, 1 },
		.cookie = DHCP_COOKIE };
	m.bytes[sizeof(m.message)] = DHCP_OPTION_END;
	length = DHCP_LENGTH_MIN;
}

static void options_put(const uint8_t *options, uint16_t size)
{
	memcpy(m.bytes + sizeof(m.message), options, size);
	length = (uint16_t)RTE_MAX(length, sizeof(m.message) + size);
}

static const struct dhcp_agent_id id = { .circuit = "web/5001", .remote = "edge" };

/* Conforms: RFC 3046 section 2.1. */
Test(dhcp_relay, the_information_is_the_last_option_before_the_end)
{
	static const uint8_t before[] = { 53, 1, 1, 0, 0, 12, 2, 'a', 'b', 255 };
	static const uint8_t want[] = { 53, 1, 1, 0, 0, 12, 2, 'a', 'b', 82, 16, 1, 8, 'w', 'e', 'b', '/',
		'5', '0', '0', '1', 2, 4, 'e', 'd', 'g', 'e', 255, 0 };

	message_make(DHCP_REQUEST);
	options_put(before, sizeof(before));
	cr_assert_eq(dhcp_agent_option_add(&m.message, length, 1472, &id), DHCP_LENGTH_MIN);
	cr_assert_arr_eq(m.message.options, want, sizeof(want));
	cr_assert_eq(dhcp_agent_option_remove(&m.message, length), DHCP_LENGTH_MIN);
	cr_assert_arr_eq(m.message.options, before, sizeof(before));
	cr_assert(!dhcp_option_find(&m.message, length, DHCP_OPTION_AGENT));
}

/* Conforms: RFC 3046 section 2.1. */
Test(dhcp_relay, what_would_be_too_long_is_left_as_it_is)
{
	uint8_t options[101] = { 60, 98 };

	message_make(DHCP_REQUEST);
	options[100] = 255;
	options_put(options, sizeof(options));
	cr_assert_eq(dhcp_agent_option_add(&m.message, length, 340, &id), -EMSGSIZE);
	cr_assert_arr_eq(m.message.options, options, sizeof(options));
	cr_assert_eq(dhcp_agent_option_add(&m.message, length, 400, &id), 240 + 100 + 18 + 1);
}

Test(dhcp_relay, options_that_end_before_their_end_are_not_read)
{
	static const uint8_t beyond[] = { 53, 1, 1, 12, 200 };

	message_make(DHCP_REQUEST);
	options_put(beyond, sizeof(beyond));
	cr_assert_eq(dhcp_agent_option_add(&m.message, 245, 1472, &id), -EBADMSG);
	cr_assert_eq(dhcp_agent_option_add(&m.message, 244, 1472, &id), -EBADMSG);
	cr_assert_eq(dhcp_agent_option_remove(&m.message, 245), 245);
	m.message.cookie = 0;
	cr_assert_eq(dhcp_agent_option_add(&m.message, 300, 1472, &id), -EBADMSG, "BOOTP without options");
}

Test(dhcp_relay, every_copy_of_the_information_goes)
{
	static const uint8_t twice[] = { 82, 2, 9, 9, 53, 1, 2, 82, 3, 1, 1, 1, 0, 255 };
	static const uint8_t once[] = { 53, 1, 2, 0, 255, 0 };

	message_make(DHCP_REPLY);
	options_put(twice, sizeof(twice));
	cr_assert_eq(dhcp_agent_option_remove(&m.message, 254), 254);
	cr_assert_arr_eq(m.message.options, once, sizeof(once));
}

/* Segment web has option 82 and one server; db trusts its clients; blue has the same addresses as web. */
static struct dhcp_relay *relay_make(void)
{
	const struct dhcp_relay_settings settings[] = {
		[WEB] = { .gateway = GATEWAY,
			.server = { SERVER },
			.server_count = 1,
			.hops_max = 4,
			.option_82 = true,
			.id = id },
		[DB] = { .gateway = IP(10, 0, 2, 1),
			.server = { SERVER },
			.server_count = 1,
			.hops_max = 16,
			.option_82 = true,
			.trusted = true,
			.id = id },
		[BLUE] = { .gateway = GATEWAY, .server = { SERVER }, .server_count = 1, .hops_max = 4 },
	};
	struct dhcp_relay *relay = dhcp_relay_create(settings, RTE_DIM(settings));

	cr_assert_not_null(relay);
	return relay;
}

static enum dhcp_refusal request(struct dhcp_relay *relay, uint16_t segment, uint64_t now)
{
	return dhcp_relay_request(relay, segment, &m.message, &length, 1472, now);
}

/* Conforms: RFC 1542 section 4.1.1. */
Test(dhcp_relay, a_request_gets_our_address_and_one_hop_more)
{
	struct dhcp_relay *relay = relay_make();

	message_make(DHCP_REQUEST);
	m.message.hops = 4;
	cr_assert_eq(request(relay, WEB, 1), DHCP_ACCEPTED);
	cr_assert_eq(m.message.relay, GATEWAY);
	cr_assert_eq(m.message.hops, 5);
	cr_assert(dhcp_option_find(&m.message, length, DHCP_OPTION_AGENT));
	message_make(DHCP_REQUEST);
	m.message.hops = 5;
	cr_assert_eq(request(relay, WEB, 1), DHCP_REFUSED_HOPS);
	dhcp_relay_destroy(relay);
}

/* Conforms: RFC 1542 section 4.1.1, RFC 3046 section 2.1.1. */
Test(dhcp_relay, another_relays_request_goes_on_as_it_is)
{
	struct dhcp_relay *relay = relay_make();

	message_make(DHCP_REQUEST);
	m.message.relay = IP(10, 0, 1, 99);
	cr_assert_eq(request(relay, WEB, 1), DHCP_ACCEPTED);
	cr_assert_eq(m.message.relay, IP(10, 0, 1, 99));
	cr_assert(!dhcp_option_find(&m.message, length, DHCP_OPTION_AGENT));
	message_make(DHCP_REQUEST);
	m.message.relay = IP(10, 0, 2, 1);
	cr_assert_eq(request(relay, WEB, 1), DHCP_REFUSED_SPOOFED_RELAY);
	dhcp_relay_destroy(relay);
}

/* Conforms: RFC 3046 section 2.1. */
Test(dhcp_relay, only_a_trusted_segment_may_bring_its_own_information)
{
	static const uint8_t agent[] = { 82, 3, 1, 1, 'x', 255 };
	struct dhcp_relay *relay = relay_make();

	message_make(DHCP_REQUEST);
	options_put(agent, sizeof(agent));
	cr_assert_eq(request(relay, WEB, 1), DHCP_REFUSED_OPTION_82);
	message_make(DHCP_REQUEST);
	options_put(agent, sizeof(agent));
	cr_assert_eq(request(relay, DB, 1), DHCP_ACCEPTED);
	cr_assert_arr_eq(m.message.options, agent, sizeof(agent), "no second one");
	cr_assert_eq(m.message.relay, IP(10, 0, 2, 1));
	dhcp_relay_destroy(relay);
}

/* Conforms: RFC 1542 section 4.1.2. */
Test(dhcp_relay, an_answer_goes_to_the_segment_that_asked_though_two_have_the_same_addresses)
{
	struct dhcp_relay *relay = relay_make();
	struct dhcp_delivery to;

	message_make(DHCP_REQUEST);
	cr_assert_eq(request(relay, BLUE, 1), DHCP_ACCEPTED);
	message_make(DHCP_REPLY);
	m.message.relay = GATEWAY;
	m.message.yours = IP(10, 0, 1, 70);
	cr_assert_eq(dhcp_relay_reply(relay, SERVER, GATEWAY, &m.message, &length, 2, &to), DHCP_ACCEPTED);
	cr_assert_eq(to.segment, BLUE);
	cr_assert(!to.broadcast);
	cr_assert_eq(to.destination, IP(10, 0, 1, 70));
	cr_assert_eq(dhcp_relay_counters(relay, BLUE)->replies_sent, 1);
	cr_assert_eq(dhcp_relay_counters(relay, WEB)->replies_sent, 0);
	dhcp_relay_destroy(relay);
}

/* Conforms: RFC 2131 section 4.1, RFC 3046 section 2.1. */
Test(dhcp_relay, a_refusal_is_broadcast_and_what_the_server_echoed_is_taken_out)
{
	static const uint8_t refusal[] = { 53, 1, 6, 82, 3, 1, 1, 'x', 255 };
	struct dhcp_relay *relay = relay_make();
	struct dhcp_delivery to;

	message_make(DHCP_REQUEST);
	cr_assert_eq(request(relay, WEB, 1), DHCP_ACCEPTED);
	message_make(DHCP_REPLY);
	options_put(refusal, sizeof(refusal));
	m.message.relay = GATEWAY;
	cr_assert_eq(dhcp_relay_reply(relay, SERVER, GATEWAY, &m.message, &length, 2, &to), DHCP_ACCEPTED);
	cr_assert(to.broadcast);
	cr_assert_eq(to.destination, RTE_BE32(UINT32_MAX));
	cr_assert(!dhcp_option_find(&m.message, length, DHCP_OPTION_AGENT));
	dhcp_relay_destroy(relay);
}

Test(dhcp_relay, a_flood_of_requests_forgets_the_oldest_first)
{
	struct dhcp_relay *relay = relay_make();
	struct dhcp_delivery to;
	unsigned kept = 0;

	for (uint32_t i = 0; i < 20000; i++) {
		message_make(DHCP_REQUEST);
		m.message.transaction = rte_cpu_to_be_32(i);
		cr_assert_eq(request(relay, WEB, i), DHCP_ACCEPTED);
	}
	for (uint32_t i = 20000 - 2000; i < 20000; i++) {
		message_make(DHCP_REPLY);
		m.message.transaction = rte_cpu_to_be_32(i);
		m.message.relay = GATEWAY;
		kept += dhcp_relay_reply(relay, SERVER, GATEWAY, &m.message, &length, 20000, &to) ==
			DHCP_ACCEPTED;
	}
	cr_assert_gt(kept, 1800);
	dhcp_relay_destroy(relay);
}
