/* SPDX-License-Identifier: BSD-3-Clause */
/* The telemetry of a gateway that has everything but ports: real tables, two packet lcores played by one thread, and
 * the real socket, asked by the client of vxgatectl. */
#include "base/clock.h"
#include "management/config_apply.h"
#include "management/steering.h"
#include "management/telemetry_commands.h"
#include "slowpath/slowpath.h"
#include "stage/lcore_command.h"
#include "stage/packet_path.h"
#include "vxgatectl/lines.h"
#include "vxgatectl/telemetry_client.h"
#include <criterion/criterion.h>
#include <pthread.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LCORES   2
#define SESSIONS 3000
#define MACS     700

static const char config_text[] =
	"{ \"name\": \"seen\","
	"  \"lcores\": { \"management\": 0, \"packet\": [1, 2], \"idle\": \"poll\" },"
	"  \"ports\": [ { \"name\": \"underlay\", \"device\": \"net_null0\", \"mtu\": 1600,"
	"                 \"addresses\": [\"192.0.2.1/24\"] },"
	"               { \"name\": \"uplink\", \"device\": \"net_null1\", \"addresses\": "
	"[\"203.0.113.1/24\"] } ],"
	"  \"routes\": [ { \"prefix\": \"0.0.0.0/0\", \"via\": \"203.0.113.254\" } ],"
	"  \"vxlan\": { \"source\": \"192.0.2.1\" },"
	"  \"segments\": [ { \"name\": \"web\", \"vni\": 5001, \"gateway\": \"10.0.1.1/24\","
	"                    \"mac\": \"02:00:5e:00:50:01\", \"flood\": { \"vteps\": [\"192.0.2.11\", "
	"\"192.0.2.12\"] } } ],"
	"  \"nat\": { \"pools\": [ { \"name\": \"internet\", \"addresses\": [\"203.0.113.10-203.0.113.13\"],"
	"                            \"ports\": \"1024-65535\", \"limits\": { \"ports\": 36, \"sessions\": "
	"30 } } ],"
	"             \"source\": [ { \"segment\": \"web\", \"prefix\": \"10.0.1.0/24\", \"pool\": "
	"\"internet\" } ],"
	"             \"static\": [ { \"segment\": \"web\", \"inside\": \"10.0.1.5\", \"outside\": "
	"\"203.0.113.20\" } ],"
	"             \"forward\": [ { \"segment\": \"web\", \"protocol\": \"tcp\", \"outside\": "
	"\"203.0.113.1:8080\","
	"                              \"inside\": \"10.0.1.6:80\" } ],"
	"             \"max_sessions\": 16384 } }";

static struct {
	struct config *config;
	struct data_plane *plane;
	struct packet_path *path;
	struct slowpath *slowpath;
	struct doorbell doorbell;
	struct rte_mempool *pool;
	pthread_t lcores;
	_Atomic bool stop;
	struct telemetry_client client;
} g;

static void *lcores_run(void *argument)
{
	(void)argument;
	while (!g.stop) {
		for (uint16_t i = 0; i < g.path->count; i++)
			packet_path_poll(g.path->context[i], rte_rdtsc());
		sched_yield();
	}
	return NULL;
}

static void eal_with_telemetry(void)
{
	static char prefix[32];
	char *arguments[] = { "test", "--no-huge", "-m", "256", "--no-pci", "--file-prefix", prefix, "-l",
		"0", "--log-level=1", NULL };

	snprintf(prefix, sizeof(prefix), "vxgate-test-%d", getpid());
	cr_assert_geq(rte_eal_init(10, arguments), 0, "the EAL does not start");
}

static void gateway_make(void)
{
	const struct port_facts facts[2] = { { .device = 0 }, { .device = 1 } };
	struct slowpath_channel channels[LCORES];
	struct lcore_plan plan = { .count = LCORES, .ring_size = 256 };

	g.pool = rte_pktmbuf_pool_create("control", 255, 0, PACKET_PRIVATE_SIZE, 2048, 0);
	g.config = config_parse("seen.json", config_text, stderr);
	cr_assert_not_null(g.config);
	g.plane = data_plane_create(g.config, facts, LCORES, g.pool);
	cr_assert_not_null(g.plane);
	cr_assert_eq(doorbell_open(&g.doorbell, false), 0);
	for (unsigned i = 0; i < LCORES; i++)
		plan.entry[i] = (struct lcore_plan_entry){ .lcore = i + 1, .stages = (1u << STAGES) - 1 };
	g.path = packet_path_wire("seen", &plan, g.plane, &g.doorbell);
	cr_assert_not_null(g.path);
	for (unsigned i = 0; i < LCORES; i++) {
		struct lcore_context *context = g.path->context[i];

		channels[i] = (struct slowpath_channel){ context->punt, context->inject, context->events,
			&context->doorbell };
	}
	g.slowpath = slowpath_create(g.plane, channels, LCORES, &(struct slowpath_settings){ 0 });
	cr_assert_not_null(g.slowpath);
}

