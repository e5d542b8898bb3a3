/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "stage/lcore_context.h"

/* Hand to the device what transmit has collected. The lcore's own thread. */
void transmit_flush_port(struct lcore_context *context, interface_id port);
void transmit_flush(struct lcore_context *context);
