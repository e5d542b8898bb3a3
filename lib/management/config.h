/* SPDX-License-Identifier: BSD-3-Clause */
/* A configuration, checked: what config_parse makes of a file and what the rest starts from. Addresses are in
 * network byte order; times are in seconds; names are unique among their kind. Read-only once parsed. */
#pragma once

#include "base/ip_address.h"
#include "packet/packet_metadata.h"
#include <rte_ether.h>
#include <stdbool.h>
#include <stdint.h>

#define CONFIG_NAME_MAX  32 /* with the terminating zero; letters, digits, '-', '_' and '.' */
#define CONFIG_LABEL_MAX 64

struct config_cpu { /* "2", or "2@1": lcore 2 on CPU 1 */
	unsigned lcore;
	unsigned cpu;
};

enum config_plan_kind {
	CONFIG_PLAN_FUSED, /* every stage on each packet lcore (default) */
	CONFIG_PLAN_SPLIT, /* "split": classify to mac_learn | route to mac_lookup | vxlan_encap, transmit; over 2 or more lcores */
	CONFIG_PLAN_EXPLICIT /* [ { "lcore": 1, "stages": ["classify", ...] }, ... ] */
};
enum config_idle {
	CONFIG_IDLE_AUTO,
	CONFIG_IDLE_SLEEP,
	CONFIG_IDLE_POLL
}; /* auto: sleep if all ports are virtual */
enum config_hugepages { CONFIG_HUGEPAGES_AUTO, CONFIG_HUGEPAGES_YES, CONFIG_HUGEPAGES_NO };

struct config_plan_entry {
	unsigned lcore;
	uint32_t stages; /* bit mask of enum stage_id */
};

struct config_lcores {
	struct config_cpu management;
	struct config_cpu *packet;
	uint32_t packet_count;
	enum config_plan_kind plan;
	struct config_plan_entry *plan_entry;
	uint32_t plan_entry_count;
	enum config_idle idle;
};

struct config_neighbour { /* of a port; never asked for its MAC */
	struct ip_address address;
	struct rte_ether_addr mac;
};

struct config_host { /* of a segment; known from the start */
	struct ip_address address;
	struct rte_ether_addr mac;
	struct ip_address vtep;
};

struct config_port {
	char name[CONFIG_NAME_MAX];
	char device[256]; /* a PCI address or a virtual device string */
	uint16_t mtu;     /* 576..9710, default 1500 */
	bool has_mac;
	struct rte_ether_addr mac; /* where not set: the device's own */
	struct ip_prefix *address;
	uint32_t address_count;
	struct config_neighbour *neighbour;
	uint32_t neighbour_count;
	uint16_t rx_queues;                      /* default 1 */
	uint16_t rx_descriptors, tx_descriptors; /* default 1024 */
};

struct config_route {
	struct ip_prefix prefix;
	struct ip_address via; /* AF_UNSPEC with blackhole */
	bool blackhole;
};

struct config_vxlan {
	bool present;
	struct ip_address source; /* one of a port's addresses */
	uint16_t udp_port;
	uint8_t ttl; /* outer, default 64 */
};

struct config_dhcp_relay {
	bool present;
	struct ip_address *server;
	uint32_t server_count;
	bool option_82, trusted;
	uint8_t max_hops; /* default 4 */
	char circuit_id[CONFIG_LABEL_MAX],
		remote_id[CONFIG_LABEL_MAX]; /* with option_82; default SEGMENT/VNI, name */
};

struct config_segment {
	char name[CONFIG_NAME_MAX];
	uint32_t vni;
	struct ip_prefix gateway;
	struct rte_ether_addr mac;
	uint16_t mtu;            /* default: underlay port's mtu - 50, at most 1500 */
	uint16_t tcp_mss_clamp;  /* 0: none; default 65535, so that only the MTUs count */
	struct ip_address *vtep; /* flood.vteps: head-end replication; also who may speak for the VNI */
	uint32_t vtep_count;
	struct ip_address group;  /* flood.group, or AF_UNSPEC */
	struct ip_prefix *member; /* "members": with a group, the VTEPs that may speak; none: any */
	uint32_t member_count;
	uint32_t mac_limit; /* default 4096 */
	uint32_t mac_age;   /* seconds, default 300 */
	struct config_host *host;
	uint32_t host_count;
	struct config_dhcp_relay dhcp_relay;
};

struct config_nat_range { /* host byte order here, for arithmetic; both ends belong to it */
	uint32_t first, last;
};

#define CONFIG_PORT_RANGES         16
#define CONFIG_BYPASS_DESTINATIONS 32 /* of one bypass */
struct config_nat_ports {             /* ascending and apart; both ends belong to a range */
	uint32_t count;
	struct config_nat_port_range {
		uint16_t first, last;
	} range[CONFIG_PORT_RANGES];
};

