/* SPDX-License-Identifier: BSD-3-Clause */
/* What one packet lcore has: its links, counters, rings to management, and what it keeps between bursts. Made at
 * start by packet_path_wire (packet_path.h); from then on only its lcore writes it, but for what is said below. */
#pragma once

#include "base/admission.h"
#include "base/doorbell.h"
#include "packet/header_match.h"
#include "packet/packet_metadata.h"
#include "slowpath/fdb_event.h"
#include "stage/stage.h"
#include "table/nat_address.h"
#include "table/nat_crowded.h"
#include <rte_ring.h>
#include <stdbool.h>

struct data_plane;
struct fast_path_level;
struct nat_owner;
struct rte_rcu_qsbr;

#define PACKET_LCORE_MAX 64
#define TX_BUFFER        64
#define INPUT_RINGS_MAX  128

struct stage_counters {
	uint64_t packets, bursts, cycles; /* cycles: without those of the stages it calls */
};
struct interface_counters {
	uint64_t rx_packets, rx_bytes, tx_packets,
		tx_bytes; /* bytes of frames, without FCS; inner frames for a segment */
};

/* What a lcore keeps of a tunnel: its counts, and for the fast path what follows from its row in the table. */
struct tunnel_state {
	struct interface_counters counters;
	struct tx_queue *tx; /* by which it leaves; */
	uint16_t mtu;        /* of the packets inside; */
	uint32_t version;    /* both as of this version of the row, 0: not known */
} __attribute__((aligned(64)));

/* Written by the lcore, read and summed by management. Never reset. */
struct lcore_counters {
	struct stage_counters stage[STAGES];
	struct stage_counters fast_path; /* what it saw through, not what it left to the stages */
	uint64_t drop[DROP_REASONS];
	uint64_t ring_full[STAGES]; /* by the stage the ring leads to */
	uint64_t punted[PUNT_REASONS];
	uint64_t polls, empty_polls, sleeps;
	uint64_t busy_cycles, idle_cycles;
	uint64_t moves_followed;
	uint64_t handed_off;   /* to the lcores that own them: none, where the ports bring each home */
	uint64_t handed_early; /* of these, as they came: no stage has seen them here */
	uint64_t fragmented, fragments_made; /* packets cut; into so many */
	struct interface_counters *
		interface; /* [PORT_MAX + segments]; of a segment what belongs to no tunnel: the others count theirs */
	struct tunnel_state *tunnel; /* [tunnel capacity] */
} __attribute__((aligned(64)));

/* How packets reach the next stage: a call on this lcore, or a ring to another one. */
struct burst_link {
	struct rte_ring *ring; /* NULL: a call */
	struct doorbell *doorbell;
};

struct tx_queue {
	bool mine; /* this lcore sends on the port; else `link` leads to the lcore that does */
	uint16_t device, queue;
	struct burst_link link;
	uint16_t buffered;
	bool late;      /* some frame of the buffer was for where its host is no more when it came here */
	uint64_t bytes; /* of the buffer */
	struct rte_mbuf *buffer[TX_BUFFER];
};

struct rx_queue {
	uint16_t device, queue;
	interface_id port;
	bool refuses; /* the fast path refused a part of what was last received (overload.h) */
};

struct input_ring {
	struct rte_ring *ring;
	enum stage_id stage; /* where its packets go on */
};

/* What fast_path.c keeps: the tunnels met lately, and how the frames begin that it takes. */
#define KNOWN_TUNNELS_BITS 11u
#define KNOWN_TUNNELS      (1u << KNOWN_TUNNELS_BITS)
#define KNOWN_PUBLIC       256u
#define KNOWN_SHARED_BITS  8u
struct known_tunnel {
	uint8_t header
		[HEADER_BYTES]; /* of what comes by it to the gateway's MAC: its second 32 bytes, where the pattern
					 has its mask */
	uint64_t
		source; /* makes the key of a source in the FDB of the eight bytes that begin with its MAC (exclusive or) */
	rte_be32_t vtep;
	uint32_t tunnel;
	rte_be32_t translated,
		translated_mask; /* hosts there whose flows NAT translates, whatever leads out; not always all */
	uint16_t segment;
	uint32_t
		source_salt; /* makes the address of a host there the source of its requests (overload.h; exclusive or) */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct known_tunnel) == 64, "one cache line");
struct fast_pattern { /* of a port */
	struct header_pattern plain,
		tunnelled;           /* of the first 32 bytes; of the next 32 of what is VXLAN for us */
	struct header_pattern to_us; /* of the first 32 bytes of that */
	uint64_t to_vtep;            /* nat_outside_end of what is VXLAN for us */
};