/* A device that can, one that cannot, and one of rules. */
static const struct steering steering = { .owners = LCORES,
	.nat = { .block_shift = 9 },
	.port_count = 3,
	.port = { { .name = "underlay", .inside = true, .method = STEERING_RSS, .queue = { 1, 0 } },
		{ .name = "uplink", .outside = true, .why = "no flow rules" },
		{ .name = "other",
			.outside = true,
			.method = STEERING_RULES,
			.rules = 8,
			.queue = { 1, 0 } } } };

static void gateway_start(void)
{
	char path[160];

	eal_with_telemetry();
	gateway_make();
	cr_assert_eq(pthread_create(&g.lcores, NULL, lcores_run, NULL), 0);
	const struct telemetry_sources sources = { g.config, g.plane, g.path, g.slowpath, NULL,
		clock_now_ns(), .steering = &steering };
	cr_assert_eq(telemetry_start(&sources), 0);
	snprintf(path, sizeof(path), "%s/dpdk_telemetry.v2", rte_eal_get_runtime_dir());
	cr_assert_eq(client_open(&g.client, path, 5000), 0, "%s", g.client.error);
}

static void lcores_stop(void)
{
	g.stop = true;
	pthread_join(g.lcores, NULL);
}

static void gateway_stop(void)
{
	char command[200];

	client_close(&g.client);
	telemetry_stop();
	if (!g.stop)
		lcores_stop();
	slowpath_destroy(g.slowpath);
	packet_path_unwire(g.path);
	data_plane_destroy(g.plane);
	config_free(g.config);
	doorbell_close(&g.doorbell);
	snprintf(command, sizeof(command), "rm -rf '%s'", rte_eal_get_runtime_dir());
	rte_eal_cleanup();
	(void)!system(command);
}

TestSuite(telemetry, .init = gateway_start, .fini = gateway_stop);

static struct rte_mbuf *packet_make(uint32_t number)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(g.pool);
	bool tcp = number % 2;

	cr_assert_not_null(m);
	char *frame = rte_pktmbuf_append(m, L3_OFFSET + 20 + 20);
	memset(frame, 0, m->pkt_len);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + L3_OFFSET);
	*ip = (struct rte_ipv4_hdr){ .version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = rte_cpu_to_be_16(tcp ? 40 : 28),
		.time_to_live = 64,
		.next_proto_id = tcp ? IPPROTO_TCP : IPPROTO_UDP,
		.src_addr = rte_cpu_to_be_32(0x0a000100 + 10 + number % 100),
		.dst_addr = rte_cpu_to_be_32(0xc6336407) };
	struct rte_tcp_hdr *l4 = (struct rte_tcp_hdr *)(ip + 1); /* the ports are where those of UDP are */
	l4->src_port = rte_cpu_to_be_16((uint16_t)(2000 + number / 100));
	l4->dst_port = rte_cpu_to_be_16(443);
	if (tcp) {
		l4->data_off = 5 << 4;
		l4->tcp_flags = RTE_TCP_SYN_FLAG;
	}
	*packet_metadata(m) = (struct packet_metadata){ .ingress = interface_of_segment(0),
		.flags = PACKET_FROM_TUNNEL,
		.neighbour = INDEX_NONE,
		.protocol = ip->next_proto_id,
		.l4_offset = L3_OFFSET + 20 };
	return m;
}

/* The uplink's neighbour is not known, so what has become a session ends at the slow path's door. */
static void punted_free(void)
{
	struct rte_mbuf *m;

	for (uint16_t i = 0; i < g.path->count; i++)
		while (rte_ring_dequeue(g.path->context[i]->punt, (void **)&m) == 0)
			rte_pktmbuf_free(m);
}

/* Packets of web hosts as they are once the tunnel is removed, each of a session of its own. */
static void packets_run(uint32_t first, uint32_t end)
{
	lcores_stop();
	for (uint32_t i = first; i < end; i++) {
		struct rte_mbuf *m = packet_make(i);

		packet_path_run(g.path->context[0], STAGE_ROUTE, &m, 1);
		for (uint16_t lcore = 0; lcore < g.path->count; lcore++)
			packet_path_poll(g.path->context[lcore], rte_rdtsc());
		punted_free();
	}
	g.stop = false;
	cr_assert_eq(pthread_create(&g.lcores, NULL, lcores_run, NULL), 0);
}

static void sessions_open(void)
{
	packets_run(0, SESSIONS);
}

struct rows {
	uint32_t count;
	cJSON *kept; /* an array of them all */
};

static bool row_keep(void *argument, cJSON *row)
{
	struct rows *rows = argument;

	rows->count++;
	cJSON_AddItemToArray(rows->kept, cJSON_Duplicate(row, true));
	return true;
}

static struct rows rows_of(const char *command, const char *list, const char *parameters)
{
	struct rows rows = { .kept = cJSON_CreateArray() };

	cr_assert_eq(
		client_list(&g.client, command, list, parameters, row_keep, &rows), 0, "%s", g.client.error);
	return rows;
}

static uint32_t count_of(const char *command, const char *list, const char *parameters)
{
	struct rows rows = rows_of(command, list, parameters);

	cJSON_Delete(rows.kept);
	return rows.count;
}

