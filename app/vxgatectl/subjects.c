/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgatectl/subjects.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS(...) ((const struct column[]){ __VA_ARGS__, { NULL } })
#define FILTERS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_FILTERS   ((const char *const[]){ NULL })
#define TRAFFIC                                                                                              \
	{ "RX PACKETS", "rx_packets", FORMAT_COUNT }, { "RX BYTES", "rx_bytes", FORMAT_COUNT },              \
		{ "TX PACKETS", "tx_packets", FORMAT_COUNT },                                                \
	{                                                                                                    \
		"TX BYTES", "tx_bytes", FORMAT_COUNT                                                         \
	}
/* New sessions, by what was at its limit. */
#define REFUSED                                                                                              \
	{ "NO PORT", "refused_pool_ports", FORMAT_COUNT }, { "NO ROOM", "refused_sessions", FORMAT_COUNT },  \
		{ "ITS PORTS", "refused_host_ports", FORMAT_COUNT },                                         \
		{ "ITS SESSIONS", "refused_host_sessions", FORMAT_COUNT },                                   \
	{                                                                                                    \
		"ITS RATE", "refused_host_rate", FORMAT_COUNT                                                \
	}

const struct subject subject_table[] = {
	{ .name = "ports",
		.sentence = "ports: addresses, link, traffic",
		.command = "/vxgate/ports",
		.list = "ports",
		.filters = FILTERS("interface"),
		.columns = COLUMNS({ "PORT", "name" }, { "LINK", "link" }, { "MTU", "mtu", FORMAT_NUMBER },
			{ "MAC", "mac" }, { "ADDRESSES", "addresses", FORMAT_LIST }, TRAFFIC,
			{ "MISSED", "rx_missed", FORMAT_COUNT }, { "RX ERRORS", "rx_errors", FORMAT_COUNT },
			{ "TX ERRORS", "tx_errors", FORMAT_COUNT }) },
	{ .name = "lcores",
		.sentence = "packet lcores: load, and cycles a packet of each stage",
		.command = "/vxgate/lcores",
		.list = "lcores",
		.filters = NO_FILTERS,
		.note_key = "note",
		.columns = COLUMNS({ "LCORE", "lcore", FORMAT_NUMBER },
			{ "BUSY %", "busy_percent", FORMAT_NUMBER }, { "PACKETS", "packets", FORMAT_COUNT },
			{ "POLLS", "polls", FORMAT_COUNT }, { "EMPTY POLLS", "empty_polls", FORMAT_COUNT },
			{ "SLEEPS", "sleeps", FORMAT_COUNT }, { "RING FULL", "ring_full", FORMAT_COUNT },
			{ "RECEIVES", "receives", FORMAT_LIST }, { "OWNER", "owner", FORMAT_NUMBER },
			{ "STEERED", "steered", FORMAT_LIST }, { "HANDED OFF", "handed_off", FORMAT_COUNT },
			{ "SESSIONS", "sessions", FORMAT_COUNT }, { "BINDINGS", "bindings", FORMAT_COUNT },
			{ "HOSTS", "hosts", FORMAT_COUNT }, { "FRAGMENTED", "fragmented", FORMAT_COUNT },
			{ "RSTS IGNORED", "tcp_resets_ignored", FORMAT_COUNT }),
		.nested = "stages",
		.nested_name = "stage",
		.nested_of = "lcore",
		.nested_columns = COLUMNS({ "LCORE", "lcore", FORMAT_NUMBER }, { "STAGE", "stage" },
			{ "PACKETS", "packets", FORMAT_COUNT }, { "BURSTS", "bursts", FORMAT_COUNT },
			{ "CYCLES A PACKET", "cycles_a_packet", FORMAT_COUNT }) },
	{ .name = "steering",
		.sentence = "how each port brings packets to the lcores that own them",
		.command = "/vxgate/steering",
		.list = "steering",
		.filters = FILTERS("interface"),
		.note_key = "note",
		.columns = COLUMNS({ "PORT", "name" }, { "FROM", "from" }, { "STEERING", "steering" },
			{ "RULES", "rules", FORMAT_COUNT }, { "QUEUE:RULES", "queue_rules", FORMAT_LIST },
			{ "PORT BLOCK", "block", FORMAT_LIMIT },
			{ "QUEUE>LCORE>OWNER", "queue_lcore_owner", FORMAT_LIST },
			{ "WHY NOT BETTER", "why" }) },
	{ .name = "steering_rules",
		.sentence = "the flow rules of ports: which addresses and port blocks come to which queue",
		.command = "/vxgate/steering_rules",
		.list = "steering_rules",
		.filters = FILTERS("interface"),
		.note_key = "note",
		.columns = COLUMNS({ "PORT", "port" }, { "ADDRESSES", "addresses" },
			{ "PROTOCOL", "protocol" }, { "FROM PORT", "from_port", FORMAT_NUMBER },
			{ "PORTS", "ports", FORMAT_NUMBER }, { "OF EACH", "of_each", FORMAT_NUMBER },
			{ "QUEUE", "queue", FORMAT_NUMBER }, { "LCORE", "lcore", FORMAT_NUMBER }) },
	{ .name = "segments",
		.sentence = "segments: VNI, gateway, MACs, traffic",
		.command = "/vxgate/segments",
		.list = "segments",
		.filters = FILTERS("segment"),
		.columns = COLUMNS({ "SEGMENT", "name" }, { "VNI", "vni", FORMAT_NUMBER },
			{ "GATEWAY", "gateway" }, { "MAC", "mac" }, { "MTU", "mtu", FORMAT_NUMBER },
			{ "VTEPS", "vteps", FORMAT_COUNT }, { "GROUP", "group" },
			{ "MACS", "macs", FORMAT_COUNT }, { "LIMIT", "mac_limit", FORMAT_COUNT },
			{ "REFUSED", "macs_refused", FORMAT_COUNT }, TRAFFIC) },
	{ .name = "vteps",
		.sentence = "VTEPs of each segment: way, traffic",
		.command = "/vxgate/vteps",
		.list = "vteps",
		.filters = FILTERS("segment", "vtep"),
		.columns = COLUMNS({ "SEGMENT", "segment" }, { "VNI", "vni", FORMAT_NUMBER },
			{ "VTEP", "vtep" }, { "KIND", "kind" }, { "READY", "ready", FORMAT_YES_NO },
			{ "FLOOD", "flood", FORMAT_YES_NO }, { "PORT", "port" }, { "NEXT HOP", "next_hop" },
			TRAFFIC) },
	{ .name = "fdb",
		.sentence = "MACs and the VTEPs behind which they live",
		.command = "/vxgate/fdb",
		.list = "fdb",
		.filters = FILTERS("segment", "mac", "vtep"),
		.columns = COLUMNS({ "SEGMENT", "segment" }, { "MAC", "mac" }, { "VTEP", "vtep" },
			{ "IDLE", "idle_ms", FORMAT_MILLISECONDS },
			{ "LEARNED", "learned_s", FORMAT_SECONDS }, { "MOVES", "moves", FORMAT_COUNT },
			{ "PREVIOUS VTEP", "previous_vtep" }) },
	{ .name = "neighbours",
		.sentence = "neighbours: address, MAC, state",
		.command = "/vxgate/neighbours",
		.list = "neighbours",
		.filters = FILTERS("interface", "address"),
		.columns = COLUMNS({ "INTERFACE", "interface" }, { "ADDRESS", "address" }, { "MAC", "mac" },
			{ "STATE", "state" }, { "VTEP", "vtep" },
			{ "CONFIRMED", "confirmed_s", FORMAT_SECONDS },
			{ "PROBES", "probes", FORMAT_COUNT }) },
	{ .name = "routes",
		.sentence = "routes",
		.command = "/vxgate/routes",
		.list = "routes",
		.filters = FILTERS("interface"),
		.columns = COLUMNS({ "PREFIX", "prefix" }, { "KIND", "kind" }, { "VIA", "via" },
			{ "INTERFACE", "interface" }) },
	{ .name = "bindings",
		.sentence = "NAT bindings: inside to outside",
		.command = "/vxgate/binding_lines",
		.list = "lines",
		.of_line = binding_of_line,
		.json_of_line = binding_line_json,
		.filters = FILTERS("segment", "protocol", "inside", "outside", "port", "kind"),
		.columns = COLUMNS({ "SEGMENT", "segment" }, { "PROTOCOL", "protocol" },
			{ "INSIDE", "inside", FORMAT_ENDPOINT }, { "OUTSIDE", "outside", FORMAT_ENDPOINT },
			{ "KIND", "kind" }, { "SESSIONS", "sessions", FORMAT_COUNT },
			{ "LCORE", "lcore", FORMAT_NUMBER }) },
	{ .name = "sessions",
		.sentence = "NAT sessions: one line a flow",
		.command = "/vxgate/session_lines",
		.list = "lines",
		.of_line = session_of_line,
		.json_of_line = session_line_json,
		.filters = FILTERS(
			"segment", "protocol", "inside", "outside", "remote", "port", "state", "kind"),
		.columns = COLUMNS({ "SEGMENT", "segment" }, { "PROTOCOL", "protocol" },
			{ "INSIDE", "inside", FORMAT_ENDPOINT }, { "OUTSIDE", "outside", FORMAT_ENDPOINT },
			{ "REMOTE", "remote", FORMAT_ENDPOINT }, { "KIND", "kind" }, { "STATE", "state" },
			{ "IDLE", "idle_s", FORMAT_SECONDS }, { "EXPIRES", "expires_in_s", FORMAT_SECONDS },
			{ "PACKETS UP", "packets_up", FORMAT_COUNT },
			{ "PACKETS DOWN", "packets_down", FORMAT_COUNT },
			{ "BYTES UP", "bytes_up", FORMAT_COUNT },
			{ "BYTES DOWN", "bytes_down", FORMAT_COUNT }, { "LCORE", "lcore", FORMAT_NUMBER }) },
	{ .name = "dhcp",
		.sentence = "DHCP relays of segments: servers, option 82, requests and replies",
		.command = "/vxgate/dhcp",
		.list = "dhcp",
		.filters = FILTERS("segment"),
		.columns = COLUMNS({ "SEGMENT", "segment" }, { "SERVERS", "servers", FORMAT_LIST },
			{ "OPTION 82", "option_82", FORMAT_YES_NO }, { "CIRCUIT ID", "circuit_id" },
			{ "REQUESTS", "requests", FORMAT_COUNT }, { "SENT", "requests_sent", FORMAT_COUNT },
			{ "REPLIES", "replies", FORMAT_COUNT }, { "SENT", "replies_sent", FORMAT_COUNT },
			{ "82 LEFT OUT", "option_82_left_out", FORMAT_COUNT }) },
	{ .name = "port_control",
		.sentence = "port control (PCP, NAT-PMP): mappings, requests, responses by result",
		.command = "/vxgate/port_control",
		.shape = SUBJECT_OBJECT,
		.filters = NO_FILTERS },
	{ .name = "drops",
		.sentence = "dropped packets by reason; those that happened, or --all",
		.command = "/vxgate/drops",
		.list = "drops",
		.filters = NO_FILTERS,
		.zero_key = "count",
		.columns = COLUMNS({ "REASON", "name" }, { "COUNT", "count", FORMAT_COUNT },
			{ "WHAT IT MEANS", "sentence" }) },
	{ .name = "moves",
		.sentence = "the ledger of moves, newest first",
		.command = "/vxgate/moves",
		.list = "moves",
		.filters = FILTERS("segment", "mac", "vtep", "address"),
		.columns = COLUMNS({ "MOVE", "serial", FORMAT_NUMBER }, { "TIME", "time" },
			{ "SEGMENT", "segment" }, { "MAC", "mac" }, { "IP", "ip" },
			{ "OLD VTEP", "old_vtep" }, { "NEW VTEP", "new_vtep" },
			{ "LATE PACKETS", "late_packets", FORMAT_COUNT },
			{ "REPEATS", "repeats", FORMAT_COUNT },
			{ "SILENT", "silent_ms", FORMAT_MILLISECONDS },
			{ "BY PROBE", "found_by_probe", FORMAT_YES_NO },
			{ "SESSIONS KEPT", "sessions_kept", FORMAT_COUNT }) },
	{ .name = "pools",
		.sentence = "NAT pools: public ports there and used",
		.command = "/vxgate/nat_pools",
		.list = "nat_pools",
		.filters = NO_FILTERS,
		.columns = COLUMNS({ "POOL", "name" }, { "ADDRESSES", "addresses", FORMAT_COUNT },
			{ "PORTS", "ports", FORMAT_COUNT }, { "TCP USED", "used_tcp", FORMAT_COUNT },
			{ "MOST", "most_tcp", FORMAT_COUNT }, { "RESTING", "resting_tcp", FORMAT_COUNT },
			{ "UDP USED", "used_udp", FORMAT_COUNT }, { "MOST", "most_udp", FORMAT_COUNT },
			{ "RESTING", "resting_udp", FORMAT_COUNT },
			{ "ICMP USED", "used_icmp", FORMAT_COUNT }, { "MOST", "most_icmp", FORMAT_COUNT },
			{ "RESTING", "resting_icmp", FORMAT_COUNT }, { "BLOCK", "block_size", FORMAT_COUNT },
			{ "BLOCKS", "blocks", FORMAT_COUNT }, { "USED", "blocks_used", FORMAT_COUNT },
			{ "MOST", "blocks_most", FORMAT_COUNT },
			{ "RESTING", "blocks_resting", FORMAT_COUNT }) },
	{ .name = "hosts",
		.sentence = "NAT: inside hosts with what they have, and what they were refused",
		.command = "/vxgate/nat_hosts",
		.list = "nat_hosts",
		.filters = FILTERS("segment", "inside", "outside"),
		.columns = COLUMNS({ "SEGMENT", "segment" }, { "INSIDE", "inside" }, { "PUBLIC", "outside" },
			{ "POOL", "pool" }, { "SESSIONS", "sessions", FORMAT_COUNT },
			{ "LIMIT", "limit_sessions", FORMAT_LIMIT }, { "PORTS", "ports", FORMAT_COUNT },
			{ "LIMIT", "limit_ports", FORMAT_LIMIT }, { "BLOCKS", "blocks", FORMAT_COUNT },
			{ "NEW A SECOND", "limit_new_sessions_per_second", FORMAT_LIMIT }, REFUSED,
			{ "LCORE", "lcore", FORMAT_NUMBER }) },
	{ .name = "limits",
		.sentence = "NAT: limits of hosts by pool, and how many are near or at them",
		.command = "/vxgate/nat_limits",
		.list = "nat_limits",
		.filters = NO_FILTERS,
		.columns = COLUMNS({ "POOL", "pool" }, { "HOSTS", "hosts", FORMAT_COUNT },
			{ "PORTS", "limit_ports", FORMAT_LIMIT },
			{ "AT 80 %", "hosts_near_ports", FORMAT_COUNT },
			{ "AT IT", "hosts_at_ports", FORMAT_COUNT },
			{ "SESSIONS", "limit_sessions", FORMAT_LIMIT },
			{ "AT 80 %", "hosts_near_sessions", FORMAT_COUNT },
			{ "AT IT", "hosts_at_sessions", FORMAT_COUNT },
			{ "NEW A SECOND", "limit_new_sessions_per_second", FORMAT_LIMIT }, REFUSED) },
	{ .name = "log",
		.sentence = "the log of NAT: events, what was sent, what was lost",
		.command = "/vxgate/nat_log",
		.shape = SUBJECT_OBJECT,
		.filters = NO_FILTERS },
	{ .name = "slowpath",
		.sentence = "counters of ARP, ICMP, learning and searching",
		.command = "/vxgate/slowpath",
		.shape = SUBJECT_OBJECT,
		.filters = NO_FILTERS },
	{ .name = "configuration",
		.sentence = "the configuration in force, defaults filled in, as JSON",
		.command = "/vxgate/configuration",
		.shape = SUBJECT_TEXT,
		.filters = NO_FILTERS },
	{ .name = "info",
		.sentence = "name, version, plan, uptime",
		.command = "/vxgate/info",
		.shape = SUBJECT_OBJECT,
		.filters = NO_FILTERS },
};
const size_t subject_count = sizeof(subject_table) / sizeof(subject_table[0]);

