/* SPDX-License-Identifier: BSD-3-Clause */
/* The packets of the benchmark: 1024 workloads behind two VTEPs, each with its share of the sessions, UDP, 64-byte
 * frames (without FCS) inside the tunnel and outside. Both the gateway and its bound get the same ones. */
#pragma once

#include <rte_byteorder.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#define WORKLOADS   1024u
#define BURST       64u
#define FRAME       64u /* bytes */
#define OUTER       50u /* bytes of Ethernet, IPv4, UDP and VXLAN before it */
#define VNI         5001u
#define REMOTE_PORT 443u

enum direction { UP, DOWN, DIRECTIONS }; /* from inside; from outside */
extern const char *const direction_name[DIRECTIONS];

struct outside { /* what a flow's inside end looks like from outside; 0 until it is known */
	rte_be32_t address;
	rte_be16_t port;
};

struct traffic {
	uint32_t flows;
	struct outside *outside; /* [flows], learned from the first packets */
	uint64_t random;         /* state of the generator */
};

struct flow_ends {
	rte_be32_t inside, remote;
	rte_be16_t inside_port, remote_port;
};

struct traffic *traffic_create(uint32_t flows);
/* Outside ends as no NAT would choose them: the bits of the flow's number (see speed_of_light.h). */
void traffic_number_outside(struct traffic *traffic);
void traffic_free(struct traffic *traffic);
uint32_t traffic_pick(struct traffic *traffic); /* a flow, uniformly at random */
struct flow_ends traffic_flow(uint32_t flow);
uint32_t traffic_workload(uint32_t flow);
void traffic_workload_mac(uint32_t workload, uint8_t mac[6]);
rte_be32_t traffic_workload_ip(uint32_t workload);
rte_be32_t traffic_workload_vtep(uint32_t workload);

/* Writes the packet of the flow into the mbuf, as a device would: whole, at the start of its room. */
void traffic_write(
	const struct traffic *traffic, uint32_t flow, enum direction direction, struct rte_mbuf *m);

extern const char gateway_underlay_mac[], gateway_uplink_mac[], segment_mac[];
extern const char *const vtep_mac[2];
extern const char router_mac[];
