/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the slow path share. Everything here belongs to the management lcore, but for the ledger, which
 * any thread reads under its lock. */
#pragma once

#include "services/port_control.h"
#include "slowpath/slowpath.h"
#include "slowpath/token_bucket.h"
#include "table/nat_mapping.h"
#include <pthread.h>
#include <rte_ip.h>
#include <rte_ring.h>

#define SWEEP_NS        (50 * NS_PER_MS) /* each FDB entry and neighbour is looked at this often */
#define FDB_SLICE       2048u            /* entries looked at in one turn */
#define NEIGHBOUR_SLICE 1024u
#define EVENT_BURST     256u /* of each channel in one turn */
#define PUNT_BURST      64u

#define PENDING_MAX           1024u /* packets that wait for a neighbour, in all */
#define PENDING_PER_NEIGHBOUR 8u
#define PENDING_NS            NS_PER_SECOND

#define SEARCH_MAX 4096u /* hosts gone silent that are looked for at once; more wait for their turn */

/* ---- what is kept beside each neighbour, by the same index ---- */
struct host {
	uint32_t same_mac_next; /* the next neighbour with the same (segment, MAC), or INDEX_NONE */
	uint32_t waiting_first, waiting_last; /* slots of pending packets, or INDEX_NONE */
	uint16_t waiting;
	bool kept;            /* next hop of a VTEP or of a route: resolved though no packet asks for it */
	bool carries_tunnels; /* next hop of at least one tunnel */
};

struct pending_packet {
	struct rte_mbuf *packet; /* NULL: free */
	uint64_t deadline_ns;
	uint32_t neighbour;
	uint32_t next; /* the next that waits for the same neighbour, or the next free one */
};

struct sweep {
	uint32_t cursor; /* 0: between two rounds */
	uint64_t due_ns;
};

/* A state of a multicast group that we are a member of (RFC 2236 section 6). */
struct igmp_group {
	rte_be32_t group;
	uint64_t due_ns;      /* of the next report; 0: none is due */
	uint8_t reports_left; /* of the unsolicited ones, with the one that is due */
};

struct flood_list {      /* the tunnels that get the broadcast of each segment */
	uint32_t *first; /* [segments + 1], in `tunnel` */
	uint32_t *tunnel;
};

struct moves {
	pthread_mutex_t lock;
	struct move_record record[MOVES_KEPT]; /* serial n at (n - 1) % MOVES_KEPT */
	uint64_t serial;                       /* of the newest */
	bool frozen[MOVES_KEPT];               /* late_packets will not grow any more */
};

struct slowpath {
	struct data_plane *plane;
	struct slowpath_channel *channel; /* [channel_count] */
	uint16_t channel_count;
	bool started;
	bool injected;   /* in this turn: the doorbell is to be rung */
	uint64_t now_ns; /* of this turn */
	uint64_t reachable_ns, silent_after_ns, probe_interval_ns;
	uint64_t *mac_age_ns; /* [segment] */

	struct known_host *known_host; /* [known_host_count]; NULL once they are in the tables */
	uint32_t known_host_count;
	struct host *host;               /* [neighbours->capacity] */
	struct key_table *hosts_of_mac;  /* fdb_key -> first neighbour with that MAC */
	uint32_t neighbour_top, fdb_top; /* no entry at or beyond this was ever used */
	uint32_t unresolved;             /* neighbours that are INCOMPLETE or FAILED */
	struct sweep fdb_sweep, neighbour_sweep;

	struct pending_packet pending[PENDING_MAX];
	uint32_t pending_free, pending_count;

	struct {
		uint32_t fdb;
		uint64_t key;
	} search[SEARCH_MAX];
	uint32_t search_count;
	uint64_t search_due_ns;

	struct flood_list flood;
	struct igmp_group *igmp;
	uint16_t igmp_count;
	interface_id underlay; /* the port with the VTEP address, or INTERFACE_NONE */

	struct dhcp_relay *dhcp_relay;     /* NULL without `dhcp_relays` */
	struct port_control *port_control; /* NULL: no segment has it */
	struct port_control_announcement
		announcement; /* of port control, for the segments from the next one on */
	uint16_t announce_segment;
	struct held_syns *held_syns; /* NULL: unsolicited SYNs are not answered */
	bool dhcp_relays;            /* some segment has one */
	struct token_bucket icmp_errors, tcp_resets, probes, floods, conflict_log, move_log, duplicate_log;
	struct moves moves;
	struct slowpath_counters counters;
};