/* Flows of which packets were handed over that their owners may not have sent yet, as sets of bits (handoff.h). */
#define HANDED_FLOW_BITS 14u
#define HANDED_PAIR_BITS 10u
struct handed_set {
	uint64_t flow[(1u << HANDED_FLOW_BITS) / 64]; /* by the endpoint on our side */
	uint64_t pair[(1u << HANDED_PAIR_BITS) / 64]; /* by addresses */
};
struct handed_flows {
	bool all;           /* no packet of another owner's session is seen through here */
	bool any, any_pair; /* there are some in the sets, some by addresses among them */
	bool marked;        /* the owners are waited for: */
	bool passed;        /* they have taken all out of the rings that was sent before that began; */
	uint64_t token;     /* when that was seen */
	struct handed_set noted, late;   /* late: those that were noted since the mark */
	uint32_t sent[PACKET_LCORE_MAX]; /* packets, by owner; wraps around */
	uint32_t mark[PACKET_LCORE_MAX]; /* how many those were then */
};

/* Packets of a port that wait for others of their flows, which are on the way to their owners: as many as a flow may have that alone
 * keeps the lcore busy, until its first one has been sent. */
#define HELD_MAX    (8u * BURST_MAX)
#define HELD_ROUNDS 3u /* so often they are looked at again; then they are handed over */
struct held_packets {
	uint16_t count;
	uint8_t rounds;                           /* in a row after which some were held still */
	uint16_t owner[HELD_MAX], flow[HELD_MAX]; /* flow: its bit */
	struct rte_mbuf *packet[HELD_MAX];
};

struct tick_meter {
	uint32_t tick, told; /* in that tick */
};

struct lcore_context {
	uint16_t index; /* 0.. among the packet lcores */
	unsigned lcore; /* EAL lcore id */
	const struct data_plane *plane;
	struct nat_owner *nat; /* NULL where nat_gateway does not run */
	uint16_t owner_index;  /* of this lcore among the owners */
	uint16_t owner_count;
	uint64_t now;   /* time stamp counter at the start of the burst */
	uint32_t tick;  /* base/clock.h */
	uint32_t moves; /* of the FDB, when this turn began */
	struct burst_link link[STAGES];
	struct burst_link handoff[PACKET_LCORE_MAX]; /* by owner index, to its nat_gateway; see handoff.h */
	bool hands_early; /* all owners have all stages: they can be given packets as they came */
	struct rte_rcu_qsbr *
		turns; /* of all packet lcores, by index, where these see each other's sessions through; or NULL */
	bool online; /* this one takes part: it may be in a turn */
	struct handed_flows handed;
	struct held_packets held[PORT_MAX];
	bool held_any;
	bool holds; /* what follows a packet on its way is held; else handed over */
	struct tx_queue tx[PORT_MAX];
	struct rx_queue *rx;
	uint16_t rx_count;
	struct input_ring input[INPUT_RINGS_MAX]; /* the most downstream first */
	uint16_t input_count;
	uint32_t stages_here;  /* bit mask of enum stage_id that run on this lcore */
	struct rte_ring *punt; /* to management: mbufs. Single producer, single consumer, as all rings here */
	struct rte_ring *inject;       /* from management: mbufs with meta->inject_stage */
	struct fdb_event_ring *events; /* to management: learn and move events */
	struct doorbell *management_doorbell;
	struct doorbell doorbell; /* rung by whoever feeds this lcore */
	struct {
		uint64_t tokens, refilled; /* refilled: time stamp counter */
	} punt_meter[2];                   /* what data packets cause; control protocols */
	struct tick_meter refusals_told; /* new sessions refused that management answers with an ICMP error */
	struct tick_meter syns_told;     /* unsolicited ones that management holds */
	struct lcore_counters counters;
	_Atomic(struct lcore_command *) command; /* from the telemetry thread; see lcore_command.h */
	uint64_t stage_clock;                    /* packet_path.c: when the stage before ended */
	uint64_t tick_due, cycles_per_tick;
	bool turn_is_full;
	uint32_t full_turns;        /* in a row in which some queue or ring gave a full burst */
	bool overloaded;            /* overload.h */
	uint64_t overload_hold;     /* time stamp counter: until then a full turn is enough for that */
	struct admission admission; /* of new sessions, while it is overloaded */
	uint32_t admitted; /* by the fast path: new flows of this burst that nat_gateway need not ask about */
	bool fast;         /* all stages are here: packets may take the fast path */
	const struct fast_path_level *fast_path; /* compiled for this CPU */
	uint8_t fast_idle[PORT_MAX];             /* bursts of a port in a row of which few were for it */
	uint16_t fast_rest
		[PORT_MAX]; /* receive bursts of a port that go by it still, as few of late were for it */
	struct known_tunnel known_tunnel[KNOWN_TUNNELS];
	struct fast_pattern fast_pattern[PORT_MAX];
	rte_be32_t known_public[KNOWN_PUBLIC];              /* addresses of NAT alone that were met lately */
	struct nat_block_owners block_owners[KNOWN_PUBLIC]; /* of public addresses that were met lately */
	uint64_t known_shared[1u << KNOWN_SHARED_BITS]; /* and of TCP (address, port) of hosts at our own */
	struct nat_crowded crowded;                     /* endpoints that were met lately */
	uint32_t learn_cache
		[256]; /* recently posted learn events: hash and tick, so that they are not posted again */
} __attribute__((aligned(64)));