const struct subject *subject_find(const char *name)
{
	for (size_t i = 0; i < subject_count; i++)
		if (strcmp(subject_table[i].name, name) == 0)
			return &subject_table[i];
	return NULL;
}

bool subject_takes(const struct subject *subject, const char *key)
{
	if (subject->shape == SUBJECT_LIST && strcmp(key, "count") == 0)
		return true;
	for (const char *const *filter = subject->filters; *filter != NULL; filter++)
		if (strcmp(*filter, key) == 0)
			return true;
	return false;
}

bool column_is_number(const struct column *column)
{
	return column->format == FORMAT_NUMBER || column->format == FORMAT_COUNT ||
	       column->format == FORMAT_LIMIT || column->format == FORMAT_SECONDS ||
	       column->format == FORMAT_MILLISECONDS;
}

static void endpoint_text(const cJSON *value, char text[CELL_TEXT])
{
	const cJSON *address = cJSON_GetObjectItemCaseSensitive(value, "address");
	const cJSON *port = cJSON_GetObjectItemCaseSensitive(value, "port");

	if (!cJSON_IsString(address) || address->valuestring[0] == '\0')
		return;
	if (cJSON_IsNumber(port) && port->valueint != 0)
		snprintf(text, CELL_TEXT, "%s:%d", address->valuestring, port->valueint);
	else
		snprintf(text, CELL_TEXT, "%s", address->valuestring);
}

