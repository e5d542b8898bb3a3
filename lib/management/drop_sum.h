/* SPDX-License-Identifier: BSD-3-Clause */
/* All drops by reason: those of the packet lcores and those of the slow path, which names some of the same reasons. */
#pragma once

#include "stage/drop_reason.h"
#include <stdint.h>

struct packet_path;
struct slowpath;

/* Any thread; each number is of about now. */
void drop_sum(const struct packet_path *path, const struct slowpath *slowpath, uint64_t sum[DROP_REASONS]);