static const char *text_of(const cJSON *row, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, key));

	cr_assert_not_null(text, "no %s", key);
	return text;
}

static double number_of(const cJSON *row, const char *key)
{
	const cJSON *number = cJSON_GetObjectItemCaseSensitive(row, key);

	cr_assert(cJSON_IsNumber(number), "no %s", key);
	return number->valuedouble;
}

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* No two rows have the same `outer` endpoint and protocol (or, with NULL, MAC). */
static void rows_differ(const struct rows *rows, const char *outer)
{
	char **text = calloc(rows->count, sizeof(*text));
	const cJSON *row;
	uint32_t n = 0;

	cJSON_ArrayForEach (row, rows->kept) {
		const cJSON *end = cJSON_GetObjectItemCaseSensitive(row, outer);

		if (asprintf(&text[n++], "%s %s %.0f", text_of(end, "address"), text_of(row, "protocol"),
			    number_of(end, "port")) < 0)
			abort();
	}
	qsort(text, n, sizeof(*text), text_compare);
	for (uint32_t i = 1; i < n; i++)
		cr_assert_str_neq(text[i - 1], text[i]);
	for (uint32_t i = 0; i < n; i++)
		free(text[i]);
	free(text);
}

Test(telemetry, each_session_is_listed_once_over_all_pages_and_owners)
{
	sessions_open();
	struct rows rows = rows_of("/vxgate/sessions", "sessions", NULL);
	cr_assert_eq(rows.count, SESSIONS);
	rows_differ(&rows, "outside");
	const cJSON *row = cJSON_GetArrayItem(rows.kept, 0);
	cr_assert_str_eq(text_of(row, "segment"), "web");
	cr_assert_str_eq(text_of(row, "kind"), "dynamic");
	cr_assert_eq(number_of(cJSON_GetObjectItem(row, "remote"), "port"), 443);
	bool lcore[LCORES + 1] = { false };
	cJSON_ArrayForEach (row, rows.kept)
		lcore[(int)number_of(row, "lcore")] = true;
	cr_assert(lcore[1] && lcore[2], "both owners have sessions");
	cJSON_Delete(rows.kept);
}

Test(telemetry, sessions_are_filtered_by_what_describes_them)
{
	sessions_open();
	cr_assert_eq(count_of("/vxgate/sessions", "sessions", "protocol=tcp"), SESSIONS / 2);
	cr_assert_eq(count_of("/vxgate/sessions", "sessions", "inside=10.0.1.10"), SESSIONS / 100);
	cr_assert_eq(count_of("/vxgate/sessions", "sessions", "inside=10.0.1.10:2003"), 1);
	cr_assert_eq(count_of("/vxgate/sessions", "sessions", "port=2003"), 100);
	cr_assert_eq(count_of("/vxgate/sessions", "sessions", "port=443,segment=web"), SESSIONS);
	cr_assert_eq(count_of("/vxgate/sessions", "sessions", "remote=198.51.100.8"), 0);
}

Test(telemetry, bindings_of_rules_and_of_sessions_are_one_list)
{
	sessions_open();
	struct rows rows = rows_of("/vxgate/bindings", "bindings", NULL);
	cr_assert_eq(rows.count, SESSIONS + 2);
	cr_assert_str_eq(text_of(cJSON_GetArrayItem(rows.kept, 0), "kind"), "static");
	cr_assert_str_eq(text_of(cJSON_GetArrayItem(rows.kept, 1), "kind"), "forward");
	cr_assert_str_eq(text_of(cJSON_GetArrayItem(rows.kept, 2), "kind"), "dynamic");
	rows_differ(&rows, "inside");
	cJSON_Delete(rows.kept);
	cr_assert_eq(count_of("/vxgate/bindings", "bindings", "inside=10.0.1.6:80"), 1);
	cr_assert_eq(count_of("/vxgate/bindings", "bindings", "inside=10.0.1.5:1234,protocol=udp"), 1,
		"a static binding is for all ports and protocols");
}

/* Conforms: RFC 6888 REQ-10. */
Test(telemetry, pools_say_how_many_ports_are_used)
{
	sessions_open();
	struct rows rows = rows_of("/vxgate/nat_pools", "nat_pools", NULL);
	const cJSON *pool = cJSON_GetArrayItem(rows.kept, 0);

	cr_assert_eq(rows.count, 1);
	cr_assert_str_eq(text_of(pool, "name"), "internet");
	cr_assert_eq(number_of(pool, "ports"), 4 * 64512);
	cr_assert_eq(number_of(pool, "used_tcp"), SESSIONS / 2);
	cr_assert_eq(number_of(pool, "used_udp"), SESSIONS / 2);
	cJSON_Delete(rows.kept);
}

static double cleared(const char *filters)
{
	cJSON *reply = client_ask(&g.client, "/vxgate/nat_clear", filters);

	cr_assert_not_null(reply, "%s", g.client.error);
	double ended = number_of(reply, "ended");
	cr_assert_eq(number_of(reply, "next"), 0);
	cJSON_Delete(reply);
	return ended;
}

