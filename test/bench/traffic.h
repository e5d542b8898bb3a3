/* SPDX-License-Identifier: BSD-3-Clause */
/* The packets of the benchmark: 1024 workloads behind two VTEPs, spread over the segments, each with its share of the
 * sessions, UDP. Lengths of frames are without FCS, inside the tunnel and outside. Both the gateway and its bound get the
 * same ones. */
#pragma once

#include <rte_byteorder.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#define WORKLOADS   1024u
#define BURST       64u
#define FRAME       64u   /* bytes of the usual frame */
#define FRAME_LONG  1400u /* bytes of the longest */
#define OUTER       50u   /* bytes of Ethernet, IPv4, UDP and VXLAN before it */
#define VNI         5001u /* of the first segment; the others follow */
#define REMOTE_PORT 443u

enum direction { UP, DOWN, ACROSS, DIRECTIONS }; /* from inside; from outside; from segment to segment */
extern const char *const direction_name[DIRECTIONS];

struct outside { /* what a flow's inside end looks like from outside; 0 until it is known */
	rte_be32_t address;
	rte_be16_t port;
};

struct pick { /* a flow, and what a packet of it from outside needs */
	uint32_t flow;
	struct outside outside;
};

#define DRAWN 262144u

/* Picks drawn beforehand, many at once: what the tester reads of a large table takes lines and translations of addresses
 * from the lcore that is measured; so it does in one burst of many, and not in all. */
struct drawn {
	uint32_t next;
	uint32_t flows; /* of how many flows they are */
	struct pick pick[DRAWN];
};

struct traffic {
	uint32_t flows, segments;
	const struct tuples *tuples; /* NULL: the plain ones */
	struct outside *outside;     /* [flows], learned from the first packets */
	uint64_t random;             /* state of the generator */
	struct drawn uniform, zipf;
};

struct flow_ends {
	uint32_t workload; /* inside */
	rte_be32_t inside, remote;
	rte_be16_t inside_port, remote_port;
};

struct traffic *traffic_create(uint32_t flows, uint32_t segments, const struct tuples *tuples);
/* Outside ends as no NAT would choose them: the bits of the flow's number (see speed_of_light.h). */
void traffic_number_outside(struct traffic *traffic);
void traffic_learn_outside(struct traffic *traffic, uint32_t flow, struct outside outside);
void traffic_free(struct traffic *traffic);
uint64_t traffic_random(struct traffic *traffic);
struct pick traffic_pick(struct traffic *traffic);      /* a flow, uniformly at random */
struct pick traffic_pick_zipf(struct traffic *traffic); /* the k-th most popular as often as 1 / k */
struct pick traffic_pick_flow(const struct traffic *traffic, uint32_t flow);
struct flow_ends traffic_flow(const struct traffic *traffic, uint32_t flow);
uint32_t traffic_segment(const struct traffic *traffic, uint32_t workload); /* 0 and on */
void traffic_workload_mac(uint32_t workload, uint8_t mac[6]);
rte_be32_t traffic_workload_ip(const struct traffic *traffic, uint32_t workload);
rte_be32_t traffic_workload_vtep(uint32_t workload);
/* Whom the workload talks to from segment to segment: one in another segment, behind the other VTEP. */
uint32_t traffic_peer(uint32_t workload);
rte_be32_t traffic_segment_network(uint32_t segment); /* a /20 */

/* Writes the packet of the flow into the mbuf, as a device would: whole, at the start of its room. `length` is that of
 * the frame inside the tunnel, at most FRAME_LONG; the payload says the flow and the length. */
void traffic_write(const struct traffic *traffic, struct pick pick, enum direction direction, uint16_t length,
	struct rte_mbuf *m);
/* Puts the packet out of all caches, as a device without a way into them leaves it. */
void traffic_chill(struct rte_mbuf *m);

extern const char gateway_underlay_mac[], gateway_uplink_mac[], segment_mac[];
extern const char *const vtep_mac[2];
extern const char router_mac[];
