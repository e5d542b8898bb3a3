/* SPDX-License-Identifier: BSD-3-Clause */
/* What the log of NAT is told, and that nothing waits for it. */
#include "nat_fixture.h"

TestSuite(nat_event, .timeout = 60);

#define BINDINGS (NAT_EVENT_BIT(NAT_EVENT_BINDING_CREATED) | NAT_EVENT_BIT(NAT_EVENT_BINDING_DELETED))
#define SESSIONS (NAT_EVENT_BIT(NAT_EVENT_SESSION_CREATED) | NAT_EVENT_BIT(NAT_EVENT_SESSION_DELETED))

static struct gateway *with_log(uint32_t wanted, uint32_t room)
{
	struct nat_settings settings = test_settings;

	settings.log_events = wanted;
	settings.log_room = room;
	return gateway_start(&settings);
}

static struct nat_events *events_of(struct gateway *gateway)
{
	return &gateway->context->nat->events;
}

static uint16_t flow_open(struct gateway *gateway, rte_be32_t source, uint16_t port, rte_be32_t remote)
{
	const struct packet up = { .from = NAT_FROM_INSIDE,
		.source = source,
		.source_port = port,
		.destination = remote,
		.destination_port = 53 };

	return gateway_bind(gateway, &up).port;
}

Test(nat_event, a_binding_is_told_once_when_its_first_session_comes_and_once_when_its_last_one_goes)
{
	struct gateway *gateway = with_log(BINDINGS, 64);
	struct nat_event event[8];
	uint16_t port = flow_open(gateway, HOST_A, 5000, REMOTE);

	flow_open(gateway, HOST_A, 5000, REMOTE_2);
	cr_assert_eq(nat_events_take(events_of(gateway), event, 8), 1);
	cr_assert_eq(event[0].type, NAT_EVENT_BINDING_CREATED);
	cr_assert_eq(event[0].protocol, IPPROTO_UDP);
	cr_assert_eq(event[0].segment, WEB);
	cr_assert_eq(event[0].inside, HOST_A);
	cr_assert_eq(event[0].inside_port, RTE_BE16(5000));
	cr_assert_eq(event[0].outside_port, rte_cpu_to_be_16(port));
	cr_assert_eq(event[0].remote, 0, "a binding has no remote: destinations are not logged");
	gateway_wait(gateway, 310);
	cr_assert_eq(gateway_sessions(gateway), 0);
	cr_assert_eq(nat_events_take(events_of(gateway), event + 1, 7), 1);
	cr_assert_eq(event[1].type, NAT_EVENT_BINDING_DELETED);
	cr_assert_geq(event[1].cycles, event[0].cycles);
	cr_assert_eq(event[1].outside, event[0].outside, "the end repeats what the beginning said");
	cr_assert_eq(event[1].outside_port, event[0].outside_port);
	cr_assert_eq(event[1].inside, event[0].inside);
	cr_assert_eq(event[1].inside_port, event[0].inside_port);
	gateway_stop(gateway);
}

Test(nat_event, sessions_are_told_one_by_one_with_their_remote_when_they_are_wanted)
{
	struct gateway *gateway = with_log(SESSIONS, 64);
	struct nat_event event[8];

	flow_open(gateway, HOST_A, 5000, REMOTE);
	flow_open(gateway, HOST_A, 5000, REMOTE_2);
	cr_assert_eq(nat_events_take(events_of(gateway), event, 8), 2);
	cr_assert_eq(event[0].type, NAT_EVENT_SESSION_CREATED);
	cr_assert_eq(event[0].remote, REMOTE);
	cr_assert_eq(event[1].remote, REMOTE_2);
	cr_assert_eq(event[1].remote_port, RTE_BE16(53));
	gateway_wait(gateway, 310);
	cr_assert_eq(nat_events_take(events_of(gateway), event, 8), 2);
	cr_assert_eq(event[0].type, NAT_EVENT_SESSION_DELETED);
	gateway_stop(gateway);
}

