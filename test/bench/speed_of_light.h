/* SPDX-License-Identifier: BSD-3-Clause */
/* The bound that the packet path is measured against: the least work that could be called the gateway's.
 *
 * Its hash is a CRC, and flows are numbered bit by bit, so that the hash, which is linear, has no collisions with up to
 * ten million of them: a luck that no real table has, and part of the bound. */
#pragma once

#include "traffic.h"

struct speed_of_light;

/* For the flows of `traffic`, whose outside ends must be set. */
struct speed_of_light *speed_of_light_create(const struct traffic *traffic);
void speed_of_light_free(struct speed_of_light *bound);
/* Runs a burst of BURST packets: up 114 bytes in, 64 out; down 64 in, 114 out. */
void speed_of_light_run(struct speed_of_light *bound, enum direction direction, struct rte_mbuf **packets);
/* Flows that are not where their hash says, both directions together. */
uint64_t speed_of_light_collisions(const struct speed_of_light *bound);
/* Packets that found no session, or were not what they should be. */
uint64_t speed_of_light_wrong(const struct speed_of_light *bound);
