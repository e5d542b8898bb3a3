/* SPDX-License-Identifier: BSD-3-Clause */
/* What it costs packets that somebody looks at all sessions meanwhile. */
#pragma once

#include "subject.h"
#include <stdio.h>

/* Measures in turn with nobody looking and with another thread, on another CPU, that reads all sessions over and over;
 * prints the medians of both, and how long a look at all takes. */
void watched_measure(struct subject *subject, uint32_t rounds, uint32_t bursts, FILE *out);
