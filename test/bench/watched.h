/* SPDX-License-Identifier: BSD-3-Clause */
/* What it costs packets that somebody lists all sessions meanwhile, and how long that takes. */
#pragma once

#include "subject.h"
#include <stdio.h>

/* Measures in turn with nobody looking and while all sessions are listed over and over: by the code of vxgatectl, over
 * the telemetry socket, as JSON into nowhere, on other CPUs than the packets'. Prints the medians of both, and the
 * seconds of a list. The EAL has been started with telemetry. */
void watched_measure(struct subject *subject, uint32_t rounds, uint32_t bursts, FILE *out);
