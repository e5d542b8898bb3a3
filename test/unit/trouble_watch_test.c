/* SPDX-License-Identifier: BSD-3-Clause */
/* Full tables and floods in the log: few lines, however many packets. */
#include "base/flood_watch.h"
#include "base/log.h"
#include "eal_fixture.h"
#include "management/config_apply.h"
#include "management/trouble_watch.h"
#include "slowpath/slowpath.h"
#include "stage/packet_path.h"
#include "table/nat_owner.h"
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(trouble_watch, .init = eal_start, .timeout = 60);

static const char config_text[] =
	"{ \"name\": \"t\", \"lcores\": { \"packet\": [1, 2], \"idle\": \"poll\" },"
	"  \"ports\": [ { \"name\": \"u\", \"device\": \"net_null0\", \"mtu\": 1600,"
	"                 \"addresses\": [\"192.0.2.1/24\"] } ],"
	"  \"vxlan\": { \"source\": \"192.0.2.1\" },"
	"  \"segments\": [ { \"name\": \"web\", \"vni\": 5001, \"gateway\": \"10.0.1.1/24\","
	"    \"mac\": \"02:00:5e:00:50:01\", \"flood\": { \"vteps\": [\"192.0.2.11\"] } } ] }";

static struct {
	struct data_plane *plane;
	struct packet_path *path;
	struct slowpath *slowpath;
	struct trouble_watch *watch;
	struct doorbell doorbell;
	uint64_t now_ns;
	char log_path[64];
	int stderr_before;
} g;

/* What the device has counted: in place of DPDK's, which would need one. */
static struct rte_eth_stats device_stats;

int rte_eth_stats_get(uint16_t device, struct rte_eth_stats *stats)
{
	(void)device;
	*stats = device_stats;
	return 0;
}

/* What the log says from here on goes to a file. */
static void log_catch(void)
{
	strcpy(g.log_path, "/tmp/trouble_watch.XXXXXX");
	int file = mkstemp(g.log_path);

	cr_assert_geq(file, 0);
	g.stderr_before = dup(STDERR_FILENO);
	dup2(file, STDERR_FILENO);
	close(file);
}

/* How many lines there are with `text` in them; "" for all. */
static unsigned lines_with(const char *text)
{
	FILE *file = fopen(g.log_path, "re");
	char line[512];
	unsigned count = 0;

	fflush(stderr);
	while (fgets(line, sizeof(line), file) != NULL)
		count += strstr(line, text) != NULL;
	fclose(file);
	return count;
}

static void gateway_make(void)
{
	const struct port_facts facts = { .device = 0 };
	struct lcore_plan plan = { .count = 2, .ring_size = 256 };
	struct slowpath_channel channels[2];
	struct config *config = config_parse("t.json", config_text, stderr);

	cr_assert_not_null(config);
	g.plane = data_plane_create(config, &facts, 2, NULL);
	cr_assert_not_null(g.plane);
	cr_assert_eq(doorbell_open(&g.doorbell, false), 0);
	for (unsigned i = 0; i < 2; i++)
		plan.entry[i] = (struct lcore_plan_entry){ .lcore = i + 1, .stages = (1u << STAGES) - 1 };
	g.path = packet_path_wire("t", &plan, g.plane, &g.doorbell);
	cr_assert_not_null(g.path);
	for (unsigned i = 0; i < 2; i++)
		channels[i] = (struct slowpath_channel){ g.path->context[i]->punt, g.path->context[i]->inject,
			g.path->context[i]->events, &g.path->context[i]->doorbell };
	g.slowpath = slowpath_create(g.plane, channels, 2, NULL);
	cr_assert_not_null(g.slowpath);
	g.watch = trouble_watch_create(g.path, g.slowpath);
	cr_assert_not_null(g.watch);
	config_free(config);
	g.now_ns = 1000 * NS_PER_SECOND;
	log_catch();
}

/* As often as management looks. */
static void seconds_pass(unsigned seconds)
{
	for (unsigned i = 0; i < seconds * 20; i++) {
		trouble_watch_look(g.watch, g.now_ns);
		g.now_ns += 50 * NS_PER_MS;
	}
}

/* `seconds` in which each lcore drops so many packets a second for the reason. */
static void seconds_with(unsigned seconds, enum drop_reason reason, uint64_t drops)
{
	for (unsigned i = 0; i < seconds; i++) {
		for (unsigned lcore = 0; lcore < 2; lcore++)
			g.path->context[lcore]->counters.drop[reason] += drops;
		seconds_pass(1);
	}
}

static struct slowpath_counters *slowpath_counts(void)
{
	return (struct slowpath_counters *)slowpath_counters(g.slowpath);
}

