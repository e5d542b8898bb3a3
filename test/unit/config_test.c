/* SPDX-License-Identifier: BSD-3-Clause */
/* What the configuration becomes, and that nothing but a configuration or clean errors come of any text. What each kind
 * of bad file is told is in configs/bad, checked by config_schema_check.py. */
#include "management/config.h"

#include "management/config_check.h"
#include "management/config_pool.h"
#include "management/config_scan.h"
#include "management/config_schema.h"
#include "management/config_suggest.h"
#include "stage/stage.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIGURE TEST_SOURCE_ROOT "/config/figure.json"
#define GOOD   TEST_SOURCE_ROOT "/test/unit/configs/good/"

/* The configuration; the errors, if any, are in *errors (free them). */
static struct config *parse(const char *text, char **errors)
{
	size_t size;
	FILE *out = open_memstream(errors, &size);
	struct config *config = config_parse("edge.json", text, out);

	fclose(out);
	return config;
}

static struct config *parse_good(const char *text)
{
	char *errors;
	struct config *config = parse(text, &errors);

	cr_assert_not_null(config, "%s", errors);
	cr_assert_str_empty(errors);
	free(errors);
	return config;
}

static struct config *read_good(const char *file)
{
	struct config *config = config_read(file, stderr);

	cr_assert_not_null(config);
	return config;
}

static char *read_text(const char *file)
{
	FILE *in = fopen(file, "re");
	char *text = NULL;
	size_t size = 0;

	cr_assert_not_null(in);
	cr_assert_gt(getdelim(&text, &size, '\0', in), 0);
	fclose(in);
	return text;
}

static void refused(const char *text, const char *expected)
{
	char *errors;
	struct config *config = parse(text, &errors);

	cr_assert_null(config);
	cr_assert_str_eq(errors, expected);
	free(errors);
}

static uint32_t v4(const char *text)
{
	struct ip_address address;

	cr_assert_eq(ip_address_parse(text, &address), 0);
	return address.v4;
}

Test(config, the_figure_is_read_as_it_is_written)
{
	struct config *c = read_good(FIGURE);

	cr_assert_str_eq(c->file, FIGURE);
	cr_assert_str_eq(c->name, "edge-a");
	cr_assert_eq(c->lcores.management.lcore, 0);
	cr_assert_eq(c->lcores.packet_count, 1);
	cr_assert_eq(c->lcores.packet[0].lcore, 1);
	cr_assert_eq(c->lcores.packet[0].cpu, 1);
	cr_assert_eq(c->lcores.plan, CONFIG_PLAN_FUSED);
	cr_assert_eq(c->memory_mib, 512);
	cr_assert_eq(c->port_count, 2);
	cr_assert_str_eq(c->port[0].device, "net_af_packet0,iface=under0");
	cr_assert_eq(c->port[0].mtu, 1600);
	cr_assert_eq(c->port[1].address[0].address.v4, v4("203.0.113.1"));
	cr_assert_eq(c->port[1].address[0].length, 24);
	cr_assert_eq(c->route[0].prefix.length, 0);
	cr_assert_eq(c->route[0].via.v4, v4("203.0.113.254"));
	cr_assert(c->vxlan.present);
	cr_assert_eq(c->vxlan.source.v4, v4("192.0.2.1"));
	cr_assert_eq(c->segment[0].vni, 5001);
	cr_assert_eq(c->segment[0].gateway.address.v4, v4("10.0.1.1"));
	cr_assert_eq(c->segment[0].mac.addr_bytes[2], 0x5e);
	cr_assert_eq(c->segment[0].vtep_count, 2);
	cr_assert_eq(c->segment[0].vtep[1].v4, v4("192.0.2.12"));
	cr_assert_eq(c->segment[0].group.family, AF_UNSPEC);
	config_free(c);
}

