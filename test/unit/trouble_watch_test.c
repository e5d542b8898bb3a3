/* SPDX-License-Identifier: BSD-3-Clause */
/* Full tables and floods in the log: few lines, however many packets. */
#include "base/flood_watch.h"
#include "base/log.h"
#include "eal_fixture.h"
#include "management/config_apply.h"
#include "management/trouble_watch.h"
#include "slowpath/slowpath.h"
#include "stage/packet_path.h"
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

/* `seconds` in which each lcore drops so many packets a second for the reason, looked at as often as management does. */
static void seconds_with(unsigned seconds, enum drop_reason reason, uint64_t drops)
{
	for (unsigned i = 0; i < seconds * 20; i++) {
		if (i % 20 == 0)
			for (unsigned lcore = 0; lcore < 2; lcore++)
				g.path->context[lcore]->counters.drop[reason] += drops;
		trouble_watch_look(g.watch, g.now_ns);
		g.now_ns += 50 * NS_PER_MS;
	}
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

Test(trouble_watch, every_trouble_is_told_by_itself, .init = ready, .fini = gateway_close)
{
	static const enum drop_reason reason[] = { DROP_NAT_TABLE_FULL, DROP_NAT_NO_PORTS,
		DROP_NAT_HOST_SESSIONS, DROP_NAT_FRAGMENT_TABLE_FULL, DROP_NAT_NEW_SESSION_BUDGET,
		DROP_NAT_FILTERED, DROP_PUNT_RATE, DROP_VXLAN_UNKNOWN_VTEP, DROP_RING_FULL };

	for (unsigned i = 0; i < RTE_DIM(reason); i++) {
		seconds_with(1, reason[i], 10000);
		cr_assert_eq(lines_with("warning:"), i + 1, "%s", drop_reason_text[reason[i]].name);
	}
}

Test(trouble_watch, a_segment_at_its_mac_limit_is_named, .init = ready, .fini = gateway_close)
{
	seconds_with(2, DROP_NO_ROUTE, 0);
	g.plane->segments->segment[0].mac_refused += 3;
	seconds_with(2, DROP_NO_ROUTE, 1000000);
	cr_assert_eq(lines_with("warning: web: the FDB or its share of it (mac_limit) is full"), 1);
	cr_assert_eq(lines_with(""), 1);
}