static void gateway_close(void)
{
	dup2(g.stderr_before, STDERR_FILENO);
	unlink(g.log_path);
	trouble_watch_destroy(g.watch);
	slowpath_destroy(g.slowpath);
	packet_path_unwire(g.path);
	data_plane_destroy(g.plane);
}

static void ready(void)
{
	eal_start();
	gateway_make();
}

Test(trouble_watch, a_full_table_is_one_warning_and_one_line_when_it_is_over, .init = ready,
	.fini = gateway_close)
{
	seconds_with(5, DROP_NAT_TABLE_FULL, 0);
	cr_assert_eq(lines_with(""), 0);
	seconds_with(30, DROP_NAT_TABLE_FULL, 500000);
	cr_assert_eq(lines_with(""), 1, "30 million refusals");
	cr_assert_eq(lines_with("warning: the session table is full (nat.max_sessions): new sessions are "
				"refused (1000000 "
				"so far)"),
		1);
	seconds_with(20, DROP_NAT_TABLE_FULL, 0);
	cr_assert_eq(lines_with(""), 2);
	cr_assert_eq(
		lines_with("info: the session table is full (nat.max_sessions): new sessions are refused: "
			   "over after 30 s (29000000 since the last message)"),
		1);
	seconds_with(100, DROP_NAT_TABLE_FULL, 0);
	cr_assert_eq(lines_with(""), 2);
}

Test(trouble_watch, what_goes_on_is_said_once_a_minute, .init = ready, .fini = gateway_close)
{
	seconds_with(600, DROP_NAT_NO_PORTS, 1);
	cr_assert_eq(lines_with("a NAT pool has no free port"), 10);
	cr_assert_eq(lines_with("(for 60 s now; 120 since the last message)"), 1);
	cr_assert_eq(lines_with(""), 10);
}

Test(trouble_watch, what_comes_and_goes_is_said_to_begin_once_a_minute_at_most, .init = ready,
	.fini = gateway_close)
{
	for (unsigned i = 0; i < 40; i++) { /* ten minutes */
		seconds_with(2, DROP_NAT_FRAGMENT_TABLE_FULL, 7);
		seconds_with(13, DROP_NAT_FRAGMENT_TABLE_FULL, 0);
	}
	cr_assert_leq(lines_with("warning:"), 10);
	cr_assert_geq(lines_with("warning:"), 9);
	cr_assert_leq(lines_with(""), 20);
}

Test(trouble_watch, stray_packets_from_outside_are_no_flood, .init = ready, .fini = gateway_close)
{
	seconds_with(100, DROP_NAT_NO_BINDING, 4999);
	cr_assert_eq(lines_with(""), 0);
	seconds_with(30, DROP_NAT_NO_BINDING, 5000);
	cr_assert_eq(lines_with("a flood from outside"), 1);
}

/* What a route says to discard, and what the wiring does not let happen. */
static bool is_no_trouble(enum drop_reason reason)
{
	return reason == DROP_ROUTE_BLACKHOLE || reason == DROP_NAT_STALE_OWNER ||
	       reason == DROP_TRANSMIT_NO_QUEUE || reason == DROP_HEADROOM;
}

Test(trouble_watch, a_flood_is_told_once_whatever_its_packets_are_dropped_for, .init = ready,
	.fini = gateway_close)
{
	unsigned told = 0;

	for (unsigned reason = 0; reason < DROP_REASONS; reason++) {
		seconds_with(3, (enum drop_reason)reason, 10000);
		told += !is_no_trouble((enum drop_reason)reason);
		cr_expect_eq(lines_with("warning:"), told, "%s", drop_reason_text[reason].name);
		told = lines_with("warning:");
		seconds_pass(80); /* so that the next of the same trouble is told as well */
	}
}

Test(trouble_watch, every_trouble_is_told_by_itself, .init = ready, .fini = gateway_close)
{
	static const enum drop_reason reason[] = { DROP_NAT_TABLE_FULL, DROP_NAT_NO_PORTS,
		DROP_NAT_HOST_SESSIONS, DROP_NAT_FRAGMENT_TABLE_FULL, DROP_NAT_NEW_SESSION_BUDGET,
		DROP_NAT_FILTERED, DROP_PUNT_RATE, DROP_VXLAN_UNKNOWN_VTEP, DROP_RING_FULL,
		DROP_CONTROL_POOL_EMPTY, DROP_NEIGHBOUR_UNRESOLVED, DROP_NO_ROUTE, DROP_NAT_FRAGMENT,
		DROP_IPV4_SPOOFED_SEGMENT, DROP_IPV4_CHECKSUM, DROP_SEGMENT_BROADCAST,
		DROP_IPV6_UNSUPPORTED };

	for (unsigned i = 0; i < RTE_DIM(reason); i++) {
		seconds_with(1, reason[i], 10000);
		cr_assert_eq(lines_with("warning:"), i + 1, "%s", drop_reason_text[reason[i]].name);
	}
}

