/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of the table under "nat". */
#include "management/config_schema_private.h"

#include "stage/stage.h"
#include "table/nat.h"

static const char *pool_name(const struct config *config, uint32_t index)
{
	return config->nat.pool[index].name;
}

static const struct config_reference to_pool = { "nat.pools", "NAT pool", pool_name };
static const struct config_word protocol_words[] = { { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP },
	{ NULL } };

static const struct config_word filtering_words[] = { { "endpoint-independent", NAT_FILTER_NONE },
	{ "address-dependent", NAT_FILTER_ADDRESS },
	{ "address-and-port-dependent", NAT_FILTER_ADDRESS_AND_PORT }, { NULL } };
/* 0 is no limit. */
#define HOST_LIMIT(key_name, most, what, text)                                                               \
	{                                                                                                    \
		.name = #key_name, .meaning = text, .type = CONFIG_INTEGER, RANGE(0, most), .unit = what,    \
		.fallback = "0", FIELD(config_nat_limits, key_name)                                          \
	}

static const struct config_key limits_keys[] = {
	HOST_LIMIT(ports, 3 * 65535, "ports",
		"Public ports at a time, all protocols together. With port blocks also as many blocks as "
		"these "
		"fill."),
	HOST_LIMIT(sessions, 64u << 20, "sessions", "Sessions at a time."),
	HOST_LIMIT(new_sessions_per_second, 1000000, "sessions",
		"New sessions a second on average; as many may come at once."),
	{ NULL },
};
static const struct config_object limits_object = {
	.meaning = "What one inside host may take of a pool. 0: no limit. What is refused is counted by "
		   "reason and host; what is established stays.",
	.keys = limits_keys,
};

static const struct config_key pool_keys[] = {
	{ .name = "name",
		.meaning = "What the pool is called.",
		.type = CONFIG_TEXT,
		.format = &config_format_name,
		.required = true,
		FIELD(config_nat_pool, name) },
	{ .name = "addresses",
		.meaning = "The public addresses: ranges, single addresses or networks, with both ends. An "
			   "address of a port of the gateway may be among them, where `ports` leaves it "
			   "those below 1024 and that of VXLAN.",
		.type = CONFIG_TEXT,
		.format = &config_format_host_range,
		.required = true,
		LIST(config_nat_pool, range, range_count, 1, 1024) },
	{ .name = "exclude",
		.meaning = "Addresses within these ranges that the pool leaves alone: those of static "
			   "bindings or of other routers.",
		.type = CONFIG_TEXT,
		.format = &config_format_host_range,
		.fallback = "[]",
		LIST(config_nat_pool, exclude, exclude_count, 0, 256) },
	{ .name = "ports",
		.meaning =
			"The ports of each of these addresses that NAT may use: ranges in ascending order, "
			"with both ends.",
		.type = CONFIG_TEXT,
		.format = &config_format_port_ranges,
		.fallback = "\"1024-65535\"",
		FIELD(config_nat_pool, ports) },
	{ .name = "filtering",
		.meaning = "Who outside may reach a host by a port that it has opened (RFC 4787, "
			   "REQ-8): "
			   "`endpoint-independent`: anybody; `address-dependent`: any port of an "
			   "address that "
			   "the host has sent to from there; `address-and-port-dependent`: what the "
			   "host has "
			   "sent to.",
		.type = CONFIG_WORD,
		.words = filtering_words,
		.fallback = "\"address-and-port-dependent\"",
		FIELD(config_nat_pool, filtering) },
	{ .name = "port_block",
		.meaning =
			"Ports of a block, a power of two from 64 to 4096: a host gets whole blocks, and its "
			"bindings of all protocols have their ports there. 0: single ports.",
		.type = CONFIG_INTEGER,
		RANGE(0, NAT_PORT_BLOCK_MAX),
		.unit = "ports",
		.fallback = "0",
		FIELD(config_nat_pool, port_block) },
	{ .name = "deterministic",
		.meaning = "Whether the public address and ports of a host are computed from the "
			   "configuration (RFC 7422): all hosts of the pool's source rules get equal shares.",
		.type = CONFIG_TRUE,
		FIELD(config_nat_pool, deterministic) },
	{ .name = "limits",
		.meaning = "What one host may take.",
		.type = CONFIG_OBJECT,
		.object = &limits_object,
		.fallback = "{}",
		FIELD(config_nat_pool, limits) },
	{ NULL },
};
static const struct config_object pool_object = {
	.meaning = "Public addresses and ports for dynamic translation.",
	.keys = pool_keys,
};