/* Conforms: RFC 6888 REQ-11c. */
Test(telemetry, hosts_say_what_they_have_and_what_they_were_refused)
{
	sessions_open();
	packets_run(SESSIONS, SESSIONS + 1); /* one session too many for the first host */
	struct rows rows = rows_of("/vxgate/nat_hosts", "nat_hosts", NULL);
	const cJSON *row;

	cr_assert_eq(rows.count, 100);
	cJSON_ArrayForEach (row, rows.kept) {
		bool first = strcmp(text_of(row, "inside"), "10.0.1.10") == 0;

		cr_assert_str_eq(text_of(row, "segment"), "web");
		cr_assert_eq(strncmp(text_of(row, "outside"), "203.0.113.1", 11), 0);
		cr_assert_str_eq(text_of(row, "pool"), "internet");
		cr_assert_eq(number_of(row, "sessions"), SESSIONS / 100);
		cr_assert_eq(number_of(row, "ports"), SESSIONS / 100);
		cr_assert_eq(number_of(row, "limit_ports"), 36);
		cr_assert_eq(number_of(row, "refused_host_sessions"), first ? 1 : 0);
		cr_assert_eq(number_of(row, "refused_pool_ports"), 0);
	}
	cJSON_Delete(rows.kept);
	for (unsigned host = 10; host < 110; host++) {
		char filter[32];

		snprintf(filter, sizeof(filter), "inside=10.0.1.%u", host);
		cr_assert_eq(count_of("/vxgate/nat_hosts", "nat_hosts", filter), 1);
	}
	cr_assert_eq(count_of("/vxgate/nat_hosts", "nat_hosts", "inside=10.0.1.9"), 0);
}

Test(telemetry, a_host_without_a_session_is_listed_with_what_it_was_refused)
{
	sessions_open();
	packets_run(SESSIONS, SESSIONS + 1);
	cr_assert_eq(cleared("inside=10.0.1.10"), SESSIONS / 100);
	struct rows rows = rows_of("/vxgate/nat_hosts", "nat_hosts", "inside=10.0.1.10");
	const cJSON *row = cJSON_GetArrayItem(rows.kept, 0);

	cr_assert_eq(rows.count, 1);
	cr_assert_eq(number_of(row, "sessions"), 0);
	cr_assert_eq(number_of(row, "refused_host_sessions"), 1);
	cJSON_Delete(rows.kept);
}

Test(telemetry, limits_say_how_many_hosts_are_near_them)
{
	sessions_open();
	packets_run(SESSIONS, SESSIONS + 2);
	struct rows rows = rows_of("/vxgate/nat_limits", "nat_limits", NULL);
	const cJSON *row = cJSON_GetArrayItem(rows.kept, 0);

	cr_assert_eq(rows.count, 1);
	cr_assert_str_eq(text_of(row, "pool"), "internet");
	cr_assert_eq(number_of(row, "hosts"), 100);
	cr_assert_eq(number_of(row, "limit_ports"), 36);
	cr_assert_eq(number_of(row, "hosts_near_ports"), 100, "30 of 36 are more than 80 percent");
	cr_assert_eq(number_of(row, "hosts_at_ports"), 0);
	cr_assert_eq(number_of(row, "hosts_near_sessions"), 100);
	cr_assert_eq(number_of(row, "hosts_at_sessions"), 100);
	cr_assert_eq(number_of(row, "refused_host_sessions"), 2);
	cJSON_Delete(rows.kept);
}

static cJSON *row_of(cJSON *rows, const cJSON *wanted)
{
	cJSON *row;

	cJSON_ArrayForEach (row, rows)
		if (cJSON_Compare(row, wanted, true))
			return row;
	return NULL;
}

static bool line_keep(void *argument, cJSON *row)
{
	return cJSON_AddItemToArray(argument, cJSON_Duplicate(row, true));
}

static void times_forget(cJSON *rows)
{
	cJSON *row;

	cJSON_ArrayForEach (row, rows) {
		cJSON_DeleteItemFromObject(row, "idle_s");
		cJSON_DeleteItemFromObject(row, "expires_in_s");
	}
}

/* In lines as in rows. */
static void same_in_lines(const char *lines, line_row *make, const char *command, const char *list)
{
	cJSON *of_lines = cJSON_CreateArray(), *row;
	struct rows rows = rows_of(command, list, "inside=10.0.1.10");

	cr_assert_eq(lines_list(&g.client, lines, NULL, make, line_keep, of_lines), 0, "%s", g.client.error);
	cr_assert_geq(cJSON_GetArraySize(of_lines), SESSIONS);
	cJSON_Delete(of_lines);
	of_lines = cJSON_CreateArray();
	cr_assert_eq(lines_list(&g.client, lines, "inside=10.0.1.10", make, line_keep, of_lines), 0);
	cr_assert_eq((uint32_t)cJSON_GetArraySize(of_lines), rows.count);
	times_forget(rows.kept);
	times_forget(of_lines);
	cJSON_ArrayForEach (row, rows.kept)
		cr_assert_not_null(row_of(of_lines, row), "%s", cJSON_PrintUnformatted(row));
	cJSON_Delete(of_lines);
	cJSON_Delete(rows.kept);
}

