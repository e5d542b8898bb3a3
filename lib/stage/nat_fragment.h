/* SPDX-License-Identifier: BSD-3-Clause */
/* Fragments and NAT (RFC 4787 section 11, RFC 6888 section 3). See nat_fragment.c. */
#pragma once

#include "stage/lcore_context.h"

/* Once a turn, on a lcore that owns sessions: sends on what waited for its first fragment and need not any more, and ends
 * what waited too long. */
void nat_fragment_poll(struct lcore_context *context);
