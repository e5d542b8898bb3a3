/* SPDX-License-Identifier: BSD-3-Clause */
#include "scenario.h"

#include <rte_debug.h>

const char *const way_name[WAYS] = { "up", "down", "half and half", "across" };
const char *const frames_name[FRAME_KINDS] = { "64", "IMIX", "1400" };
const char *const picked_name[PICKED_KINDS] = { "uniform", "Zipf" };
const char *const bursts_name[BURSTS_KINDS] = { "64", "1-8" };

#define K 1000u
#define M 1000000u

/* One thing at a time differs from the usual: 64-byte frames of uniformly random sessions of one segment, in full bursts
 * from the cache. */
static const struct scenario matrix[] = {
	{ .sessions = 1 * K, .way = WAY_UP },
	{ .sessions = 100 * K, .way = WAY_UP },
	{ .sessions = 1 * M, .way = WAY_UP },
	{ .sessions = 10 * M, .way = WAY_UP },
	{ .sessions = 1 * K, .way = WAY_DOWN },
	{ .sessions = 100 * K, .way = WAY_DOWN },
	{ .sessions = 1 * M, .way = WAY_DOWN },
	{ .sessions = 10 * M, .way = WAY_DOWN },
	{ .sessions = 1 * K, .way = WAY_BOTH },
	{ .sessions = 100 * K, .way = WAY_BOTH },
	{ .sessions = 1 * M, .way = WAY_BOTH },
	{ .sessions = 10 * M, .way = WAY_BOTH },
	{ .sessions = 1 * M, .way = WAY_UP, .frames = FRAMES_IMIX },
	{ .sessions = 1 * M, .way = WAY_UP, .frames = FRAMES_1400 },
	{ .sessions = 1 * M, .way = WAY_DOWN, .frames = FRAMES_IMIX },
	{ .sessions = 1 * M, .way = WAY_DOWN, .frames = FRAMES_1400 },
	{ .sessions = 1 * M, .way = WAY_BOTH, .frames = FRAMES_IMIX },
	{ .sessions = 1 * M, .way = WAY_UP, .picked = PICKED_ZIPF },
	{ .sessions = 1 * M, .way = WAY_DOWN, .picked = PICKED_ZIPF },
	{ .sessions = 1 * M, .way = WAY_UP, .bursts = BURSTS_SHORT },
	{ .sessions = 1 * M, .way = WAY_DOWN, .bursts = BURSTS_SHORT },
	{ .sessions = 1 * M, .way = WAY_BOTH, .bursts = BURSTS_SHORT },
	{ .sessions = 1 * M, .way = WAY_UP, .cold = true },
	{ .sessions = 1 * M, .way = WAY_DOWN, .cold = true },
	{ .sessions = 1 * M, .segments = 1000, .way = WAY_UP },
	{ .sessions = 1 * M, .segments = 1000, .way = WAY_DOWN },
	{ .sessions = 1 * K, .segments = 2, .way = WAY_ACROSS },
	{ .sessions = 1 * M, .segments = 1000, .way = WAY_ACROSS },
	{ .sessions = 1 * M, .segments = 1000, .way = WAY_ACROSS, .frames = FRAMES_IMIX },
};
_Static_assert(RTE_DIM(matrix) <= SCENARIOS_MAX, "room for them");

uint32_t scenarios_matrix(struct scenario *out, bool full)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < RTE_DIM(matrix); i++) {
		if (matrix[i].sessions > M && !full)
			continue;
		out[count] = matrix[i];
		out[count].segments = RTE_MAX(out[count].segments, 1u);
		count++;
	}
	return count;
}

uint32_t scenarios_plain(struct scenario *out, const uint32_t *sessions, uint32_t count)
{
	uint32_t scenarios = 0;

	for (enum way way = WAY_UP; way <= WAY_BOTH; way++)
		for (uint32_t i = 0; i < count; i++)
			out[scenarios++] =
				(struct scenario){ .sessions = sessions[i], .segments = 1, .way = way };
	return scenarios;
}

bool scenario_has(const struct scenario *scenario, enum direction direction)
{
	static const uint8_t directions[WAYS] = { [WAY_UP] = 1 << UP,
		[WAY_DOWN] = 1 << DOWN,
		[WAY_BOTH] = 1 << UP | 1 << DOWN,
		[WAY_ACROSS] = 1 << ACROSS };

	return directions[scenario->way] >> direction & 1;
}

bool scenario_is_plain(const struct scenario *scenario)
{
	return scenario->segments == 1 && scenario->frames == FRAMES_64 &&
	       scenario->picked == PICKED_UNIFORM && scenario->bursts == BURSTS_FULL && !scenario->cold;
}

bool scenario_has_bound(const struct scenario *scenario)
{
	return scenario->way != WAY_ACROSS && scenario->bursts == BURSTS_FULL && !scenario->cold &&
	       scenario->segments == 1;
}

void scenario_picks(
	const struct scenario *scenario, struct traffic *traffic, struct pick *pick, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		pick[i] =
			scenario->picked == PICKED_ZIPF ? traffic_pick_zipf(traffic) : traffic_pick(traffic);
}

/* 28 : 16 : 4 of 64, 570 and 1400 bytes. */
static uint16_t imix_length(uint32_t random)
{
	uint32_t of_48 = random % 48;

	return of_48 < 28 ? 64 : of_48 < 44 ? 570 : 1400;
}

uint16_t scenario_length(const struct scenario *scenario, struct traffic *traffic)
{
	if (scenario->frames == FRAMES_64)
		return FRAME;
	if (scenario->frames == FRAMES_1400)
		return FRAME_LONG;
	return imix_length((uint32_t)(traffic_random(traffic) >> 32));
}

double scenario_mean_length(const struct scenario *scenario)
{
	static const double mean[FRAME_KINDS] = {
		[FRAMES_64] = 64, [FRAMES_IMIX] = (28 * 64 + 16 * 570 + 4 * 1400) / 48.0, [FRAMES_1400] = 1400
	};

	return mean[scenario->frames];
}