struct config_nat_limits { /* of one host; 0: none */
	uint32_t ports, sessions, new_sessions_per_second;
};

struct config_nat_pool {
	char name[CONFIG_NAME_MAX];
	struct config_nat_range *range;
	uint32_t range_count;
	struct config_nat_range *exclude; /* not of the pool after all */
	uint32_t exclude_count;
	uint32_t address_count; /* in all ranges, without those that are excluded */
	uint8_t filtering;      /* enum nat_filtering */
	struct config_nat_ports ports;
	uint32_t port_count; /* in all port ranges */
	uint16_t port_block; /* 0: single ports */
	bool deterministic;
	struct config_nat_limits limits;
};

struct config_nat_source {
	uint32_t segment, pool; /* indices */
	struct ip_prefix prefix;
};
struct config_nat_static {
	uint32_t segment;
	struct ip_address inside, outside;
};
struct config_nat_forward {
	uint32_t segment;
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	struct ip_address outside, inside;
	uint16_t outside_port, inside_port; /* host byte order */
};
struct config_nat_bypass {
	uint32_t segment;
	struct ip_prefix prefix, *destination;
	uint32_t destination_count;
};
struct config_nat_timeouts {      /* seconds */
	uint32_t tcp_established; /* 7440 */
	uint32_t tcp_opening;     /* 240 */
	uint32_t tcp_closing;     /* 240 */
	uint32_t udp;             /* 300 */
	uint32_t icmp;            /* 60 */
	bool udp_refreshed_by_inside_only;
};

enum config_log_events { CONFIG_LOG_BINDINGS, CONFIG_LOG_BLOCKS, CONFIG_LOG_SESSIONS };
struct config_nat_log {
	bool present;
	uint32_t events;                             /* bit mask of enum config_log_events */
	char json[256];                              /* path, "-" or "" */
	struct ip_address syslog, collector, source; /* family AF_UNSPEC: none */
	uint16_t syslog_port, collector_port;        /* host byte order */
	uint32_t domain, template_interval;          /* seconds */
};

struct config_port_control {
	uint32_t segment;
	struct ip_prefix prefix; /* AF_UNSPEC: the whole segment */
	struct config_nat_ports ports;
	uint32_t max_mappings; /* of a host */
	uint32_t max_lifetime; /* seconds */
};

struct config_nat {
	struct config_nat_pool *pool;
	uint32_t pool_count;
	struct config_nat_source *source;
	uint32_t source_count;
	struct config_nat_static *static_binding;
	uint32_t static_count;
	struct config_nat_forward *forward;
	uint32_t forward_count;
	struct config_nat_bypass *bypass;
	uint32_t bypass_count;
	struct config_port_control *port_control;
	uint32_t port_control_count;
	uint32_t max_sessions; /* of the gateway: shared out evenly among the owner lcores. Default 262144 */
	uint32_t new_sessions_in_overload; /* a second and lcore; 0: no limit */
	uint32_t port_rest;                /* seconds, default 120 */
	struct config_nat_timeouts timeouts;
	struct config_nat_tcp {
		bool unsolicited_syn_told;
	} tcp;
	struct config_nat_log log;
};

struct config {
	char *file; /* as given, for messages */
	char name[CONFIG_NAME_MAX];
	struct config_lcores lcores;
	enum config_hugepages hugepages;
	uint32_t memory_mib; /* 0: what is needed (app/vxgate/memory_check.h) */
	struct config_port *port;
	uint32_t port_count;
	struct config_route *route;
	uint32_t route_count;
	struct config_vxlan vxlan;
	struct config_segment *segment;
	uint32_t segment_count;
	struct config_nat nat;
	char telemetry_socket[108]; /* "auto" (DPDK's own place), or "off" */
};

/* Parses and checks `text` (the contents of `file`). All errors of the text are found in one go; each is one line on
 * `errors` (a FILE), "file:line:column: path: what was found; what is wanted". NULL when there was any. */
#include <stdio.h>
struct config *config_parse(const char *file, const char *text, FILE *errors);
struct config *config_read(const char *file, FILE *errors);
/* The same, held against the caller's own rules too: `rules` as in config_check.h, or NULL. */
struct config_rule;
struct config *config_read_by(const char *file, const struct config_rule *rules, FILE *errors);
void config_free(struct config *config);

/* The JSON Schema (draft 2020-12) of a configuration, from the same table that drives the parser. */
void config_print_schema(FILE *out);
/* The manual of all keys as Markdown: key, type, default, unit, meaning; from the same table. */
void config_print_manual(FILE *out);
/* The configuration as it is in force, defaults filled in, as JSON text (free it). */
char *config_to_json(const struct config *config);
