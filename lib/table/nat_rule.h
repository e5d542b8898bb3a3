/* SPDX-License-Identifier: BSD-3-Clause */
/* What the configuration says about translation: source prefixes with their pools, static bindings, forwards. Written
 * at start, then read by all lcores.
 *
 * For what an inside endpoint starts, a forward of that endpoint comes first, then a static binding of its
 * address, then the longest source prefix. For what comes from outside: a forward, then a static binding. */
#pragma once

#include "table/key_table.h"
#include "table/nat.h"
#include "table/nat_session.h"

struct nat_source {
	rte_be32_t prefix, mask;
	uint32_t pool;
};

struct nat_segment_rules {
	uint32_t source_first, source_count; /* in nat_rules.source, longest prefix first */
	bool hosts;                          /* some host has a static binding or a forward */
};

struct nat_rules {
	struct nat_segment_rules *segment; /* [segment_count] */
	struct nat_source *source;
	struct nat_static_settings *static_binding;
	struct nat_forward_settings *forward;
	uint32_t source_count, static_count, forward_count;
	uint16_t segment_count;
	struct key_table *host;           /* inside hosts with a static binding or a forward */
	struct key_table *static_inside;  /* -> number in static_binding */
	struct key_table *forward_inside; /* -> number in forward */
	struct key_table *forward_outside;
	bool apart; /* there can be sessions that stand apart (nat_session.h) */
};

int nat_rules_init(struct nat_rules *rules, const struct nat_settings *settings); /* 0 or -errno */
void nat_rules_destroy(struct nat_rules *rules);
size_t nat_rules_bytes(const struct nat_rules *rules);

/* How an inside endpoint goes out. False: untranslated. */
struct nat_way_out {
	enum nat_kind kind;
	rte_be32_t outside; /* static, forward */
	rte_be16_t outside_port;
	uint32_t pool; /* dynamic */
};
bool nat_rule_out(const struct nat_rules *rules, uint16_t segment, uint8_t protocol, rte_be32_t inside,
	rte_be16_t inside_port, struct nat_way_out *out);

/* Where a public endpoint leads by rule. False: nowhere. `static_binding` is that of the address (nat_address.h). */
struct nat_way_in {
	enum nat_kind kind;
	uint16_t segment;
	rte_be32_t inside;
	rte_be16_t inside_port;
};
bool nat_rule_in(const struct nat_rules *rules, uint32_t static_binding, uint8_t protocol, rte_be32_t outside,
	rte_be16_t outside_port, struct nat_way_in *in);

static inline uint64_t nat_rule_host_key(uint16_t segment, rte_be32_t inside)
{
	return UINT64_C(1) << 63 | (uint64_t)segment << 32 | inside;
}

/* Of TCP or UDP. Never 0, for no endpoint has the address 0.0.0.0. */
static inline uint64_t nat_rule_endpoint_key(uint8_t protocol, rte_be32_t ip, rte_be16_t port)
{
	return (uint64_t)(protocol == IPPROTO_TCP) << 48 | (uint64_t)port << 32 | ip;
}
