/* SPDX-License-Identifier: BSD-3-Clause */
/* What a flood of fragments costs other packets (RFC 4787 REQ-14a). */
#pragma once

#include "subject.h"
#include <stdio.h>

/* Measures in turn with nothing beside and with as many fragments as packets, which come in by the uplink in bursts of
 * their own and never become datagrams: of half of them the first fragment is missing, of the others all but the
 * first. Prints the medians of both, the cycles that a fragment itself takes, and what is kept of them at the end. Exits
 * when a packet is lost, or when more is kept than the bounds say. */
void flooded_measure(struct subject *subject, uint32_t rounds, uint32_t bursts, FILE *out);
