/* SPDX-License-Identifier: BSD-3-Clause */
/* The slow path: everything about packets that is not forwarding. It runs on the management lcore; packets come to it
 * by the punt rings and leave by the inject rings; what it learns goes into the tables, whose only writer it is.
 *
 * It does ARP (answers, learning, resolution with a bounded queue of waiting packets, refresh), ICMP to our own
 * addresses, ICMP errors, the FDB (learning, limits, ageing, the ledger of moves), the search for hosts that moved in
 * silence, VTEP resolution, IGMP membership of multicast groups, and what the services of the segments (services/) get and
 * send. */
#pragma once

#include "base/doorbell.h"
#include "base/memory_need.h"
#include "services/dhcp_relay.h"
#include "services/port_control.h"
#include "slowpath/fdb_event.h"
#include "table/data_plane.h"
#include <stdbool.h>

/* Where an injected packet enters the path (meta->inject_stage). */
enum inject_target {
	INJECT_RESOLVED_NEXT_HOP, /* egress and next_hop are set; the first 14 bytes are for the Ethernet header */
	INJECT_TUNNEL,            /* a whole inner frame; meta->tunnel is set, and PACKET_INNER_READY */
	INJECT_PORT,              /* a whole frame; meta->egress is the port */
	INJECT_NAT,               /* an IP packet to a public address of NAT, as if it came from outside */
};

struct slowpath_channel { /* to and from one packet lcore */
	struct rte_ring *punt, *inject;
	struct fdb_event_ring *events;
	struct doorbell *doorbell;
};

/* How packets end here, as drop reasons (stage/drop_reason.def) that the counters below are indexed by. */
enum slowpath_drop {
#define SLOWPATH_DROP(identifier) SLOWPATH_DROP_##identifier,
#include "slowpath/slowpath_drop.def"
#undef SLOWPATH_DROP
	SLOWPATH_DROPS
};

struct known_host { /* configured instead of learned; its MAC stays what it is */
	interface_id interface;
	rte_be32_t ip;
	struct rte_ether_addr mac;
	rte_be32_t vtep; /* on a segment: where it is at first */
};

struct slowpath_settings {                                /* 0 or NULL: the default */
	const uint32_t *segment_mac_age_s;                /* [segment]; copied; default 300 */
	const struct dhcp_relay_settings *dhcp_relay;     /* [segment]; copied; default: none has one */
	const struct port_control_settings *port_control; /* [segment]; copied; default: none has it */
	const struct known_host *known_host;              /* [known_host_count]; copied */
	uint32_t known_host_count;
	bool unsolicited_syn_told;      /* port unreachable after six seconds; default: nothing */
	uint32_t neighbour_reachable_s; /* refresh after this; default 30 */
	uint32_t silent_after_ms;   /* a MAC we send to and do not hear is probed after this; default 150 */
	uint32_t probe_interval_ms; /* between unicast probes; default 50 */
	uint32_t icmp_errors_a_second; /* and as many TCP resets; default 100 */
	uint32_t probes_a_second;      /* unicast, to hosts gone silent; default 2000 */
	uint32_t floods_a_second;      /* the same, flooded; default 50 */
};

/* The channels are copied, the rings are not owned. From then on the slow path is the only writer of `plane`'s FDB,
 * neighbours and tunnels. NULL with errno. */
struct slowpath *slowpath_create(struct data_plane *plane, const struct slowpath_channel *channels,
	uint16_t count, const struct slowpath_settings *settings);
/* The memory that it takes, without what the services of segments keep of their clients. */
struct memory_need slowpath_need(uint32_t neighbours, uint16_t segments, uint32_t tunnels);
/* Frees it and the packets that wait in it. */
void slowpath_destroy(struct slowpath *slowpath);
/* Says goodbye while the packet lcores still run: leaves the multicast groups. */
void slowpath_leave_groups(struct slowpath *slowpath, uint64_t now_ns);

/* One turn: drain events and punts, run what is due. Returns how many packets and events it handled. */
unsigned slowpath_poll(struct slowpath *slowpath, uint64_t now_ns);
/* When the next thing is due, for a sleeping caller; 0: at once. */
uint64_t slowpath_next_due_ns(const struct slowpath *slowpath);

/* The ledger of moves: the last MOVES_KEPT. */
#define MOVES_KEPT 1024
struct move_record {
	uint64_t serial;  /* 1.. */
	uint64_t when_ns; /* monotonic, when the first frame from the new VTEP was handled */
	uint64_t wall_ns; /* the same, real time */
	uint16_t segment;
	struct rte_ether_addr mac;
	rte_be32_t ip; /* one address of the host, or 0 */
	rte_be32_t old_vtep, new_vtep;
	uint32_t fdb;
	uint64_t fdb_key;
	uint32_t late_packets; /* sent to the old VTEP after that frame */
	uint32_t late_base;    /* fdb_record.late_packets at the move */
	uint64_t silent_ns;    /* since the host was last heard at the old VTEP */
	bool found_by_probe;   /* the silent search found it */
	int64_t sessions_kept; /* of `ip`, when the move was handled; -1: no address is known */
	uint32_t repeats; /* more moves of a MAC that too many have, which this record stands for as well */
};
/* Copies up to `max` records, newest first, starting with the `skip`-th newest. Any thread. */
uint32_t slowpath_moves(struct slowpath *slowpath, struct move_record *out, uint32_t max, uint32_t skip);

struct slowpath_counters { /* written by the management lcore */
	uint64_t arp_requests_received, arp_replies_received, arp_requests_sent, arp_replies_sent,
		arp_ignored;
	uint64_t syns_held, syns_not_held, syns_refused, tcp_resets_sent, tcp_resets_limited;
	uint64_t echo_replies_sent, icmp_errors_sent, icmp_errors_limited;
	uint64_t macs_learned, macs_aged, macs_refused, moves, silent_probes_unicast, silent_probes_flooded,
		silent_found;
	uint64_t pending_queued, pending_sent, pending_dropped;
	uint64_t igmp_reports_sent, vteps_discovered, vteps_refused;
	uint64_t neighbours_failed, neighbours_refused, address_conflicts,
		duplicate_macs; /* refused: no room */
	uint64_t drop[SLOWPATH_DROPS];
};
/* NULL when no segment has one. */
const struct dhcp_relay *slowpath_dhcp_relay(const struct slowpath *slowpath);
const struct port_control *slowpath_port_control(const struct slowpath *slowpath);
const struct slowpath_counters *slowpath_counters(const struct slowpath *slowpath);