static void list_text(const cJSON *value, char text[CELL_TEXT])
{
	const cJSON *item;
	size_t at = 0;

	cJSON_ArrayForEach (item, value) {
		if (cJSON_IsString(item) && at < CELL_TEXT)
			at += (size_t)snprintf(
				text + at, CELL_TEXT - at, "%s%s", at == 0 ? "" : " ", item->valuestring);
	}
}

static void number_text(enum column_format format, double value, char text[CELL_TEXT])
{
	uint64_t number = value < 0 ? 0 : (uint64_t)value;

	switch (format) {
	case FORMAT_COUNT:
		count_text(number, text);
		break;
	case FORMAT_LIMIT:
		if (number != 0)
			count_text(number, text);
		break;
	case FORMAT_SECONDS:
		duration_text(number, text);
		break;
	case FORMAT_MILLISECONDS:
		milliseconds_text(number, text);
		break;
	case FORMAT_YES_NO:
		snprintf(text, CELL_TEXT, "%s", number != 0 ? "yes" : "no");
		break;
	default:
		snprintf(text, CELL_TEXT, "%.0f", value);
	}
}

const char *column_text(const struct column *column, const cJSON *row, char text[CELL_TEXT])
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(row, column->key);

	text[0] = '\0';
	if (column->format == FORMAT_ENDPOINT)
		endpoint_text(value, text);
	else if (column->format == FORMAT_LIST)
		list_text(value, text);
	else if (cJSON_IsNumber(value))
		number_text(column->format, value->valuedouble, text);
	else if (cJSON_IsString(value))
		snprintf(text, CELL_TEXT, "%s", value->valuestring);
	return text[0] == '\0' ? "-" : text;
}
