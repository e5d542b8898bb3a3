/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of the in-process gateway among themselves. */
#pragma once

#include "gateway.h"

/* Is the frame an ARP request that the hosts deal with? Then their answers, if any, have been sent. */
bool gateway_hosts_take(struct gateway *gateway, uint16_t port, const struct frame *frame);

struct gateway_output *gateway_output_create(uint16_t ports);
void gateway_output_free(struct gateway_output *output);
void gateway_output_add(
	struct gateway_output *output, uint16_t port, uint32_t run, const struct frame *frame);
/* What the hosts have not seen yet they are shown: what they deal with (their answers are the next input) is not for the test to
 * receive. */
void gateway_output_show(struct gateway *gateway);

/* What the slow path dropped for the reason. */
uint64_t gateway_slowpath_drops(const struct gateway *gateway, enum drop_reason reason);
