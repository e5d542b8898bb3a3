/* SPDX-License-Identifier: BSD-3-Clause */
/* The maximum segment size that a TCP SYN announces (RFC 9293 section 3.7.1), lowered to what fits the way. A sender
 * that clears DF has its segments arrive whole, and one that sets it need not learn of a smaller MTU by ICMP, which many a
 * filter throws away (RFC 2923 section 2.1). */
#pragma once

#include "packet/packet_metadata.h"
#include <rte_tcp.h>

struct data_plane;

/* For a whole TCP header with SYN, and where its packet comes from and goes to. Never raises an MSS, adds none where
 * there is none (that says 536), and leaves the options alone from the first one on whose length is wrong. */
void tcp_mss_clamp(
	const struct data_plane *plane, interface_id from, interface_id to, struct rte_tcp_hdr *tcp);
