/* SPDX-License-Identifier: BSD-3-Clause */
/* The same flows as TCP connections that are opened, used and closed in six packets. */
#pragma once

#include "traffic.h"

enum connection_step { STEP_SYN, STEP_SYN_ACK, STEP_ACK, STEP_DATA_FIN, STEP_FIN, STEP_LAST_ACK, STEPS };

enum direction connection_direction(enum connection_step step);
/* Like traffic_write, a 64-byte frame in the direction of the step. */
void connection_write(
	const struct traffic *traffic, uint32_t flow, enum connection_step step, struct rte_mbuf *m);