/* ---- inject.c: packets to the packet lcores ---- */
/* A zeroed packet of `length` bytes; NULL when the pool is empty (counted). */
struct rte_mbuf *control_packet(struct slowpath *slowpath, uint16_t length);
void inject_port(struct slowpath *slowpath, struct rte_mbuf *m, interface_id port);
void inject_tunnel(struct slowpath *slowpath, struct rte_mbuf *m, uint32_t tunnel);
void inject_next_hop(struct slowpath *slowpath, struct rte_mbuf *m, interface_id egress, rte_be32_t next_hop);
/* An IP packet (at L3_OFFSET, with protocol and l4_offset set) to a public address, as if it came from outside. */
void inject_nat(struct slowpath *slowpath, struct rte_mbuf *m);
/* An IP packet (at L3_OFFSET) to `destination`, for something that came in by `ingress`: into that segment when it is
 * an address of it, else as the FIB says; dropped when there is no way. False when it was dropped. */
bool inject_back(struct slowpath *slowpath, struct rte_mbuf *m, interface_id ingress, rte_be32_t destination);
/* The same whole frame to every tunnel that gets the broadcast of the segment. */
void inject_flood(struct slowpath *slowpath, uint16_t segment, const void *frame, uint16_t length);
void inject_frame_port(struct slowpath *slowpath, interface_id port, const void *frame, uint16_t length);
void inject_frame_tunnel(struct slowpath *slowpath, uint32_t tunnel, const void *frame, uint16_t length);
int flood_list_init(struct slowpath *slowpath); /* 0 or -ENOMEM */
void packet_drop(struct slowpath *slowpath, struct rte_mbuf *m, enum slowpath_drop reason);

/* ---- own_address.c: what is ours ---- */
bool own_address(
	const struct slowpath *slowpath, rte_be32_t address); /* of any interface, or one that NAT owns */
bool own_address_on(const struct slowpath *slowpath, interface_id interface, rte_be32_t address);
/* Do we answer ARP for `address` there: its own, or a public address of NAT that is reached by it. */
bool own_address_by_arp(
	const struct slowpath *slowpath, interface_id interface, rte_be32_t address, rte_be32_t asker);
bool on_link(const struct slowpath *slowpath, interface_id interface, rte_be32_t address);
/* Our address there, the one in the prefix of `toward` if there is any; 0: none at all. */
rte_be32_t interface_address(const struct slowpath *slowpath, interface_id interface, rte_be32_t toward);
const struct rte_ether_addr *interface_mac(const struct slowpath *slowpath, interface_id interface);
bool address_is_unicast(rte_be32_t address); /* could be a host's: not 0/8, 127/8, multicast or above */

/* ---- arp.c ---- */
void arp_input(struct slowpath *slowpath, struct rte_mbuf *m);
/* Asks everyone on the interface who has `ip`. */
void arp_ask(struct slowpath *slowpath, interface_id interface, rte_be32_t ip);
/* Asks one MAC; on a segment, behind `tunnel`. */
void arp_ask_host(
	struct slowpath *slowpath, interface_id interface, rte_be32_t ip, uint64_t mac, uint32_t tunnel);

/* ---- neighbour_resolution.c ---- */
void neighbour_unresolved_input(struct slowpath *slowpath, struct rte_mbuf *m);
/* ARP says that `ip` has `mac`. A neighbour that is not known is made only with `create`. */
void neighbour_learn(struct slowpath *slowpath, interface_id interface, rte_be32_t ip,
	const struct rte_ether_addr *mac, bool create);
/* A new neighbour whose MAC is configured. False: no room. */
bool neighbour_fix(
	struct slowpath *slowpath, interface_id interface, rte_be32_t ip, const struct rte_ether_addr *mac);
/* Resolve it now and keep it so. Index, or INDEX_NONE when the table is full. */
uint32_t neighbour_keep(struct slowpath *slowpath, interface_id interface, rte_be32_t ip);
void neighbour_sweep(struct slowpath *slowpath);
bool neighbour_usable(const struct slowpath *slowpath, uint32_t at); /* packets to it can be sent */
bool neighbour_wanted(const struct slowpath *slowpath, uint32_t at); /* used lately, or kept */
/* The FDB has a new entry for the MAC `key`, or (INDEX_NONE) has it no more. */
void neighbour_mac_located(struct slowpath *slowpath, uint64_t key, uint32_t fdb);

/* ---- mac_hosts.c: which neighbours have a MAC ---- */
uint32_t mac_hosts_first(const struct slowpath *slowpath, uint64_t key); /* then host[].same_mac_next */
void mac_hosts_add(struct slowpath *slowpath, uint64_t key, uint32_t neighbour);
void mac_hosts_remove(struct slowpath *slowpath, uint64_t key, uint32_t neighbour);

/* ---- pending.c: packets that wait for a neighbour ---- */
void pending_init(struct slowpath *slowpath);
bool pending_add(struct slowpath *slowpath, uint32_t neighbour,
	struct rte_mbuf *m); /* false: no room, m stays yours */
void pending_send(struct slowpath *slowpath, uint32_t neighbour);
void pending_fail(struct slowpath *slowpath, uint32_t neighbour); /* packet_unreachable for each */
/* The end of a packet whose next hop does not answer: ICMP host unreachable to its sender. */
void packet_unreachable(struct slowpath *slowpath, struct rte_mbuf *m);
void pending_expire(struct slowpath *slowpath);
void pending_free_all(struct slowpath *slowpath);