Test(telemetry, sessions_and_bindings_are_the_same_in_short_lines)
{
	sessions_open();
	same_in_lines("/vxgate/session_lines", session_of_line, "/vxgate/sessions", "sessions");
	same_in_lines("/vxgate/binding_lines", binding_of_line, "/vxgate/bindings", "bindings");
}

static void prints_the_same(line_json *print, line_row *make, const char *line)
{
	static struct line_names names = { .count = 1, .segment = { { .vni = 5001, .name = "web" } } };
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	cr_assert(print(&names, line, out));
	fclose(out);
	cJSON *fast = cJSON_Parse(text), *slow = make(&names, line);
	cr_assert(cJSON_Compare(fast, slow, true), "%s", text);
	cJSON_Delete(fast);
	cJSON_Delete(slow);
	free(text);
	out = fopen("/dev/null", "w");
	cr_assert(!print(&names, "1389 11 a00010a", out));
	cr_assert(!print(&names, "", out));
	fclose(out);
}

Test(telemetry, the_fast_way_to_print_prints_the_same_json)
{
	prints_the_same(session_line_json, session_of_line,
		"1389 11 a00010a 7d0 cb00710c ffff c6336407 1bb established d 1f 12c 1 ff 1c a5b3c7d9e1 2");
	prints_the_same(session_line_json, session_of_line,
		"1389 1 a00010a 7d0 cb00710c ffff c6336407 0 icmp s 0 0 0 0 0 0 3f");
	prints_the_same(binding_line_json, binding_of_line, "1389 6 a00010a 7d0 cb00710c ffff d 10 2");
	prints_the_same(binding_line_json, binding_of_line, "138a 0 a00010a 0 cb00710c 0 f 0 1");
}

Test(telemetry, a_port_of_a_pool_that_is_not_deterministic_is_computed_to_be_nobodys)
{
	cJSON *reply = client_ask(&g.client, "/vxgate/nat_who", "outside=203.0.113.10:1024");

	cr_assert_eq(number_of(reply, "found"), 0);
	cJSON_Delete(reply);
	cr_assert_null(client_ask(&g.client, "/vxgate/nat_who", "outside=203.0.113.10"));
}

/* Conforms: RFC 6888 REQ-10. */
Test(telemetry, sessions_are_ended_by_filter_one_or_many_and_only_those)
{
	sessions_open();
	cr_assert_null(client_ask(&g.client, "/vxgate/nat_clear", NULL), "not without a filter");
	cr_assert_null(client_ask(&g.client, "/vxgate/nat_clear", "cursor=0"));
	cr_assert_eq(cleared("inside=10.0.1.99:1"), 0);
	cr_assert_eq(cleared("inside=10.0.1.10"), SESSIONS / 100);
	cr_assert_eq(count_of("/vxgate/sessions", "sessions", "inside=10.0.1.10"), 0);
	cr_assert_eq(count_of("/vxgate/sessions", "sessions", NULL), SESSIONS - SESSIONS / 100);
	cr_assert_eq(cleared("protocol=tcp,state=established"), 0);
	cr_assert_eq(cleared("all=1"), SESSIONS - SESSIONS / 100);
	cr_assert_eq(count_of("/vxgate/sessions", "sessions", NULL), 0);
	cr_assert_eq(count_of("/vxgate/bindings", "bindings", NULL), 2, "the rules stay");
}

Test(telemetry, sessions_are_filtered_by_state_and_kind)
{
	sessions_open();
	cr_assert_eq(count_of("/vxgate/sessions", "sessions", "state=udp"), SESSIONS / 2);
	cr_assert_eq(count_of("/vxgate/sessions", "sessions", "kind=static"), 0);
	cr_assert_eq(count_of("/vxgate/bindings", "bindings", "kind=static"), 1);
	cr_assert_null(client_ask(&g.client, "/vxgate/sessions", "state=tired"));
	cr_assert_str_eq(g.client.error, "no state 'tired' here");
}

Test(telemetry, a_lcore_that_does_not_answer_is_named_and_holds_nobody_up_for_long)
{
	sessions_open();
	lcores_stop();
	cr_assert_null(client_ask(&g.client, "/vxgate/nat_clear", "all=1"));
	cr_assert_not_null(strstr(g.client.error, "lcore 1 did not answer in time"), "%s", g.client.error);
	cr_assert_eq(count_of("/vxgate/sessions", "sessions", NULL), SESSIONS, "reading asks no lcore");
	cr_assert_eq(count_of("/vxgate/ports", "ports", NULL), 2, "the rest is still told");
}