static const struct config_key source_keys[] = {
	{ .name = "segment",
		.meaning = "The segment that the hosts are in.",
		.type = CONFIG_REFERENCE,
		.reference = &config_reference_segment,
		.required = true,
		FIELD(config_nat_source, segment) },
	{ .name = "prefix",
		.meaning = "The hosts.",
		.type = CONFIG_TEXT,
		.format = &config_format_network,
		.required = true,
		FIELD(config_nat_source, prefix) },
	{ .name = "pool",
		.meaning = "The pool that they get their public address and ports from.",
		.type = CONFIG_REFERENCE,
		.reference = &to_pool,
		.required = true,
		FIELD(config_nat_source, pool) },
	{ NULL },
};
static const struct config_object source_object = {
	.meaning = "Dynamic translation of what hosts of a segment send to the outside.",
	.keys = source_keys,
};

static const struct config_key static_keys[] = {
	{ .name = "segment",
		.meaning = "The segment that the host is in.",
		.type = CONFIG_REFERENCE,
		.reference = &config_reference_segment,
		.required = true,
		FIELD(config_nat_static, segment) },
	{ .name = "inside",
		.meaning = "The host.",
		.type = CONFIG_TEXT,
		.format = &config_format_host,
		.required = true,
		FIELD(config_nat_static, inside) },
	{ .name = "outside",
		.meaning = "The public address that is this host's alone, with all ports and protocols.",
		.type = CONFIG_TEXT,
		.format = &config_format_host,
		.required = true,
		FIELD(config_nat_static, outside) },
	{ NULL },
};
static const struct config_object static_object = {
	.meaning = "A host with a public address of its own, in both directions.",
	.keys = static_keys,
};

static const struct config_key forward_keys[] = {
	{ .name = "segment",
		.meaning = "The segment that the host is in.",
		.type = CONFIG_REFERENCE,
		.reference = &config_reference_segment,
		.required = true,
		FIELD(config_nat_forward, segment) },
	{ .name = "protocol",
		.meaning = "The protocol of the port.",
		.type = CONFIG_WORD,
		.words = protocol_words,
		.required = true,
		FIELD(config_nat_forward, protocol) },
	{ .name = "outside",
		.meaning = "The public address and port: of a port of the gateway, of a pool, or any other "
			   "that routes to us.",
		.type = CONFIG_TEXT,
		.format = &config_format_endpoint,
		.required = true,
		FIELD(config_nat_forward, outside),
		SECOND(config_nat_forward, outside_port) },
	{ .name = "inside",
		.meaning = "The host and its port.",
		.type = CONFIG_TEXT,
		.format = &config_format_endpoint,
		.required = true,
		FIELD(config_nat_forward, inside),
		SECOND(config_nat_forward, inside_port) },
	{ NULL },
};
static const struct config_object forward_object = {
	.meaning = "One public port that leads to a port of a host.",
	.keys = forward_keys,
};

static const struct config_key bypass_keys[] = {
	{ .name = "segment",
		.meaning = "The segment that the hosts are in.",
		.type = CONFIG_REFERENCE,
		.reference = &config_reference_segment,
		.required = true,
		FIELD(config_nat_bypass, segment) },
	{ .name = "prefix",
		.meaning = "The hosts.",
		.type = CONFIG_TEXT,
		.format = &config_format_network,
		.fallback = "\"0.0.0.0/0\"",
		FIELD(config_nat_bypass, prefix) },
	{ .name = "destinations",
		.meaning = "Where what they send is left as it is.",
		.type = CONFIG_TEXT,
		.format = &config_format_network,
		.fallback = "[\"0.0.0.0/0\"]",
		LIST(config_nat_bypass, destination, destination_count, 1, CONFIG_BYPASS_DESTINATIONS) },
	{ NULL },
};
static const struct config_object bypass_object = {
	.meaning = "Hosts that are routed to some destinations, or to all, although rules translate them; "
		   "and those destinations reach them by their inside addresses.",
	.keys = bypass_keys,
};

/* A timeout in seconds, of at least what the RFC asks for. */
#define TIMEOUT(key_name, text, least, seconds)                                                              \
	{                                                                                                    \
		.name = #key_name, .meaning = text, .type = CONFIG_INTEGER, RANGE(least, 604800),            \
		.unit = "seconds", .fallback = seconds, FIELD(config_nat_timeouts, key_name)                 \
	}

static const struct config_word refresh_words[] = { { "either-side", false }, { "inside", true }, { NULL } };

static const struct config_key timeouts_keys[] = {
	TIMEOUT(tcp_established, "TCP, established (RFC 5382, REQ-5: at least 2 h 4 min).", 7440, "7440"),
	TIMEOUT(tcp_opening, "TCP, opened by one side only (RFC 5382, REQ-5; RFC 7857, 2.1: at least 4 min).",
		240, "240"),
	TIMEOUT(tcp_closing, "TCP, closed by both sides or reset (RFC 5382, REQ-5: at least 4 min).", 240,
		"240"),
	TIMEOUT(udp, "UDP (RFC 4787, REQ-5: at least 2 min, and better 5).", 120, "300"),
	TIMEOUT(icmp, "ICMP queries (RFC 5508, REQ-2: at least 60 s).", 60, "60"),
	{ .name = "udp_refreshed_by",
		.meaning =
			"Whose packets keep a UDP session: those of `either-side`, or only those of the host "
			"`inside`, so that nobody outside can keep it (RFC 4787, REQ-6; RFC 7857, 7).",
		.type = CONFIG_WORD,
		.words = refresh_words,
		.fallback = "\"either-side\"",
		FIELD(config_nat_timeouts, udp_refreshed_by_inside_only) },
	{ NULL },
};
static const struct config_object timeouts_object = {
	.meaning = "How long a session without packets is kept.",
	.keys = timeouts_keys,
};