Test(config, the_nat_rules_of_the_figure_are_read_as_they_are_written)
{
	struct config *c = read_good(FIGURE);

	cr_assert_eq(c->nat.pool_count, 1);
	cr_assert_eq(c->nat.pool[0].range[0].first, ntohl(v4("203.0.113.10")));
	cr_assert_eq(c->nat.pool[0].range[0].last, ntohl(v4("203.0.113.13")));
	cr_assert_eq(c->nat.pool[0].address_count, 4);
	cr_assert_eq(c->nat.pool[0].ports.range[0].first, 1024);
	cr_assert_eq(c->nat.pool[0].ports.range[0].last, 65535);
	cr_assert_eq(c->nat.source[0].segment, 0);
	cr_assert_eq(c->nat.source[0].pool, 0);
	cr_assert_eq(c->nat.static_binding[0].inside.v4, v4("10.0.1.5"));
	cr_assert_eq(c->nat.static_binding[0].outside.v4, v4("203.0.113.20"));
	cr_assert_eq(c->nat.forward[0].protocol, IPPROTO_TCP);
	cr_assert_eq(c->nat.forward[0].outside_port, 8080);
	cr_assert_eq(c->nat.forward[0].inside.v4, v4("10.0.1.6"));
	cr_assert_eq(c->nat.forward[0].inside_port, 80);
	cr_assert_eq(c->nat.max_sessions, 1048576);
	cr_assert_str_eq(c->telemetry_socket, "auto");
	config_free(c);
}

Test(config, what_is_left_out_has_its_default)
{
	struct config *c = read_good(GOOD "smallest.json");

	cr_assert_eq(c->lcores.management.lcore, 0);
	cr_assert_eq(c->lcores.idle, CONFIG_IDLE_AUTO);
	cr_assert_eq(c->hugepages, CONFIG_HUGEPAGES_AUTO);
	cr_assert_eq(c->memory_mib, 0, "what is needed");
	cr_assert_eq(c->port[0].mtu, 1500);
	cr_assert_not(c->port[0].has_mac);
	cr_assert_eq(c->port[0].rx_queues, 1);
	cr_assert_eq(c->port[0].rx_descriptors, 1024);
	cr_assert_eq(c->port[0].tx_descriptors, 1024);
	cr_assert_not(c->vxlan.present);
	cr_assert_eq(c->segment_count, 0);
	cr_assert_eq(c->nat.max_sessions, 262144);
	cr_assert_eq(c->nat.new_sessions_in_overload, 50000);
	cr_assert_eq(c->nat.timeouts.tcp_established, 7440);
	cr_assert_eq(c->nat.timeouts.tcp_opening, 240);
	cr_assert_eq(c->nat.timeouts.tcp_closing, 240);
	cr_assert_eq(c->nat.timeouts.udp, 300);
	cr_assert_eq(c->nat.timeouts.icmp, 60);
	cr_assert_str_eq(c->telemetry_socket, "auto");
	config_free(c);
}

Test(config, lcores_plans_and_ports_take_all_their_forms)
{
	struct config *c = read_good(GOOD "every-key.json");

	cr_assert_eq(c->lcores.management.cpu, 3);
	cr_assert_eq(c->lcores.packet_count, 4);
	cr_assert_eq(c->lcores.packet[1].lcore, 2);
	cr_assert_eq(c->lcores.packet[1].cpu, 1);
	cr_assert_eq(c->lcores.plan, CONFIG_PLAN_EXPLICIT);
	cr_assert_eq(c->lcores.plan_entry_count, 4);
	cr_assert_eq(c->lcores.plan_entry[3].lcore, 4);
	cr_assert_eq(c->lcores.plan_entry[3].stages, 1u << STAGE_MAC_LOOKUP | 1u << STAGE_FRAGMENT |
							     1u << STAGE_VXLAN_ENCAP | 1u << STAGE_TRANSMIT);
	cr_assert_eq(c->lcores.idle, CONFIG_IDLE_POLL);
	cr_assert_eq(c->hugepages, CONFIG_HUGEPAGES_YES);
	cr_assert(c->port[0].has_mac);
	cr_assert_eq(c->port[0].mac.addr_bytes[1], 0xaa);
	cr_assert_eq(c->port[0].address_count, 3);
	cr_assert_eq(c->port[0].neighbour_count, 2);
	cr_assert_eq(c->port[0].neighbour[1].address.v4, v4("198.51.100.0"));
	cr_assert_eq(c->port[0].neighbour[1].mac.addr_bytes[5], 0x12);
	cr_assert_eq(c->port[1].neighbour_count, 0);
	cr_assert(c->route[2].blackhole);
	cr_assert_eq(c->route[2].via.family, AF_UNSPEC);
	cr_assert_eq(c->vxlan.udp_port, 8472);
	cr_assert_eq(c->vxlan.ttl, 255);
	config_free(c);
}

