/* SPDX-License-Identifier: BSD-3-Clause */
/* A whole gateway in one process and one thread, with a clock that stands still: real ports (rings as devices), real
 * tables, real stages, real slow path. Frames go in, run, frames come out; nothing happens in between.
 *
 *      gateway_create -> gateway_send -> gateway_run -> gateway_receive ... -> gateway_destroy
 *
 * The hosts of a world answer ARP where they live, so that a test shows only what it is about. */
#pragma once

#include "frame.h"
#include "management/config.h"
#include "slowpath/slowpath.h"
#include "stage/packet_path.h"

enum { UNDERLAY, UPLINK }; /* the ports of a world, in the order of its configuration */

/* How the stages are spread: lcores here are only contexts, polled in turn by the one thread. */
enum gateway_plan {
	PLAN_FUSED,     /* all stages on one lcore, and the fast path */
	PLAN_STAGES,    /* the same without the fast path */
	PLAN_FUSED_TWO, /* on each of two, each with its queues; flows are handed over to their owner */
	PLAN_SPLIT, /* one lcore classifies and decapsulates, one routes and translates, one encapsulates and sends */
	PLAN_SPLIT_TWO, /* the same with two lcores in the middle */
	PLAN_STEERED,   /* fused on two whose ports bring packets to the lcore that owns them, by RSS */
	PLANS
};
extern const char *const gateway_plan_name[PLANS];

#define SHAPE_LCORES 4
struct gateway_shape {
	uint16_t lcores, queues, owners; /* queues of each port, one for each lcore that receives or sends */
	uint32_t stages[SHAPE_LCORES];   /* bit mask of enum stage_id, for each lcore */
};

struct host {
	const char *name, *mac, *ip;
	uint32_t vni;     /* 0: a host on `port` itself, or a VTEP */
	const char *vtep; /* with a VNI: behind which VTEP */
	uint16_t port;
	bool silent; /* answers no ARP */
};
#define HOSTS_MAX 32

struct world {
	const char *config; /* JSON */
	struct host host[HOSTS_MAX];
	uint32_t ring_size; /* 0: 1024 */
	bool one_sends;     /* by the uplink: the first lcore */
};

struct gateway {
	struct config *config;
	struct data_plane *plane;
	struct packet_path *path;
	struct slowpath *slowpath;
	struct gateway_ports *ports;
	struct host host[HOSTS_MAX];
	enum gateway_plan plan;
	uint16_t owners;
	uint64_t now_ns;
	bool show_arp;           /* ARP requests for known hosts are handed to the test, not answered */
	bool show_announcements; /* of port control, likewise */
	uint16_t headroom;       /* before the frames that are sent from now on; 0: the usual */
	bool two_buffers;        /* frames are sent in two buffers from now on */
	uint64_t frames_in;      /* into the ports, answers of the hosts included */
	uint64_t frames_out;     /* out of the ports, ARP requests included */
	uint64_t arp_requests;   /* that the gateway sent */
	uint64_t base_tsc, base_ns;
	uint32_t run;                         /* how often gateway_run was called */
	uint64_t drops_claimed[DROP_REASONS]; /* by expect.h */
	struct gateway_output *output;        /* [ports] */
};

/* The EAL, once a process; exits on failure. A program that starts it with arguments of its own says so first. */
void gateway_start(void);
extern bool gateway_eal_started;
/* Exits on failure: a test cannot go on without. Resolves the hosts' addresses that the gateway asks for. */
struct gateway *gateway_create(const struct world *world, enum gateway_plan plan);
/* On lcores of another shape than those of the plans, with ports that steer nothing. */
struct gateway *gateway_create_shaped(const struct world *world, const struct gateway_shape *shape);
/* How many packet buffers were lost: anything but 0 is a leak. */
unsigned gateway_destroy(struct gateway *gateway);

/* Puts the frame on a receive queue of the port. False when the queue is full. */
bool gateway_send(struct gateway *gateway, uint16_t port, const struct frame *frame);
/* Polls all lcores and the slow path in turn until nothing moves any more. */
void gateway_run(struct gateway *gateway);
/* The same without the slow path: what is punted stays on its ring. */
void gateway_run_lcores(struct gateway *gateway);
/* One turn of one lcore. */
unsigned gateway_poll_lcore(struct gateway *gateway, uint16_t lcore);
/* Lets time pass, in steps of 10 ms (longer ones for hours), running at each. */
void gateway_advance(struct gateway *gateway, uint64_t ms);
/* The next frame that left by the port; false when there is none. */
bool gateway_receive(struct gateway *gateway, uint16_t port, struct frame *frame);
/* Drops all that has left so far, read or not, for a run that has no end. */
void gateway_forget_output(struct gateway *gateway);
unsigned gateway_waiting(const struct gateway *gateway, uint16_t port);

/* Counters, summed over the lcores. */
uint64_t gateway_drops(const struct gateway *gateway, enum drop_reason reason);
uint64_t gateway_drops_all(const struct gateway *gateway);
/* Packets that the port has received, by the counters of all lcores. */
uint64_t gateway_received(const struct gateway *gateway, uint16_t port);
uint64_t gateway_punted(const struct gateway *gateway);
/* Packets that went from one lcore to the one that owns them. */
uint64_t gateway_handed_off(const struct gateway *gateway);
/* What became of all that came in: sent, dropped, punted, or a fragment that waits; a packet that was cut counts as one. */
uint64_t gateway_ends(const struct gateway *gateway);
uint64_t gateway_sessions(const struct gateway *gateway);
/* What an operator does by `nat clear inside=`. How many sessions have ended. */
uint32_t gateway_clear(struct gateway *gateway, rte_be32_t inside);

struct host *gateway_host(struct gateway *gateway, const char *name); /* aborts when there is none */
const char *gateway_port_mac(uint16_t port);
/* The MAC that hosts of the segment send to. */
void gateway_segment_mac(const struct gateway *gateway, uint32_t vni, char text[18]);

/* Fills in what the sender's place says (MACs, the source address, the tunnel) and sends. */
void gateway_host_frame(
	struct gateway *gateway, const char *host, const struct packet *packet, struct frame *frame);
void gateway_host_sends(struct gateway *gateway, const char *host, const struct packet *packet);
/* The same for a ready inner frame. */
void gateway_host_sends_frame(struct gateway *gateway, const char *host, const struct frame *inner);

/* All that left the gateway, frame by frame, and its counters at the end: equal for all plans. With `normalised`,
 * public ports of pools are replaced by their order of appearance, for plans that differ in owners. */
struct gateway_transcript *gateway_take_transcript(struct gateway *gateway, bool normalised);
/* NULL when equal, else what differs (a static text); beside frames and counters what `also` says. */
enum {
	COMPARE_STAGES = 1 << 0, /* how many packets each stage had */
	COMPARE_ORDER =
		1 << 1, /* the order in which the frames of each flow left; of several lcores it may differ */
};
const char *gateway_transcript_compare(
	const struct gateway_transcript *a, const struct gateway_transcript *b, unsigned also);
void gateway_transcript_free(struct gateway_transcript *transcript);
