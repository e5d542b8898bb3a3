/* SPDX-License-Identifier: BSD-3-Clause */
/* What is measured, as data: a scenario says which packets come in, how they are picked and how long they are. In the
 * terms of RFC 2544 and RFC 9693: frames without FCS; established sessions; bidirectional traffic is as many packets
 * each way. */
#pragma once

#include "traffic.h"

enum way { WAY_UP, WAY_DOWN, WAY_BOTH, WAY_ACROSS, WAYS };
extern const char *const way_name[WAYS];

enum frames { FRAMES_64, FRAMES_IMIX, FRAMES_1400, FRAME_KINDS }; /* inside the tunnel */
extern const char *const frames_name[FRAME_KINDS];

enum picked { PICKED_UNIFORM, PICKED_ZIPF, PICKED_KINDS };
extern const char *const picked_name[PICKED_KINDS];

enum bursts { BURSTS_FULL, BURSTS_SHORT, BURSTS_KINDS }; /* 64 packets; 1 to 8 packets */
extern const char *const bursts_name[BURSTS_KINDS];

struct scenario {
	uint32_t sessions, segments;
	enum way way;
	enum frames frames;
	enum picked picked;
	enum bursts bursts;
	bool cold; /* packets come from memory, not from a cache */
};

#define SCENARIOS_MAX 64

/* The matrix of the benchmark; with `full` also what takes gigabytes. Returns how many. */
uint32_t scenarios_matrix(struct scenario *out, bool full);
/* Up, down and both with each of these numbers of sessions, the rest as usual. */
uint32_t scenarios_plain(struct scenario *out, const uint32_t *sessions, uint32_t count);

bool scenario_has(const struct scenario *scenario, enum direction direction);
/* Nothing but the number of sessions and the direction differs from the usual. */
bool scenario_is_plain(const struct scenario *scenario);
/* The bound does the same work up and down in full bursts. It is none for packets from memory, which it does not ask for ahead, nor for
 * many segments, with which its table has collisions. */
bool scenario_has_bound(const struct scenario *scenario);

void scenario_picks(
	const struct scenario *scenario, struct traffic *traffic, struct pick *pick, uint32_t count);
uint16_t scenario_length(const struct scenario *scenario, struct traffic *traffic);
double scenario_mean_length(const struct scenario *scenario); /* bytes */
