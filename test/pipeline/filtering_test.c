/* SPDX-License-Identifier: BSD-3-Clause */
/* Who outside may reach a host by a port that it has opened, by what its pool says. */
#include "nat_case.h"
#include "worlds.h"

static struct packet to_us(const struct endpoint *us, const char *from, uint16_t from_port)
{
	return (struct packet){
		.from = from, .to = us->address, .from_port = from_port, .to_port = us->port, .data = 30
	};
}

static struct endpoint udp_out(struct gateway *gateway, const char *host)
{
	return goes_out(gateway, host,
		&(struct packet){ .to = SERVER, .from_port = 4000, .to_port = 3478, .data = 20 });
}

/* Conforms: RFC 4787 REQ-8, RFC 6888 REQ-7. */
CASE(filtering, anybody_reaches_an_open_port_where_filtering_is_endpoint_independent, peers_world)
{
	struct endpoint us = udp_out(gateway, "open11");
	struct packet in = to_us(&us, OTHER, 9), answer = { .to = OTHER, .from_port = 4000, .to_port = 9 };

	comes_in(gateway, &in);
	expect_at(gateway, "open11", "udp 198.51.100.8:9 > 10.0.1.11:4000 ttl 63 data 30");
	cr_assert_eq(gateway_sessions(gateway), 2);
	cr_assert_eq(goes_out(gateway, "open11", &answer).port, us.port);
	comes_in(gateway, &in);
	expect_at(gateway, "open11", "udp 198.51.100.8:9 > 10.0.1.11:4000 *");
	cr_assert_eq(gateway_sessions(gateway), 2);
}

/* Conforms: RFC 4787 REQ-8. */
CASE(filtering, only_addresses_talked_to_reach_a_port_where_filtering_is_address_dependent, peers_world)
{
	struct endpoint us = udp_out(gateway, "known11");
	struct packet known = to_us(&us, SERVER, 9999), stranger = to_us(&us, OTHER, 3478);

	comes_in(gateway, &known);
	expect_at(gateway, "known11", "udp 198.51.100.7:9999 > 10.0.2.11:4000 *");
	comes_in(gateway, &stranger);
	expect_drop(gateway, DROP_NAT_FILTERED);
	goes_out(gateway, "known11", &(struct packet){ .to = OTHER, .from_port = 4000, .to_port = 1 });
	comes_in(gateway, &stranger);
	expect_at(gateway, "known11", "udp 198.51.100.8:3478 > 10.0.2.11:4000 *");
}

/* Conforms: RFC 4787 REQ-8. */
CASE(filtering, only_what_was_talked_to_reaches_a_port_by_default, peers_world)
{
	struct endpoint us = udp_out(gateway, "strict11");
	struct packet known = to_us(&us, SERVER, 3478), other_port = to_us(&us, SERVER, 9999),
		      stranger = to_us(&us, OTHER, 3478);

	comes_in(gateway, &known);
	expect_at(gateway, "strict11", "udp 198.51.100.7:3478 > 10.0.3.11:4000 *");
	comes_in(gateway, &other_port);
	comes_in(gateway, &stranger);
	expect_drops(gateway, DROP_NAT_FILTERED, 2);
}

/* Conforms: RFC 5382 REQ-3. */
CASE(filtering, a_tcp_connection_from_outside_opens_where_filtering_lets_it, peers_world)
{
	struct packet out = { .to = SERVER, .from_port = 4000, .to_port = 80, .protocol = TCP, .tcp = "S" };
	struct endpoint open = goes_out(gateway, "open11", &out), known = goes_out(gateway, "known11", &out),
			strict = goes_out(gateway, "strict11", &out);
	struct packet in = to_us(&open, OTHER, 7000);

	in.protocol = TCP;
	in.tcp = "A";
	comes_in(gateway, &in);
	expect_drop(gateway, DROP_NAT_FILTERED);
	in.tcp = "S";
	comes_in(gateway, &in);
	expect_at(gateway, "open11", "tcp 198.51.100.8:7000 > 10.0.1.11:4000 S *");
	out = (struct packet){
		.to = OTHER, .from_port = 4000, .to_port = 7000, .protocol = TCP, .tcp = "SA"
	};
	cr_assert_eq(goes_out(gateway, "open11", &out).port, open.port);

	in.to = known.address;
	in.to_port = known.port;
	comes_in(gateway, &in);
	expect_drop(gateway, DROP_NAT_FILTERED);
	in.from = SERVER;
	comes_in(gateway, &in);
	expect_at(gateway, "known11", "tcp 198.51.100.7:7000 > 10.0.2.11:4000 S *");
	in.to = strict.address;
	in.to_port = strict.port;
	comes_in(gateway, &in);
	expect_drop(gateway, DROP_NAT_FILTERED);
}

/* The port of a binding does not change what pings to the public address meet. */
CASE(filtering, a_ping_from_outside_reaches_no_host_that_has_pinged, peers_world)
{
	struct endpoint us = goes_out(gateway, "open11",
		&(struct packet){ .to = SERVER, .protocol = ICMP, .icmp_type = 8, .icmp_id = 5 });

	comes_in(gateway, &(struct packet){ .from = OTHER,
				  .to = us.address,
				  .protocol = ICMP,
				  .icmp_type = 8,
				  .icmp_id = us.port });
	expect_drop(gateway, DROP_NAT_FILTERED);
}