/* ---- tcp_local.c ---- */
void tcp_input(struct slowpath *slowpath, struct rte_mbuf *m, uint16_t header_length, uint16_t length);

/* ---- nat_question.c ---- */
bool nat_ask(
	struct slowpath *slowpath, const struct nat_mapping_request *request); /* false: the queue is full */
unsigned nat_answers_run(struct slowpath *slowpath);                           /* how many there were */
unsigned port_control_run(struct slowpath *slowpath); /* announcements that are due; how many were sent */
uint64_t port_control_next_due_ns(const struct slowpath *slowpath);
void port_control_answer_input(
	struct slowpath *slowpath, const struct nat_mapping_answer *answer); /* port_control_input.c */

/* ---- unsolicited_syn.c ---- */
int unsolicited_syn_init(struct slowpath *slowpath); /* 0 or -ENOMEM */
void unsolicited_syn_input(struct slowpath *slowpath, struct rte_mbuf *m);
void unsolicited_syn_answer(struct slowpath *slowpath, const struct nat_mapping_answer *answer);
void unsolicited_syn_run(struct slowpath *slowpath);
uint64_t unsolicited_syn_next_due_ns(const struct slowpath *slowpath);

/* ---- icmp_reply.c, icmp_error.c ---- */
void local_input(struct slowpath *slowpath, struct rte_mbuf *m);
/* About the packet `m`, which stays the caller's; nothing is sent where RFC 1812 section 4.3.2.7 forbids it. */
void icmp_error_send(struct slowpath *slowpath, struct rte_mbuf *m, uint8_t type, uint8_t code, uint16_t mtu);
enum { ICMP_DESTINATION_UNREACHABLE = 3, ICMP_TIME_EXCEEDED = 11 };
enum {
	ICMP_NET_UNREACHABLE = 0,
	ICMP_HOST_UNREACHABLE = 1,
	ICMP_PROTOCOL_UNREACHABLE = 2,
	ICMP_PORT_UNREACHABLE = 3,
	ICMP_FRAGMENTATION_NEEDED = 4,
	ICMP_ADMINISTRATIVELY_PROHIBITED = 13
};
enum { ICMP_TTL_EXCEEDED = 0 };

/* ---- fdb_learning.c ---- */
unsigned fdb_events_drain(struct slowpath *slowpath, const struct slowpath_channel *channel);
/* Index of the entry of a MAC, made if need be and the segment's limit allows; else INDEX_NONE. */
uint32_t fdb_learn(struct slowpath *slowpath, uint64_t key, uint32_t tunnel);
void fdb_sweep(struct slowpath *slowpath);

/* ---- silent_move.c ---- */
void silent_move_consider(struct slowpath *slowpath, uint32_t fdb); /* by the sweep */
void silent_move_heard(struct slowpath *slowpath, uint32_t fdb); /* by the sweep: a frame from it was seen */
void silent_move_run(struct slowpath *slowpath);
bool silent_move_was_searched(const struct slowpath *slowpath, uint32_t fdb); /* now, or until a moment ago */

/* ---- vtep_resolution.c ---- */
void vtep_start(struct slowpath *slowpath);
void vtep_next_hop_changed(struct slowpath *slowpath, uint32_t neighbour);
uint32_t vtep_discover(
	struct slowpath *slowpath, uint16_t segment, rte_be32_t vtep); /* tunnel, or INDEX_NONE */

/* ---- igmp.c ---- */
int igmp_init(struct slowpath *slowpath); /* 0 or -ENOMEM */
void igmp_start(struct slowpath *slowpath);
void igmp_input(struct slowpath *slowpath, struct rte_mbuf *m);
void igmp_run(struct slowpath *slowpath);
uint64_t igmp_next_due_ns(const struct slowpath *slowpath);
void multicast_mac(rte_be32_t group, struct rte_ether_addr *mac); /* RFC 1112 section 6.4 */

/* ---- known_hosts.c: what is configured instead of learned ---- */
int known_hosts_init(struct slowpath *slowpath, const struct slowpath_settings *settings); /* 0 or -ENOMEM */
void known_hosts_start(struct slowpath *slowpath); /* before vtep_start, which then asks nobody for them */

/* ---- moves.c: the ledger ---- */
void moves_add(struct slowpath *slowpath, uint32_t fdb, uint32_t old_tunnel, uint32_t new_tunnel);
void moves_freeze(struct slowpath *slowpath, uint32_t fdb); /* the entry is about to move again, or to go */

static inline struct rte_ipv4_hdr *packet_ipv4(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, L3_OFFSET);
}

static inline uint64_t neighbour_mac_key(interface_id interface, uint64_t mac)
{
	return fdb_key_of_bits(segment_of_interface(interface), mac);
}