Test(telemetry, all_macs_are_listed_and_found_by_segment_mac_and_vtep)
{
	for (uint32_t i = 0; i < MACS; i++) {
		struct rte_ether_addr mac = { { 0x52, 0x54, 0, 0, (uint8_t)(i >> 8), (uint8_t)i } };

		cr_assert_geq(fdb_insert(g.plane->fdb, 0, &mac, i % 2, clock_now_ns()), 0);
	}
	cr_assert_eq(count_of("/vxgate/fdb", "fdb", NULL), MACS);
	cr_assert_eq(count_of("/vxgate/fdb", "fdb", "segment=web"), MACS);
	cr_assert_eq(count_of("/vxgate/fdb", "fdb", "mac=52:54:00:00:01:02"), 1);
	cr_assert_eq(count_of("/vxgate/fdb", "fdb", "vtep=192.0.2.11") +
			     count_of("/vxgate/fdb", "fdb", "vtep=192.0.2.12"),
		MACS);
	cr_assert_eq(count_of("/vxgate/fdb", "fdb", "count=3"), MACS, "the count is that of a page");
}

Test(telemetry, each_drop_reason_is_there_with_its_sentence_whole)
{
	g.path->context[0]->counters.drop[DROP_RING_FULL] = 3;
	g.path->context[1]->counters.drop[DROP_RING_FULL] = 4;
	struct rows rows = rows_of("/vxgate/drops", "drops", NULL);
	cr_assert_eq(rows.count, DROP_REASONS);
	for (int i = 0; i < DROP_REASONS; i++) {
		const cJSON *row = cJSON_GetArrayItem(rows.kept, i);

		cr_assert_str_eq(text_of(row, "name"), drop_reason_text[i].name);
		cr_assert_str_eq(text_of(row, "sentence"), drop_reason_text[i].sentence);
		cr_assert_eq(number_of(row, "count"), i == DROP_RING_FULL ? 7 : 0);
	}
	cJSON_Delete(rows.kept);
}

Test(telemetry, the_counters_of_a_port_are_summed_over_lcores)
{
	g.path->context[0]->counters.interface[1].rx_packets = UINT64_C(5000000000);
	g.path->context[1]->counters.interface[1].rx_packets = 1;
	struct rows rows = rows_of("/vxgate/ports", "ports", "interface=uplink");
	const cJSON *port = cJSON_GetArrayItem(rows.kept, 0);

	cr_assert_eq(rows.count, 1);
	cr_assert_str_eq(text_of(port, "name"), "uplink");
	cr_assert_eq(number_of(port, "rx_packets"), 5000000001.0);
	cr_assert_str_eq(
		cJSON_GetArrayItem(cJSON_GetObjectItem(port, "addresses"), 0)->valuestring, "203.0.113.1/24");
	cJSON_Delete(rows.kept);
}

/* The gateway has two tunnels, both of the segment web. */
Test(telemetry, the_counters_of_a_segment_are_those_of_its_tunnels_and_what_belongs_to_none)
{
	for (uint16_t i = 0; i < 2; i++) {
		struct lcore_counters *counters = &g.path->context[i]->counters;

		for (uint32_t tunnel = 0; tunnel < 2; tunnel++)
			counters->tunnel[tunnel].counters = (struct interface_counters){
				.rx_packets = 1 + tunnel, .rx_bytes = 100, .tx_packets = 10, .tx_bytes = 1000
			};
		counters->interface[interface_of_segment(0)] =
			(struct interface_counters){ .rx_packets = 50, .rx_bytes = 7 };
		counters->interface[interface_of_segment(1)].tx_packets = 3;
	}
	struct rows rows = rows_of("/vxgate/segments", "segments", "segment=web");
	const cJSON *segment = cJSON_GetArrayItem(rows.kept, 0);

	cr_assert_eq(rows.count, 1);
	cr_assert_eq(number_of(segment, "rx_packets"), 2 * (1 + 2 + 50));
	cr_assert_eq(number_of(segment, "rx_bytes"), 2 * (100 + 100 + 7));
	cr_assert_eq(number_of(segment, "tx_packets"), 2 * (10 + 10));
	cr_assert_eq(number_of(segment, "tx_bytes"), 2 * (1000 + 1000));
	cJSON_Delete(rows.kept);
}

Test(telemetry, lcores_say_what_each_stage_costs)
{
	g.path->context[1]->counters.stage[STAGE_ROUTE].packets = 1000;
	g.path->context[1]->counters.stage[STAGE_ROUTE].cycles = 45500;
	g.path->context[1]->counters.fast_path.packets = 10;
	g.path->context[1]->counters.fast_path.cycles = 900;
	struct rows rows = rows_of("/vxgate/lcores", "lcores", NULL);
	const cJSON *row = cJSON_GetArrayItem(rows.kept, 1), *stages = cJSON_GetObjectItem(row, "stages");

	cr_assert_eq(rows.count, LCORES);
	cr_assert_eq(number_of(row, "lcore"), 2);
	cr_assert_eq(cJSON_GetArraySize(stages), STAGES + 1, "and the fast path");
	cr_assert_eq(number_of(cJSON_GetObjectItem(stages, "fast_path"), "cycles_a_packet"), 90);
	cr_assert_eq(number_of(cJSON_GetObjectItem(stages, "route"), "cycles_a_packet"), 45);
	cJSON_Delete(rows.kept);
}

