/* SPDX-License-Identifier: BSD-3-Clause */
/* The worlds that the cases play in. In all of them the gateway is 192.0.2.1 on the underlay and 203.0.113.1 on the
 * uplink, the way out is the host "router", and the VTEPs are "vtep1" (192.0.2.11) and "vtep2" (192.0.2.12). */
#pragma once

#include "gateway.h"

/* Segments web (5001, 10.0.1.0/24) and db (5002, 10.0.2.0/24, on vtep2 alone), both behind the pool
 * 203.0.113.10-203.0.113.11; web5 has 203.0.113.20 for itself; ports 8080/tcp and 5353/udp of the gateway lead to web6. */
extern const struct world web_world;
/* Segments web (5001) and db (5002) as above; web has a DHCP relay to 198.51.100.53, outside, and to db21, and a pool. */
extern const struct world services_world;
/* Segment web with little of everything: 128 public ports, 1024 sessions, 4 new ones a burst, 2 MACs, transmit queues
 * of 64. */
extern const struct world small_world;
/* Segments with hosts that have limits: web 5 ports and 7 sessions, db 10 new sessions a second; free has no NAT, and is
 * routed. */
extern const struct world limits_world;
/* Segment web behind a pool whose only address is that of the gateway's uplink. */
extern const struct world shared_world;
/* Segment web with an MTU of 1400 and no NAT; no default route, but one for 198.51.100.0/24 and a black hole. */
extern const struct world plain_world;
/* The same with rings of 64 between lcores. */
extern const struct world narrow_world;
/* Segments blue (6001) and red (8047, with an MTU of 1400), both 10.9.0.0/24, each with a pool of its own. */
extern const struct world overlap_world;
/* The same, but that red is 11.9.0.0/24. */
extern const struct world neighbour_world;
/* Segments open (7001, 10.0.1.0/24, behind 203.0.113.10, which anybody may use), known (7002, 10.0.2.0/24, MTU 1400,
 * 203.0.113.11, address-dependent), strict (7003, 10.0.3.0/24, 203.0.113.12) and routed (7004, 10.0.4.0/24, no NAT);
 * open5 and known5 have 203.0.113.20 and .21 for themselves; 8080/tcp and 5353/udp of the gateway lead to open6. */
extern const struct world peers_world;

/* Segment web with an MTU of 1550, more than the uplink takes, behind the pool 203.0.113.10. */
extern const struct world jumbo_world;
/* Segments blue (6001), which leaves the MSS alone, and red (6002), which clamps it to 1200; no NAT. */
extern const struct world clamp_world;
/* Segment web (5001) with a multicast group, 239.1.1.1; VTEPs may be any in 192.0.2.0/28. */
extern const struct world group_world;
/* Segment web (5001, 10.0.1.0/24, behind 203.0.113.10; web5 has 203.0.113.20). Of it
 * 10.0.1.0/26 is not translated to 198.51.100.0/25 and 203.0.113.0/24, and 10.0.1.64/26 not at all. An unsolicited SYN gets
 * no answer. */
extern const struct world bypass_world;