static const struct config_word unsolicited_words[] = { { "unreachable", true }, { "silent", false },
	{ NULL } };

static const struct config_key tcp_keys[] = {
	{ .name = "unsolicited_syn",
		.meaning =
			"What the sender of a SYN hears that no binding lets in, six seconds later, unless "
			"the host inside opens the same connection meanwhile (RFC 5382, REQ-4): ICMP port "
			"`unreachable`, at a bounded rate, or nothing at all, `silent`.",
		.type = CONFIG_WORD,
		.words = unsolicited_words,
		.fallback = "\"unreachable\"",
		FIELD(config_nat_tcp, unsolicited_syn_told) },
	{ NULL },
};
static const struct config_object tcp_object = {
	.meaning = "TCP connections.",
	.keys = tcp_keys,
};

static const struct config_key nat_keys[] = {
	{ .name = "pools",
		.meaning = "Pools of public addresses.",
		.type = CONFIG_OBJECT,
		.object = &pool_object,
		.fallback = "[]",
		LIST(config_nat, pool, pool_count, 0, 1024) },
	{ .name = "source",
		.meaning = "Dynamic translation, many hosts to few addresses.",
		.type = CONFIG_OBJECT,
		.object = &source_object,
		.fallback = "[]",
		LIST(config_nat, source, source_count, 0, 65536) },
	{ .name = "static",
		.meaning = "Static translation, one host to one address.",
		.type = CONFIG_OBJECT,
		.object = &static_object,
		.fallback = "[]",
		LIST(config_nat, static_binding, static_count, 0, 65536) },
	{ .name = "forward",
		.meaning = "Forwards of single ports.",
		.type = CONFIG_OBJECT,
		.object = &forward_object,
		.fallback = "[]",
		LIST(config_nat, forward, forward_count, 0, 65536) },
	{ .name = "bypass",
		.meaning = "What is not translated (RFC 6888, REQ-6).",
		.type = CONFIG_OBJECT,
		.object = &bypass_object,
		.fallback = "[]",
		LIST(config_nat, bypass, bypass_count, 0, 64) },
	{ .name = "port_control",
		.meaning = "Segments whose hosts may open public ports for themselves; without it none may.",
		.type = CONFIG_OBJECT,
		.object = &config_port_control_object,
		.fallback = "[]",
		LIST(config_nat, port_control, port_control_count, 0, 8192) },
	{ .name = "max_sessions",
		.meaning = "The most sessions at a time, shared out evenly among the lcores that translate.",
		.type = CONFIG_INTEGER,
		RANGE(1, NAT_SESSIONS_MAX),
		.unit = "sessions",
		.bytes_each = NAT_SESSION_BYTES,
		.fallback = "262144",
		FIELD(config_nat, max_sessions) },
	{ .name = "new_sessions_in_overload",
		.meaning = "How many new sessions a packet lcore opens while it cannot keep up with what "
			   "arrives, so that a flood of new flows leaves its time to the established ones. "
			   "Hosts that open few come first. While it keeps up, it opens all. 0: no limit.",
		.type = CONFIG_INTEGER,
		RANGE(0, 10000000),
		.unit = "sessions a second",
		.fallback = "50000",
		FIELD(config_nat, new_sessions_in_overload) },
	{ .name = "port_rest",
		.meaning =
			"How long a port, or a port block, rests after use before another host gets it (RFC "
			"6888, REQ-8). 0: not at all.",
		.type = CONFIG_INTEGER,
		RANGE(0, 86400),
		.unit = "seconds",
		.fallback = "120",
		FIELD(config_nat, port_rest) },
	{ .name = "timeouts",
		.meaning = "How long idle sessions are kept.",
		.type = CONFIG_OBJECT,
		.object = &timeouts_object,
		.fallback = "{}",
		FIELD(config_nat, timeouts) },
	{ .name = "tcp",
		.meaning = "What is particular to TCP.",
		.type = CONFIG_OBJECT,
		.object = &tcp_object,
		.fallback = "{}",
		FIELD(config_nat, tcp) },
	{ .name = "log",
		.meaning = "The log of bindings.",
		.type = CONFIG_OBJECT,
		.object = &config_nat_log_object,
		PRESENT(config_nat, log.present),
		FIELD(config_nat, log) },
	{ NULL },
};
const struct config_object config_nat_object = {
	.meaning = "Translation between segments and the outside. What no rule names passes untranslated.",
	.keys = nat_keys,
};
