/* SPDX-License-Identifier: BSD-3-Clause */
/* The NAT of a gateway: rules that all lcores read, and one owner of sessions for each lcore that runs nat_gateway.
 *
 * A flow from inside belongs to the owner that the keyed hash of (segment, inside address) selects: one host, one
 * owner, so that bindings, limits and paired pooling need no lock. Public ports of pools are shared out to the owners
 * in blocks by arithmetic, so that the owner of a packet from outside is read off its destination. Where a device brings
 * packets home by itself, both go as that does (nat_steering.h). */
#pragma once

#include "packet/flow_hash.h"
#include "packet/packet_metadata.h"
#include "table/nat_steering.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAT_OWNER_MAX      64
#define NAT_PORT_BLOCK     64 /* ports in a row that have the same owner, where a pool has no larger blocks */
#define NAT_PORT_BLOCK_MAX 4096
#define NAT_PORT_RANGES    16 /* of a pool, at most */
#define NAT_SESSIONS_MAX   (64u << 20)
/* Of memory, in whole ones: the record of a session and its part of the tables (nat_need.h), but for its host. */
#define NAT_SESSION_BYTES  82u

struct nat_pool_range {
	uint32_t first, last; /* host byte order, both belong to it */
};
/* Who outside may reach a dynamic binding (RFC 4787 section 5, RFC 5382 REQ-3). Each is laxer than the one before. */
enum nat_filtering {
	NAT_FILTER_ADDRESS_AND_PORT, /* the addresses and ports that it has talked to */
	NAT_FILTER_ADDRESS,          /* address-dependent: any port of those addresses */
	NAT_FILTER_NONE,             /* endpoint-independent: anybody */
};

struct nat_port_range {
	uint16_t first, last; /* host byte order, both belong to it */
};
struct nat_limits { /* of one inside host; 0: no limit */
	uint32_t
		ports; /* bindings at a time, all protocols together; with port blocks also rounded up to these */
	uint32_t sessions;              /* at a time */
	uint32_t new_sessions_a_second; /* on average; as many may come at once */
};
struct nat_pool_settings {
	const char *name;
	const struct nat_pool_range *range;
	uint32_t range_count;
	enum nat_filtering filtering;
	const struct nat_port_range *ports; /* ascending, none overlaps another */
	uint32_t port_range_count;          /* 1..NAT_PORT_RANGES */
	uint16_t port_block; /* 0: single ports; else a host gets whole blocks: a power of two, 64..4096 */
	bool deterministic; /* a host's address and ports are computed (nat_deterministic.h); no blocks then */
	struct nat_limits limits;
};
struct nat_source_settings {
	uint16_t segment;
	rte_be32_t prefix;
	uint8_t prefix_length;
	uint32_t pool;
};
struct nat_static_settings {
	uint16_t segment;
	rte_be32_t inside, outside;
};
struct nat_forward_settings {
	uint16_t segment;
	uint8_t protocol;
	rte_be32_t outside, inside;
	uint16_t outside_port, inside_port; /* host byte order */
};
struct nat_bypass_settings { /* what is not translated: between hosts of `prefix` and `remote` */
	uint16_t segment;
	uint8_t prefix_length, remote_length; /* 0: all */
	rte_be32_t prefix, remote;
};
struct nat_settings {
	const struct nat_pool_settings *pool;
	uint32_t pool_count;
	const struct nat_source_settings *source;
	uint32_t source_count;
	const struct nat_static_settings *static_binding;
	uint32_t static_count;
	const struct nat_forward_settings *forward;
	uint32_t forward_count;
	const struct nat_bypass_settings *bypass;
	uint32_t bypass_count;
	uint32_t max_sessions;
	uint32_t new_sessions_in_overload; /* a second and owner; 0: no limit */
	uint32_t
		port_rest_s; /* a freed port is handed out again after this long (RFC 6888 REQ-8); 0: at once */
	uint32_t tcp_established_s, tcp_opening_s, tcp_closing_s, udp_s, icmp_s;
	bool udp_refresh_outbound_only; /* packets from outside do not keep a UDP session (RFC 4787 REQ-6) */
	bool unsolicited_syn_told;      /* SYNs that no binding lets in go to management (RFC 5382 REQ-4) */
	uint32_t log_events;            /* bit mask of enum nat_event_type (nat_event.h); 0: no log */
	uint32_t log_room;              /* events that an owner holds until they are taken; a power of two */
	uint16_t segment_count;
	uint16_t owners;                       /* 1..NAT_OWNER_MAX */
	const struct flow_hash_key *hash_key;  /* NULL: random; a test may give one */
	struct nat_steering_settings steering; /* zeros: owners are of our own choice */
};

struct nat *nat_create(const struct nat_settings *settings); /* NULL with errno */
void nat_destroy(struct nat *nat);
struct nat_owner *nat_owner(struct nat *nat, uint16_t index);
size_t nat_bytes(const struct nat *nat); /* all memory it holds */