Test(telemetry, lcores_say_how_the_packets_of_their_flows_get_to_them)
{
	struct rows rows = rows_of("/vxgate/lcores", "lcores", NULL);

	cr_assert_eq(rows.count, LCORES);
	for (int i = 0; i < LCORES; i++) {
		const cJSON *steered =
			cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(rows.kept, i), "steered");

		cr_assert_eq(cJSON_GetArraySize(steered), 3);
		cr_assert_str_eq(cJSON_GetStringValue(cJSON_GetArrayItem(steered, 0)),
			i == 0 ? "underlay:1 rss" : "underlay:0 rss");
		cr_assert_str_eq(cJSON_GetStringValue(cJSON_GetArrayItem(steered, 1)), "uplink handoff");
		cr_assert_not_null(strstr(text_of(cJSON_GetArrayItem(rows.kept, i), "note"), "not on a NIC"));
	}
	cJSON_Delete(rows.kept);
}

Test(telemetry, ports_say_which_rules_bring_packets_home_and_that_no_nic_was_there_to_test_it)
{
	struct rows rows = rows_of("/vxgate/steering", "steering", NULL);
	const cJSON *row, *queues;

	cr_assert_eq(rows.count, 3);
	for (int i = 0; i < 3; i++) {
		row = cJSON_GetArrayItem(rows.kept, i);
		cr_assert_eq(strstr(text_of(row, "note"), "not on a NIC") != NULL, i != 1, "port %d", i);
		cr_assert_eq(number_of(row, "block"), i == 2 ? 512 : 0);
	}
	/* 203.0.113.10/31 and .12/31, of each TCP and UDP. */
	queues = cJSON_GetObjectItemCaseSensitive(row, "queue_rules");
	cr_assert_eq(number_of(row, "rules"), 8);
	cr_assert_eq(cJSON_GetArraySize(queues), 2);
	cr_assert_str_eq(cJSON_GetStringValue(cJSON_GetArrayItem(queues, 0)), "1:4");
	cr_assert_str_eq(cJSON_GetStringValue(cJSON_GetArrayItem(queues, 1)), "0:4");
	cJSON_Delete(rows.kept);
}

Test(telemetry, rules_say_which_ports_of_which_addresses_come_to_which_queue)
{
	struct rows rows = rows_of("/vxgate/steering_rules", "steering_rules", NULL);
	uint32_t queue[2] = { 0 };
	const cJSON *row;

	cr_assert_eq(rows.count, 8);
	cJSON_ArrayForEach (row, rows.kept) {
		uint32_t its = (uint32_t)number_of(row, "queue"),
			 from = (uint32_t)number_of(row, "from_port");
		bool first = strcmp(text_of(row, "addresses"), "203.0.113.10/31") == 0;
		uint16_t turn =
			nat_steering_turn(first ? RTE_BE32(0xcb00710a) : RTE_BE32(0xcb00710c), 9, LCORES);
		uint16_t owner = (uint16_t)(from / 512 ^ turn);

		cr_assert(first || strcmp(text_of(row, "addresses"), "203.0.113.12/31") == 0);

		cr_assert_str_eq(text_of(row, "port"), "other");
		cr_assert_eq(number_of(row, "ports"), 512);
		cr_assert_eq(number_of(row, "of_each"), 1024);
		cr_assert_eq(its, steering.port[2].queue[owner]);
		cr_assert_eq(number_of(row, "lcore"), owner + 1);
		queue[its]++;
	}
	cr_assert(queue[0] == 4 && queue[1] == 4);
	cJSON_Delete(rows.kept);
	/* In pages, and of one port. */
	cr_assert_eq(count_of("/vxgate/steering_rules", "steering_rules", "count=3"), 8);
	cr_assert_eq(count_of("/vxgate/steering_rules", "steering_rules", "interface=uplink"), 0);
}

Test(telemetry, tables_made_at_the_start_are_all_there)
{
	cr_assert_eq(count_of("/vxgate/segments", "segments", NULL), 1);
	cr_assert_eq(count_of("/vxgate/vteps", "vteps", NULL), 2);
	cr_assert_eq(count_of("/vxgate/vteps", "vteps", "vtep=192.0.2.12"), 1);
	cr_assert_eq(count_of("/vxgate/routes", "routes", NULL), g.plane->fib->route_count);
	cr_assert_eq(count_of("/vxgate/moves", "moves", NULL), 0);
	cr_assert_geq(neighbour_insert(g.plane->neighbours, 1, rte_cpu_to_be_32(0xcb007107)), 0);
	cr_assert_eq(count_of("/vxgate/neighbours", "neighbours", "interface=uplink,address=203.0.113.7"), 1);
	cr_assert_eq(
		count_of("/vxgate/neighbours", "neighbours", "interface=underlay,address=203.0.113.7"), 0);
}

Test(telemetry, the_configuration_comes_whole)
{
	char *wanted = config_to_json(g.config), *text = client_text(&g.client, "/vxgate/configuration");

	cr_assert_not_null(text, "%s", g.client.error);
	cr_assert_str_eq(text, wanted);
	free(text);
	free(wanted);
}

