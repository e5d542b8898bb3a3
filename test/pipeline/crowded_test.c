/* SPDX-License-Identifier: BSD-3-Clause */
/* Endpoints on our side with many sessions: a socket that talks to many, a server that many talk to. The fast path guesses by
 * which of both keys a packet's session is found (table/nat_crowded.h): right or wrong, it is found, and what is new is
 * opened as it would be. */
#include "nat_case.h"
#include "worlds.h"

#define REMOTES 20u
#define FIRST   1u /* 198.51.100.1 and on; the first one's session is the first of its binding */

static const char *remote_name(unsigned remote)
{
	static char name[16];

	snprintf(name, sizeof(name), "198.51.100.%u", FIRST + remote);
	return name;
}

static struct packet up_to(unsigned remote)
{
	return (struct packet){ .to = remote_name(remote), .from_port = 4000, .to_port = 53, .data = 9 };
}

/* From the socket to one of them and back. */
static struct endpoint exchange(struct gateway *gateway, unsigned remote)
{
	const struct packet up = up_to(remote);
	struct endpoint us = goes_out(gateway, "web11", &up);

	udp_answer(gateway, remote_name(remote), 53, &us);
	expect_at(gateway, "web11", "udp *");
	return us;
}

static struct endpoint exchange_all(struct gateway *gateway)
{
	struct endpoint us = exchange(gateway, 0);

	for (unsigned remote = 1; remote < REMOTES; remote++)
		cr_assert_eq(exchange(gateway, remote).port, us.port, "remote %u", remote);
	cr_assert_eq(gateway_sessions(gateway), REMOTES);
	return us;
}

static unsigned crowded(const struct gateway *gateway)
{
	return gateway->path->context[0]->crowded.count;
}

CASE(crowded, each_session_of_a_socket_that_talks_to_many_is_found, web_world)
{
	for (int round = 0; round < 4; round++)
		exchange_all(gateway);
}

/* All of them in one burst, which is looked through by what the one before has taught. */
CASE(crowded, the_sessions_of_a_burst_are_found_together, web_world)
{
	struct frame frame;

	exchange_all(gateway);
	for (int round = 0; round < 4; round++) {
		for (unsigned i = 0; i < 2 * REMOTES; i++) {
			const struct packet up = up_to(i % REMOTES);
			gateway_host_sends(gateway, "web11", &up);
		}
		gateway_run(gateway);
		for (unsigned i = 0; i < 2 * REMOTES; i++)
			expect_at_taking(gateway, "router", "udp *", &frame);
		expect_silence(gateway);
	}
	cr_assert_eq(gateway_sessions(gateway), REMOTES);
}

CASE_IN(crowded, a_server_is_told_by_its_packets_both_ways, web_world, 1u << PLAN_FUSED)
{
	struct packet in = { .from = SERVER, .to = "203.0.113.20", .to_port = 53, .data = 9 },
		      out = { .to = SERVER, .from_port = 53, .data = 9 };

	for (int round = 0; round < 3; round++)
		for (uint16_t client = 0; client < 20; client++) {
			in.from_port = out.to_port = (uint16_t)(5000 + client);
			comes_in(gateway, &in);
			expect_at(gateway, "web5", "udp *");
			goes_out(gateway, "web5", &out);
		}
	cr_assert_eq(crowded(gateway), 2, "its endpoint inside, and the one outside");
	cr_assert_eq(gateway_sessions(gateway), 20);
}

CASE_IN(crowded, one_more_session_of_it_has_the_same_public_endpoint, web_world, 1u << PLAN_FUSED)
{
	exchange_all(gateway);
	struct endpoint us = exchange_all(gateway);

	cr_assert_eq(crowded(gateway), 2, "the endpoint inside, and the one outside");
	for (unsigned remote = REMOTES; remote < REMOTES + 5; remote++)
		cr_assert_eq(exchange(gateway, remote).port, us.port);
	cr_assert_eq(gateway_sessions(gateway), REMOTES + 5);
	cr_assert_eq(crowded(gateway), 2);
}

/* Each way the first packet finds out. */
CASE_IN(crowded, the_first_session_is_found_and_ends_it, small_world, 1u << PLAN_FUSED)
{
	exchange_all(gateway);
	struct endpoint us = exchange_all(gateway);

	cr_assert_eq(crowded(gateway), 2, "the endpoint inside, and the one outside");
	for (int packet = 0; packet < 3; packet++) {
		cr_assert_eq(exchange(gateway, 0).port, us.port);
		cr_assert_eq(crowded(gateway), 0);
	}
	cr_assert_eq(gateway_sessions(gateway), REMOTES);
}