/* Does a rule translate what `inside` in `segment` sends out? (route asks once a packet: keep it cheap.) */
bool nat_translates_source(const struct nat *nat, uint16_t segment, rte_be32_t inside);

/* Any thread: the inside host that a deterministic pool (RFC 7422) computes for a public port, host byte order, whether
 * or not the host uses it now. False: the address is of no such pool, or the port is nobody's. */
bool nat_deterministic_who(
	const struct nat *nat, rte_be32_t outside, uint16_t port, uint16_t *segment, rte_be32_t *inside);

/* Does a rule that translates leave out what `inside` and `remote` send to each other? For packets without a session. */
bool nat_bypasses(const struct nat *nat, uint16_t segment, rte_be32_t inside, rte_be32_t remote);

/* What people and tests look at. */
struct nat_session_view {
	uint16_t segment;
	uint8_t protocol;
	const char *state; /* static text: "established", "transitory", ... */
	const char *kind;  /* static text: "dynamic", "static", "forward" */
	rte_be32_t inside, outside, remote;
	uint16_t inside_port, outside_port, remote_port; /* host byte order; ICMP: the identifier, remote 0 */
	uint32_t idle_s, expires_in_s;
	uint64_t packets_up, packets_down, bytes_up, bytes_down; /* up: from inside */
	uint16_t owner;
};
struct nat_binding_view {
	uint16_t segment;
	uint8_t protocol; /* 0 with a static 1:1 binding: all */
	const char *kind;
	rte_be32_t inside, outside;
	uint16_t inside_port, outside_port;
	uint32_t sessions;
	uint16_t owner;
};
struct nat_filter { /* 0, NULL or -1 (segment): any */
	int32_t segment;
	uint8_t protocol;
	rte_be32_t inside, outside, remote;
	uint16_t inside_port, outside_port, remote_port;
	uint16_t port;            /* any of the three */
	const char *state, *kind; /* as in the views */
};
#define NAT_KINDS 3
extern const char *const nat_kind_name[NAT_KINDS];

/* Any thread, without asking the owner (nat_view.c says how that is right). Looks at no more than `scan` records from
 * `*cursor` on, copies the matching ones (at most `max`) and moves the cursor; *cursor is UINT32_MAX at the end. Returns
 * how many it copied. A session that is there from the first call to the last is seen exactly once; but for one that
 * becomes the first one of its binding meanwhile, for it gets another number. */
uint32_t nat_owner_sessions(const struct nat_owner *owner, uint32_t *cursor, const struct nat_filter *filter,
	struct nat_session_view *out, uint32_t max, uint32_t scan, uint32_t tick);
uint32_t nat_owner_bindings(const struct nat_owner *owner, uint32_t *cursor, const struct nat_filter *filter,
	struct nat_binding_view *out, uint32_t max, uint32_t scan, uint32_t tick); /* dynamic ones */
/* The owner lcore only (stage/lcore_command.h): ends the matching sessions, at most `max` a call. The first call has
 * the cursor 0; none that matches is missed. */
uint32_t nat_owner_clear(struct nat_owner *owner, uint32_t *cursor, const struct nat_filter *filter,
	uint32_t max, uint32_t scan);

/* Any thread: the rules of static bindings and forwards as binding views; returns how many there are in all. */
uint32_t nat_rule_bindings(const struct nat *nat, struct nat_binding_view *out, uint32_t max, uint32_t skip);
/* Any thread; read without a lock, so it can be a moment old. Sessions of one inside host, all owners. */
uint32_t nat_host_sessions(const struct nat *nat, uint16_t segment, rte_be32_t inside);

struct nat_owner_counters {                 /* written by the owner */
	uint64_t sessions, bindings, hosts; /* gauges */
	uint64_t sessions_created, sessions_expired;
	uint64_t tcp_resets_ignored; /* RSTs out of the window: translated, but they end nothing */
	uint64_t capacity;
};
const struct nat_owner_counters *nat_owner_counters(const struct nat_owner *owner);

struct nat_pool_view { /* any thread */
	const char *name;
	uint32_t addresses;
	uint64_t ports; /* public ports of one protocol, over all addresses */
	/* TCP, UDP, ICMP identifiers. `most`: at a time since the start, as a sum over the owners, and with the ports
	 * that two packets of a burst took for one binding: at most too high. */
	uint64_t used[3], most[3], resting[3];
	uint64_t blocks, blocks_used, blocks_most, blocks_resting; /* 0 without port blocks */
	uint32_t block_size;                                       /* ports; 0: single ports */
	bool deterministic;
	struct nat_limits limits;
};
uint32_t nat_pools(const struct nat *nat, struct nat_pool_view *out, uint32_t max);

/* The owner lcore, once a loop: looks at a few records and ends the sessions whose time is over. A whole round over a
 * full table takes a few seconds. `now` ticks. */
void nat_owner_expire(struct nat_owner *owner, uint32_t tick);