Test(config, segments_and_pools_take_all_their_forms)
{
	struct config *c = read_good(GOOD "every-key.json");

	cr_assert_eq(c->segment[0].mtu, 8950);
	cr_assert_eq(c->segment[0].host_count, 1);
	cr_assert_eq(c->segment[0].host[0].address.v4, v4("10.0.1.5"));
	cr_assert_eq(c->segment[0].host[0].mac.addr_bytes[5], 5);
	cr_assert_eq(c->segment[2].host[0].vtep.v4, v4("198.51.100.7"));
	cr_assert_eq(c->segment[1].vtep_count, 0);
	cr_assert_eq(c->segment[1].group.v4, v4("239.1.1.1"));
	cr_assert_eq(c->segment[1].member_count, 0);
	cr_assert_eq(c->segment[2].member_count, 2);
	cr_assert_eq(c->segment[2].member[0].length, 24);
	cr_assert_eq(c->segment[2].member[1].length, 32);
	cr_assert_eq(c->nat.pool[0].range_count, 3);
	cr_assert_eq(c->nat.pool[0].address_count, 4 + 1 + 16);
	cr_assert_eq(c->nat.pool[2].address_count, 2 + 1);
	cr_assert_eq(c->nat.pool[2].ports.count, 3);
	cr_assert_eq(c->nat.pool[2].ports.range[1].first, 4096);
	cr_assert_eq(c->nat.pool[2].ports.range[2].last, 9000);
	cr_assert_eq(c->nat.pool[2].port_count, 1024 + 4096 + 1);
	cr_assert_eq(c->nat.source[1].pool, 1);
	cr_assert_eq(c->nat.forward[2].segment, 2);
	cr_assert_eq(c->nat.forward[1].protocol, IPPROTO_UDP);
	cr_assert_str_eq(c->telemetry_socket, "off");
	config_free(c);
}

static uint32_t pieces_text(const char *pool, char text[128])
{
	char *config_text, *at = text;
	struct config *config;
	struct config_pool_walk walk = { 0 };
	struct config_nat_range piece;
	uint32_t count;

	cr_assert_gt(asprintf(&config_text,
			     "{\"name\": \"a\", \"lcores\": {\"packet\": [1]}, \"ports\": [{\"name\": \"p\", "
			     "\"device\": \"net_null0\", \"addresses\": [\"192.0.2.1/24\"]}], \"nat\": "
			     "{\"pools\": "
			     "[{\"name\": \"p\", %s}]}}",
			     pool),
		0);
	config = parse_good(config_text);
	*at = '\0';
	while (config_pool_piece(&config->nat.pool[0], &walk, &piece))
		at += sprintf(at, "%u:%u-%u ", walk.range, piece.first & 0xff, piece.last & 0xff);
	count = config->nat.pool[0].address_count;
	config_free(config);
	free(config_text);
	return count;
}

Test(config, a_pool_is_its_ranges_without_what_it_excludes)
{
	char text[128];

	cr_assert_eq(pieces_text("\"addresses\": [\"198.51.100.0/28\", \"198.51.100.32\"]", text), 17);
	cr_assert_str_eq(text, "0:0-15 1:32-32 ");
	cr_assert_eq(pieces_text("\"addresses\": [\"198.51.100.0/28\", \"198.51.100.32\"], "
				 "\"exclude\": [\"198.51.100.8-198.51.100.9\", \"198.51.100.0\", "
				 "\"198.51.100.7\", \"198.51.100.15-198.51.100.255\"]",
			     text),
		11);
	cr_assert_str_eq(text, "0:1-6 0:10-14 ");
}

/* A configuration with one segment, `port` and `segment` written into its port and segment, and `more` at the end. */
static char *with(const char *port, const char *segment, const char *more)
{
	char *text;

	cr_assert_gt(
		asprintf(&text,
			"{\"name\": \"a\", \"lcores\": {\"packet\": [1]}, \"ports\": [{\"name\": \"p\", "
			"\"device\": "
			"\"net_null0\", \"addresses\": [\"192.0.2.1/24\"]%s}], \"vxlan\": {\"source\": "
			"\"192.0.2.1\"}, "
			"\"segments\": [{\"name\": \"s\", \"vni\": 1, \"gateway\": \"10.0.0.1/24\", \"mac\": "
			"\"02:00:00:00:00:01\", \"flood\": {\"vteps\": [\"192.0.2.2\"]}%s}]%s}",
			port, segment, more),
		0);
	return text;
}

static uint16_t segment_mtu(const char *port, const char *segment)
{
	char *text = with(port, segment, "");
	struct config *config = parse_good(text);
	uint16_t mtu = config->segment[0].mtu;

	config_free(config);
	free(text);
	return mtu;
}

