/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables that are full and floods, as warnings in the log of the gateway: each is told when it begins, once a minute while
 * it goes on, and when it is over, however many packets it is of. From the counters, which count every one of them. */
#pragma once

#include <stdint.h>

struct packet_path;
struct slowpath;
struct trouble_watch;

/* NULL with errno. The path and the slow path stay until it is destroyed. */
struct trouble_watch *trouble_watch_create(const struct packet_path *path, const struct slowpath *slowpath);
void trouble_watch_destroy(struct trouble_watch *watch);
/* The management lcore, as often as it likes: looks once a second. */
void trouble_watch_look(struct trouble_watch *watch, uint64_t now_ns);
