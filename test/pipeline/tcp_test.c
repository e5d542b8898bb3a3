/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP connections by their states and sequence numbers: what opens, resets and ends them, and what does not. */
#include "nat_case.h"
#include "worlds.h"

#define INSIDE_ISN   0x10000000u
#define OUTSIDE_ISN  0xfffff000u /* about to wrap around */
#define FOUR_MINUTES 240000u
#define SWEEP        12000u

struct connection {
	struct packet up, down;
	char us[16];
};

static void up(struct gateway *gateway, struct connection *c, const char *flags, uint32_t sequence)
{
	c->up.tcp = flags;
	c->up.tcp_sequence = sequence;
	goes_out(gateway, "web11", &c->up);
}

static void down(struct gateway *gateway, struct connection *c, const char *flags, uint32_t sequence)
{
	c->down.tcp = flags;
	c->down.tcp_sequence = sequence;
	comes_in(gateway, &c->down);
	expect_at(gateway, "web11", "tcp *");
}

static void opens(struct gateway *gateway, struct connection *c)
{
	c->up = (struct packet){ .to = SERVER,
		.from_port = 4000,
		.to_port = 80,
		.protocol = TCP,
		.tcp = "S",
		.tcp_sequence = INSIDE_ISN };
	struct endpoint us = goes_out(gateway, "web11", &c->up);

	snprintf(c->us, sizeof(c->us), "%s", us.address);
	c->down = (struct packet){ .from = SERVER,
		.to = c->us,
		.from_port = 80,
		.to_port = us.port,
		.protocol = TCP,
		.tcp_acknowledged = INSIDE_ISN + 1 };
}

static void is_established(struct gateway *gateway, struct connection *c)
{
	opens(gateway, c);
	down(gateway, c, "SA", OUTSIDE_ISN);
	up(gateway, c, "A", INSIDE_ISN + 1);
}

/* Conforms: RFC 7857 2.2, RFC 5382 REQ-2. */
CASE(tcp, a_blind_reset_is_passed_on_and_ends_no_connection, web_world)
{
	struct connection c;

	is_established(gateway, &c);
	down(gateway, &c, "R", OUTSIDE_ISN + 0x40000000);
	up(gateway, &c, "R", INSIDE_ISN - 0x40000);
	gateway_advance(gateway, FOUR_MINUTES + SWEEP);
	cr_assert_eq(gateway_sessions(gateway), 1);
	down(gateway, &c, "A", OUTSIDE_ISN + 1);
}

/* Conforms: RFC 7857 2.2, RFC 5382 REQ-5. */
CASE(tcp, a_reset_in_the_window_ends_the_connection_four_minutes_later, web_world)
{
	struct connection c;

	is_established(gateway, &c);
	gateway_advance(gateway, FOUR_MINUTES);
	down(gateway, &c, "R", OUTSIDE_ISN + 1);
	gateway_advance(gateway, FOUR_MINUTES - 2000);
	cr_assert_eq(gateway_sessions(gateway), 1);
	gateway_advance(gateway, SWEEP);
	cr_assert_eq(gateway_sessions(gateway), 0);
}

CASE(tcp, the_window_follows_the_data, web_world)
{
	struct connection c;
	uint32_t sequence = OUTSIDE_ISN;

	is_established(gateway, &c);
	for (int i = 0; i < 40; i++)
		down(gateway, &c, "A", sequence += 0xf0000);
	down(gateway, &c, "R", OUTSIDE_ISN + 1);
	gateway_advance(gateway, FOUR_MINUTES + SWEEP);
	cr_assert_eq(gateway_sessions(gateway), 1, "where it began no reset counts any more");
	down(gateway, &c, "R", sequence + 1000);
	gateway_advance(gateway, FOUR_MINUTES + SWEEP);
	cr_assert_eq(gateway_sessions(gateway), 0);
}

/* Neither by itself nor by what it does to the window. */
CASE(tcp, a_blind_syn_does_not_disturb_a_connection, web_world)
{
	struct connection c;

	is_established(gateway, &c);
	down(gateway, &c, "S", OUTSIDE_ISN + 0x50000000);
	down(gateway, &c, "R", OUTSIDE_ISN + 0x50000000);
	gateway_advance(gateway, FOUR_MINUTES + SWEEP);
	cr_assert_eq(gateway_sessions(gateway), 1);
	down(gateway, &c, "A", OUTSIDE_ISN + 1);
}

/* Conforms: RFC 5382 REQ-2, RFC 7857 2.2. */
CASE(tcp, a_refusal_counts_only_if_it_acknowledges_the_syn, web_world)
{
	struct connection c;

	opens(gateway, &c);
	c.down.tcp_acknowledged = INSIDE_ISN + 0x30000000;
	down(gateway, &c, "RA", 1);
	down(gateway, &c, "R", 1);
	c.down.tcp_acknowledged = INSIDE_ISN + 1;
	down(gateway, &c, "SA", OUTSIDE_ISN);
	up(gateway, &c, "A", INSIDE_ISN + 1);
	gateway_advance(gateway, FOUR_MINUTES + SWEEP);
	cr_assert_eq(gateway_sessions(gateway), 1, "the forged refusals came to nothing");
}

/* Conforms: RFC 5382 REQ-2, REQ-2a. */
CASE(tcp, two_sides_that_open_at_once_get_their_connection, web_world)
{
	struct connection c;

	opens(gateway, &c);
	down(gateway, &c, "S", OUTSIDE_ISN);
	up(gateway, &c, "SA", INSIDE_ISN);
	down(gateway, &c, "SA", OUTSIDE_ISN);
	up(gateway, &c, "A", INSIDE_ISN + 1);
	gateway_advance(gateway, FOUR_MINUTES + SWEEP);
	cr_assert_eq(gateway_sessions(gateway), 1);
	down(gateway, &c, "A", OUTSIDE_ISN + 1);
}

/* Conforms: RFC 7857 7.1. */
CASE(tcp, resets_from_inside_keep_no_binding_alive, web_world)
{
	struct connection c;

	opens(gateway, &c);
	gateway_advance(gateway, FOUR_MINUTES - 20000);
	up(gateway, &c, "R", INSIDE_ISN + 1);
	gateway_advance(gateway, 20000 + SWEEP);
	cr_assert_eq(gateway_sessions(gateway), 0);
}