Test(config, a_segment_gets_the_mtu_that_the_underlay_leaves_but_1500_at_most)
{
	cr_assert_eq(segment_mtu("", ""), 1450);
	cr_assert_eq(segment_mtu(", \"mtu\": 1549", ""), 1499);
	cr_assert_eq(segment_mtu(", \"mtu\": 1600", ""), 1500);
	cr_assert_eq(segment_mtu(", \"mtu\": 9000", ""), 1500);
	cr_assert_eq(segment_mtu(", \"mtu\": 576", ""), 526);
	cr_assert_eq(segment_mtu(", \"mtu\": 9000", ", \"mtu\": 8950"), 8950);
}

Test(config, all_errors_are_told_at_once_in_the_order_of_the_text)
{
	refused("{\n  \"lcores\": { \"packet\": [300] },\n  \"names\": \"a\",\n  \"name\": \"a\",\n  "
		"\"ports\": \"\"\n}",
		"edge.json:2:26: lcores.packet[0]: 300; want a lcore from 0 to 127 as a number, or with its "
		"CPU such as "
		"\"2@1\"\n"
		"edge.json:3:3: names: unknown key (did you mean \"name\"?); want one of \"name\", "
		"\"lcores\", \"memory\", "
		"\"ports\", \"routes\", \"vxlan\", \"segments\", \"nat\", \"telemetry\"\n"
		"edge.json:5:12: ports: \"\"; want a list of 1 to 32, each an object\n");
}

Test(config, a_file_that_cannot_be_read_is_an_error_and_not_a_crash)
{
	char *errors;
	size_t size;
	FILE *out = open_memstream(&errors, &size);

	cr_assert_null(config_read("/nonexistent/edge.json", out));
	cr_assert_null(config_read("/", out));
	fclose(out);
	cr_assert_str_eq(errors, "/nonexistent/edge.json: cannot be read: No such file or directory\n"
				 "/: cannot be read: Is a directory\n");
	free(errors);
}

Test(config, a_file_that_is_too_large_is_refused)
{
	size_t size = CONFIG_SIZE_MAX + 1;
	char *text = malloc(size + 1);

	memset(text, ' ', size);
	text[size] = '\0';
	refused(text, "edge.json:1:1: configuration: more than 16 MiB of text; want less\n");
	free(text);
}

Test(config, many_levels_of_nesting_are_refused_before_they_use_up_the_stack)
{
	size_t size = 1000000;
	char *text = malloc(size + 1), *errors;

	memset(text, '[', size);
	text[size] = '\0';
	cr_assert_null(parse(text, &errors));
	cr_assert_not_null(strstr(errors, "objects and lists more than 32 deep"));
	free(errors);
	free(text);
}

Test(config, a_found_text_is_shown_on_one_line_and_cut_when_it_is_long)
{
	char *text, *errors;

	cr_assert_gt(asprintf(&text, "{ \"name\": \"\\n\\u001b[31m%01000d\" }", 0), 0);
	cr_assert_null(parse(text, &errors));
	cr_assert_not_null(strstr(errors, "name: \"\\u000a\\u001b[31m000000"));
	cr_assert_not_null(strstr(errors, "0\"...; want a name of"));
	cr_assert_eq(strchr(errors, '\x1b'), NULL);
	cr_assert(strcspn(errors, "\n") < 1000);
	free(errors);
	free(text);
}

Test(config, more_sessions_than_there_can_be_is_an_error_that_says_what_memory_they_would_take)
{
	static const char most[] =
		" bytes of memory, and the most that there can be, 67108864, need 5502926848; want "
		"a whole number from 1 to 67108864\n";
	static const struct {
		const char *number, *bytes; /* NULL: nothing of memory is said */
	} cases[] = { { "67108865", "5502926930" }, { "99999999999", "8199999999918" },
		{ "1e300", "8.2e+301" }, { "0", NULL }, { "-5", NULL }, { "99999999999.5", NULL } };

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		char text[512], expected[512], *errors;

		snprintf(text, sizeof(text),
			"{\"name\": \"a\", \"lcores\": {\"packet\": [1]}, \"ports\": [{\"name\": \"p\", "
			"\"device\": \"net_null0\", \"addresses\": [\"192.0.2.1/24\"]}],\n"
			"\"nat\": {\"max_sessions\": %s}}",
			cases[i].number);
		cr_assert_null(parse(text, &errors));
		snprintf(expected, sizeof(expected), "nat.max_sessions: %s; these sessions alone need %s%s",
			cases[i].number, cases[i].bytes, most);
		if (cases[i].bytes != NULL)
			cr_expect_not_null(strstr(errors, expected), "%s", errors);
		else
			cr_expect_null(strstr(errors, "bytes"), "%s", errors);
		cr_expect_not_null(strstr(errors, "want a whole number from 1 to 67108864\n"), "%s", errors);
		free(errors);
	}
}