Test(trouble_watch, a_flood_of_fragments_is_one_warning_and_few_fragments_are_none, .init = ready,
	.fini = gateway_close)
{
	static const enum drop_reason reason[] = { DROP_NAT_FRAGMENT, DROP_NAT_FRAGMENT_OVERLAP,
		DROP_NAT_FRAGMENT_TIMEOUT, DROP_FRAGMENT_TINY, DROP_FRAGMENT_MALFORMED };

	for (unsigned i = 0; i < RTE_DIM(reason); i++)
		seconds_with(30, reason[i], 90);
	cr_assert_eq(lines_with(""), 0);
	for (unsigned i = 0; i < 30; i++) /* each of them is few, all are many */
		for (unsigned r = 0; r < RTE_DIM(reason); r++) {
			g.path->context[0]->counters.drop[reason[r]] += 300;
			seconds_pass(r == 0);
		}
	cr_assert_eq(lines_with("warning: a flood of fragments"), 1);
	cr_assert_eq(lines_with(""), 1);
}

Test(trouble_watch, what_the_slow_path_drops_counts_as_well, .init = ready, .fini = gateway_close)
{
	for (unsigned i = 0; i < 5; i++) {
		slowpath_counts()->drop[SLOWPATH_DROP_LOCAL_FRAGMENT] += 15000;
		seconds_pass(1);
	}
	cr_assert_eq(lines_with("warning: a flood of fragments"), 1);
	slowpath_counts()->drop[SLOWPATH_DROP_CONTROL_POOL_EMPTY]++;
	seconds_pass(1);
	cr_assert_eq(lines_with("warning: no packet buffers are free"), 1);
	cr_assert_eq(lines_with(""), 2);
}

Test(trouble_watch, a_full_table_that_drops_no_packet_is_told_too, .init = ready, .fini = gateway_close)
{
	struct fragment_table *table = g.plane->nat->owner[1]->fragments;
	struct fragment first = { .from = 0, .to = 100, .protocol = 17 };
	uint32_t ports;

	for (uint32_t i = 0; i < FRAGMENT_DATAGRAMS / 2; i++) {
		first.source = rte_cpu_to_be_32(0x0a000000 + i);
		cr_assert_eq(fragment_table_take(table, &first, NULL, 0, &ports), FRAGMENT_PASSES);
	}
	seconds_pass(2);
	cr_assert_eq(lines_with(""), 0, "there was room for these");
	for (first.id = 1; first.id < 500; first.id++)
		fragment_table_take(table, &first, NULL, 0, &ports);
	seconds_pass(2);
	cr_assert_eq(lines_with("warning: the fragment table is full"), 1);
	slowpath_counts()->neighbours_refused++;
	seconds_pass(2);
	cr_assert_eq(lines_with("warning: the neighbour table is full"), 1);
	slowpath_counts()->vteps_refused++;
	seconds_pass(2);
	cr_assert_eq(lines_with("warning: the table of VTEPs is full"), 1);
	slowpath_counts()->syns_not_held++;
	seconds_pass(2);
	cr_assert_eq(lines_with("warning: the queue of unsolicited SYNs is full"), 1);
	cr_assert_eq(lines_with(""), 4);
}

Test(trouble_watch, events_that_the_log_of_nat_loses_are_told_once_a_minute, .init = ready,
	.fini = gateway_close)
{
	for (unsigned i = 0; i < 60; i++) {
		g.plane->nat->owner[0]->events.lost += 1000000;
		seconds_pass(1);
	}
	cr_assert_eq(lines_with("warning: the queue to the log of NAT is full"), 1);
	cr_assert_eq(lines_with(""), 1);
}

Test(trouble_watch, a_port_that_loses_packets_on_the_way_in_is_named, .init = ready, .fini = gateway_close)
{
	device_stats.imissed = 999;
	seconds_pass(2);
	cr_assert_eq(lines_with(""), 0);
	for (unsigned i = 0; i < 5; i++) {
		device_stats.imissed += 500;
		device_stats.rx_nombuf += 500;
		seconds_pass(1);
	}
	cr_assert_eq(lines_with("warning: u: packets come faster than packet lcores take them"), 1);
	cr_assert_eq(lines_with(""), 1);
}

Test(trouble_watch, a_segment_at_its_mac_limit_is_named, .init = ready, .fini = gateway_close)
{
	seconds_pass(2);
	g.plane->segments->segment[0].mac_refused += 3;
	seconds_with(2, DROP_ROUTE_BLACKHOLE, 1000000);
	cr_assert_eq(lines_with("warning: web: the FDB or its share of it (mac_limit) is full"), 1);
	cr_assert_eq(lines_with(""), 1);
}