/* What is from outside and has no session teaches nothing, whatever it is for. */
CASE_IN(crowded, strangers_do_not_make_an_endpoint_crowded, web_world, 1u << PLAN_FUSED)
{
	struct endpoint us = exchange(gateway, 0);

	for (uint16_t port = 2000; port < 2020; port++)
		udp_answer(gateway, remote_name(1), port, &us);
	gateway_forget_output(gateway);
	cr_assert_eq(crowded(gateway), 0);
	expect_drops(gateway, DROP_NAT_FILTERED, 20);
}

/* The host has as many public ports as it may: that is asked of a new binding, not of one more session of the one that is there. */
CASE_IN(crowded, one_more_session_takes_no_port, limits_world, 1u << PLAN_FUSED)
{
	struct packet up = { .from_port = 4000, .to_port = 53, .data = 9 };
	struct endpoint us = { 0 };
	struct frame frame;

	for (int port = 4001; port < 4005; port++)
		goes_out(gateway, "web11",
			&(struct packet){
				.to = SERVER, .from_port = (uint16_t)port, .to_port = 53, .data = 9 });
	for (int round = 0; round < 6; round++)
		for (unsigned remote = round > 1; remote < 2; remote++) {
			up.to = remote_name(remote);
			us = goes_out(gateway, "web11", &up);
		}
	cr_assert_eq(crowded(gateway), 1);
	cr_assert_eq(gateway_sessions(gateway), 6);
	up.to = remote_name(2);
	uint64_t before = fast_packets(gateway);
	gateway_host_sends(gateway, "web11", &up);
	gateway_run(gateway);
	expect_at_taking(gateway, "router", "udp *", &frame);
	cr_assert_eq(endpoint_of(&frame, false).port, us.port);
	cr_assert_eq(fast_packets(gateway), before + 1);
	cr_assert_eq(gateway_sessions(gateway), 7);
}

/* Those that are found at once leave with the others, as they came; what is looked for once more leaves after them. */
CASE_IN(crowded, what_is_guessed_right_is_not_looked_for_again, web_world, 1u << PLAN_FUSED)
{
	struct endpoint us = exchange_all(gateway);
	const struct packet other = { .to = SERVER, .from_port = 4444, .to_port = 53, .data = 9 };
	struct frame frame;

	struct endpoint them = goes_out(gateway, "web12", &other);
	udp_answer(gateway, SERVER, 53, &them);
	expect_at(gateway, "web12", "udp *");
	for (int round = 0; round < 6; round++)
		exchange(gateway, 1);
	cr_assert_eq(crowded(gateway), 2);
	const struct packet up = up_to(1);
	gateway_host_sends(gateway, "web11", &up);
	gateway_host_sends(gateway, "web12", &other);
	gateway_host_sends(gateway, "router",
		&(struct packet){ .from = remote_name(1),
			.to = us.address,
			.from_port = 53,
			.to_port = us.port,
			.data = 30 });
	gateway_host_sends(gateway, "router",
		&(struct packet){ .from = SERVER,
			.to = them.address,
			.from_port = 53,
			.to_port = them.port,
			.data = 30 });
	gateway_run(gateway);
	expect_at_taking(gateway, "router", "udp *", &frame);
	cr_assert_eq(frame_from_port(&frame), us.port);
	expect_at(gateway, "router", "udp *");
	expect_at(gateway, "web11", "udp *");
	expect_at(gateway, "web12", "udp *");
}

/* The first packet makes the binding that the second one joins, and the last one is of the same flow as that: they leave in order, whatever
 * else the burst opens between them. */
CASE_IN(crowded, packets_of_a_flow_that_joins_a_new_binding_stay_in_order, web_world,
	1u << PLAN_FUSED | 1u << PLAN_STAGES)
{
	struct frame frame;

	exchange(gateway, 0);
	for (uint16_t port = 10000; port < 10000 + 20 * 100; port = (uint16_t)(port + 100)) {
		struct packet packet = { .to = SERVER, .from_port = port, .to_port = 53, .data = 20 };
		unsigned seen = 0;

		gateway_host_sends(gateway, "web11", &packet);
		packet.to = OTHER;
		packet.data = 21;
		gateway_host_sends(gateway, "web11", &packet);
		for (uint16_t i = 1; i <= BURST_MAX - 3; i++)
			gateway_host_sends(gateway, "web11",
				&(struct packet){ .to = SERVER,
					.from_port = (uint16_t)(port + i),
					.to_port = 53,
					.data = 9 });
		packet.data = 22;
		gateway_host_sends(gateway, "web11", &packet);
		gateway_run(gateway);
		while (gateway_receive(gateway, UPLINK, &frame))
			if (frame_matches(&frame, "* > 198.51.100.8:53 *"))
				cr_assert(frame_matches(&frame, seen++ == 0 ? "* data 21" : "* data 22"),
					"port %u", port);
		cr_assert_eq(seen, 2);
	}
}