Test(config, a_large_configuration_is_checked_in_reasonable_time)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct config *config;

	fputs("{\"name\": \"a\", \"lcores\": {\"packet\": [1]}, \"ports\": [{\"name\": \"p\", \"device\": "
	      "\"net_null0\", "
	      "\"addresses\": [\"192.0.2.1/24\"]}], \"vxlan\": {\"source\": \"192.0.2.1\"}, \"segments\": [",
		out);
	for (unsigned i = 0; i < 8192; i++)
		fprintf(out,
			"%s{\"name\": \"s%u\", \"vni\": %u, \"gateway\": \"10.%u.%u.1/24\", \"mac\": "
			"\"02:00:00:00:00:01\", \"flood\": {\"vteps\": [\"192.0.2.2\", \"192.0.2.3\"]}}",
			i > 0 ? "," : "", i, i + 1, i / 256, i % 256);
	fputs("]}", out);
	fclose(out);
	config = parse_good(text);
	cr_assert_eq(config->segment_count, 8192);
	config_free(config);
	free(text);
}

/* Parses and prints; nothing may crash, leak (with ASan) or go without a reason. */
static bool survives(const char *text)
{
	char *errors, *json;
	struct config *config = parse(text, &errors);
	bool good = config != NULL;

	if (good) {
		json = config_to_json(config);
		cr_assert_not_null(json);
		free(json);
	}
	cr_assert_eq(good, errors[0] == '\0');
	config_free(config);
	free(errors);
	return good;
}

Test(config, the_example_cut_off_anywhere_is_refused_cleanly)
{
	char *text = read_text(FIGURE);
	size_t end = strlen(text);

	while (text[end - 1] == '\n')
		text[--end] = '\0';
	cr_assert(survives(text));
	while (end-- > 0) {
		text[end] = '\0';
		cr_assert_not(survives(text), "cut off after %zu bytes", end);
	}
	free(text);
}

Test(config, the_example_with_any_byte_changed_is_a_configuration_or_refused_cleanly, .timeout = 600)
{
	static const char bytes[] = "\"\\{}[]:,09-.ax/@ \n\x01\x7f\x80\xc3\xff";
	char *text = read_text(FIGURE);

	for (size_t at = 0; text[at] != '\0'; at++) {
		char kept = text[at];

		for (size_t i = 0; bytes[i] != '\0'; i++) {
			text[at] = bytes[i];
			survives(text);
		}
		text[at] = kept;
	}
	free(text);
}

Test(config, the_example_with_any_byte_left_out_or_written_twice_is_a_configuration_or_refused_cleanly)
{
	char *text = read_text(GOOD "every-key.json");
	size_t length = strlen(text);
	char *changed = malloc(length + 2);

	for (size_t at = 0; at < length; at++) {
		memcpy(changed, text, at);
		strcpy(changed + at, text + at + 1);
		survives(changed);
		memcpy(changed, text, at + 1);
		strcpy(changed + at + 1, text + at);
		survives(changed);
	}
	free(changed);
	free(text);
}

static void check_keys(const struct config_object *object)
{
	size_t count = 0;

	for (const struct config_key *key = object->keys; key->name != NULL; key++, count++) {
		cr_assert_not_null(key->meaning, "%s", key->name);
		cr_assert(!key->required || key->fallback == NULL, "%s", key->name);
		if (key->type == CONFIG_OBJECT)
			check_keys(key->object);
	}
	cr_assert_leq(count, CONFIG_KEYS_MAX);
}

Test(config, every_key_of_the_table_has_a_meaning)
{
	check_keys(&config_top);
}

Test(config, a_slip_of_the_fingers_is_close_and_another_word_is_not)
{
	cr_assert_eq(config_edit_distance("gateway", "gateway"), 0);
	cr_assert_eq(config_edit_distance("Gateway", "gateway"), 0);
	cr_assert_eq(config_edit_distance("gatewa", "gateway"), 1);
	cr_assert_eq(config_edit_distance("gatewaay", "gateway"), 1);
	cr_assert_eq(config_edit_distance("gatewya", "gateway"), 1);
	cr_assert_eq(config_edit_distance("", "gateway"), 7);
	cr_assert_eq(config_edit_distance("vni", "gateway"), 7);
}
