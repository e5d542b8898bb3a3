/* SPDX-License-Identifier: BSD-3-Clause */
/* Are the packets that come out what they should be? Asked outside the timed part, with code that the gateway does not
 * share. All exit with a message when not. */
#pragma once

#include "traffic.h"

/* A first packet went out: where its flow is seen from outside is noted. */
void check_learn_outside(struct traffic *traffic, const struct rte_mbuf *m);
/* Headers, addresses, ports, lengths and checksums. */
void check_packet(const struct traffic *traffic, enum direction direction, const struct rte_mbuf *m);