Test(nat_event, static_bindings_and_forwards_are_in_the_configuration_and_not_in_the_log_of_bindings)
{
	struct gateway *gateway = with_log(BINDINGS, 64);
	struct nat_event event;
	const struct packet up = {
		.from = NAT_FROM_INSIDE, .source = STATIC_HOST, .source_port = 9, .destination = REMOTE
	};

	gateway_bind(gateway, &up);
	cr_assert_eq(gateway_sessions(gateway), 1);
	cr_assert_eq(nat_events_take(events_of(gateway), &event, 1), 0);
	gateway_stop(gateway);
}

Test(nat_event, a_log_that_nobody_reads_loses_events_and_counts_them_while_packets_go_on)
{
	struct gateway *gateway = with_log(BINDINGS, 16);
	struct nat_event event[64];

	for (uint16_t i = 0; i < 40; i++)
		flow_open(gateway, HOST_A, (uint16_t)(5000 + i), REMOTE);
	cr_assert_eq(gateway_sessions(gateway), 40);
	uint32_t kept = nat_events_take(events_of(gateway), event, 64);
	cr_assert_eq(kept, 15, "a ring of 16 holds 15");
	cr_assert_eq(events_of(gateway)->posted, kept);
	cr_assert_eq(events_of(gateway)->lost, 40 - kept);
	for (uint32_t i = 0; i < kept; i++)
		cr_assert_eq(event[i].inside_port, rte_cpu_to_be_16((uint16_t)(5000 + i)), "oldest first");
	gateway_stop(gateway);
}

Test(nat_event, a_block_is_told_with_its_ports_and_its_host)
{
	struct gateway *gateway = with_log(NAT_EVENT_BIT(NAT_EVENT_BLOCK_TAKEN), 16);
	struct nat_events *events = events_of(gateway);
	struct nat_event event[4];

	nat_event_block(events, NAT_EVENT_BLOCK_TAKEN, 0, DB, HOST_A, STATIC_IP, 1024, 1087);
	nat_event_block(events, NAT_EVENT_BLOCK_RETURNED, 0, DB, HOST_A, STATIC_IP, 1024, 1087);
	cr_assert_eq(nat_events_take(events, event, 4), 1, "only what is wanted");
	cr_assert_eq(event[0].outside_port, RTE_BE16(1024));
	cr_assert_eq(event[0].last_port, RTE_BE16(1087));
	cr_assert_eq(event[0].segment, DB);
	gateway_stop(gateway);
}

Test(nat_event, a_host_at_its_limit_is_told_once_and_not_for_each_packet)
{
	struct gateway *gateway = with_log(NAT_EVENT_BIT(NAT_EVENT_LIMIT), 1024);
	struct nat_events *events = events_of(gateway);
	struct nat_event event[256];

	for (int i = 0; i < 100; i++)
		nat_event_limit(events, NAT_LIMIT_HOST_SESSIONS, IPPROTO_UDP, WEB, HOST_A);
	nat_event_limit(events, NAT_LIMIT_HOST_PORTS, IPPROTO_UDP, WEB, HOST_A);
	cr_assert_eq(nat_events_take(events, event, 256), 2);
	cr_assert_eq(event[0].limit, NAT_LIMIT_HOST_SESSIONS);
	cr_assert_eq(event[0].inside, HOST_A);
	cr_assert_eq(event[1].limit, NAT_LIMIT_HOST_PORTS);
	for (uint32_t i = 0; i < 5000; i++) /* a flood from many hosts */
		nat_event_limit(events, NAT_LIMIT_HOST_SESSIONS, IPPROTO_UDP, WEB, rte_cpu_to_be_32(i));
	cr_assert_leq(nat_events_take(events, event, 256), NAT_EVENT_LIMIT_HOSTS);
	gateway_stop(gateway);
}