Test(telemetry, the_slow_path_and_the_gateway_introduce_themselves)
{
	cJSON *info = client_ask(&g.client, "/vxgate/info", NULL);
	cJSON *slowpath = client_ask(&g.client, "/vxgate/slowpath", NULL);

	cr_assert_str_eq(text_of(info, "name"), "seen");
	cr_assert_str_eq(text_of(info, "plan"), "fused");
	cr_assert_eq(number_of(info, "pid"), getpid());
	cr_assert_eq(number_of(slowpath, "moves"), 0);
	cr_assert_eq(number_of(cJSON_GetObjectItem(slowpath, "punted"), "arp"), 0);
	cJSON_Delete(info);
	cJSON_Delete(slowpath);
}

Test(telemetry, a_wrong_question_gets_a_sentence_and_a_wild_cursor_an_end)
{
	cr_assert_null(client_ask(&g.client, "/vxgate/fdb", "colour=red"));
	cr_assert_str_eq(
		g.client.error, "unknown parameter 'colour'; there are: cursor count segment mac vtep");
	static const char *const lists[] = { "ports", "lcores", "segments", "vteps", "fdb", "neighbours",
		"routes", "bindings", "sessions", "nat_pools", "nat_hosts", "nat_limits", "drops", "moves" };
	for (size_t i = 0; i < RTE_DIM(lists); i++) {
		char command[40];

		snprintf(command, sizeof(command), "/vxgate/%s", lists[i]);
		for (unsigned bits = 0; bits < 64; bits++) {
			char cursor[40];

			snprintf(cursor, sizeof(cursor), "cursor=%lu", (UINT64_C(1) << bits) + 5);
			cJSON *reply = client_ask(&g.client, command, cursor);
			cr_assert_not_null(reply, "%s %s: %s", command, cursor, g.client.error);
			cJSON_Delete(reply);
		}
	}
}

/* Counts the members that the manual does not have in `quotes`. Rows are named by their number, stages by theirs. */
static unsigned unexplained(const char *manual, const char *command, const cJSON *object, bool names)
{
	unsigned count = 0;
	const cJSON *member;

	cJSON_ArrayForEach (member, object) {
		char quoted[64];

		snprintf(quoted, sizeof(quoted), "`%s`", member->string);
		if (!names && strcmp(member->string, command) != 0 &&
			strcmp(member->string, command + 8) != 0 && member->string[0] > '9' &&
			strstr(manual, quoted) == NULL) {
			cr_log_error(
				"docs/telemetry.md has nothing on \"%s\" of %s", member->string, command);
			count++;
		}
		if (cJSON_IsObject(member))
			count += unexplained(manual, command, member, strcmp(member->string, "stages") == 0);
	}
	return count;
}

Test(telemetry, the_manual_explains_all_that_is_told)
{
	static const char *const commands[] = { "info", "configuration", "ports", "lcores", "segments",
		"vteps", "fdb", "neighbours", "routes", "bindings", "sessions", "session_lines", "nat_pools",
		"nat_hosts", "nat_limits", "nat_log", "dhcp", "port_control", "drops", "moves", "slowpath" };
	FILE *in = fopen(TEST_SOURCE_ROOT "/docs/telemetry.md", "re");
	unsigned missing = 0;
	char *manual = NULL;
	size_t size = 0;

	cr_assert_not_null(in);
	cr_assert_gt(getdelim(&manual, &size, '\0', in), 0);
	fclose(in);
	sessions_open();
	for (size_t i = 0; i < RTE_DIM(commands); i++) {
		char command[40];

		snprintf(command, sizeof(command), "/vxgate/%s", commands[i]);
		cJSON *reply = client_ask(&g.client, command, NULL);
		cr_assert_not_null(reply, "%s: %s", command, g.client.error);
		missing += unexplained(manual, command, reply, false);
		cJSON_Delete(reply);
	}
	free(manual);
	cr_assert_eq(missing, 0);
}

Test(telemetry, a_gateway_that_stops_says_so)
{
	telemetry_stop();
	cr_assert_null(client_ask(&g.client, "/vxgate/ports", NULL));
	cr_assert_str_eq(g.client.error, "the gateway is starting or stopping");
}

Test(telemetry, many_requests_leave_no_memory_behind)
{
	long before = 0, after = 0;

	for (int round = 0; round < 600; round++) {
		cr_assert_gt(count_of("/vxgate/drops", "drops", NULL), 0);
		cr_assert_eq(count_of("/vxgate/ports", "ports", NULL), 2);
		FILE *statm = fopen("/proc/self/statm", "r");
		cr_assert_not_null(statm);
		cr_assert_eq(fscanf(statm, "%*d %ld", round < 100 ? &before : &after), 1);
		fclose(statm);
	}
	/* A leak of one dictionary a request would be 500 times 70 kB. The address sanitizer holds back what is freed, so
	 * that the process grows without a leak; it looks for leaks itself. */
#ifndef __SANITIZE_ADDRESS__
	cr_assert_lt((after - before) * sysconf(_SC_PAGESIZE), 8 << 20);
#endif
}
