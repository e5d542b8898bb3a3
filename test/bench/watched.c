/* SPDX-License-Identifier: BSD-3-Clause */
#include "watched.h"

#include "base/clock.h"
#include "lister.h"
#include "management/telemetry_commands.h"
#include <rte_debug.h>
#include <stdlib.h>

#define ROUNDS_MOST 256

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void telemetry_begin(const struct gateway *gateway)
{
	const struct telemetry_sources sources = { .config = gateway->config,
		.plane = gateway->plane,
		.path = gateway->path,
		.slowpath = gateway->slowpath,
		.started_ns = clock_now_ns() };

	if (telemetry_start(&sources) != 0)
		rte_exit(EXIT_FAILURE, "telemetry does not start\n");
}

void watched_measure(struct subject *subject, uint32_t rounds, uint32_t bursts, FILE *out)
{
	double alone[ROUNDS_MOST], watched[ROUNDS_MOST];
	struct lister lister = { 0 };

	telemetry_begin(subject->gateway);
	rounds = RTE_MIN(rounds, (uint32_t)ROUNDS_MOST);
	for (int d = 0; d < DIRECTIONS; d++) {
		for (uint32_t i = 0; i < rounds; i++) {
			struct measure measure;

			subject_measure(subject, (enum direction)d, bursts, &measure);
			alone[i] = measure.cycles;
			lister_start(&lister);
			subject_measure(subject, (enum direction)d, bursts, &measure);
			lister_stop(&lister);
			watched[i] = measure.cycles;
		}
		qsort(alone, rounds, sizeof(*alone), by_size);
		qsort(watched, rounds, sizeof(*watched), by_size);
		fprintf(out, "%s: %.0f cycles a packet, %.0f while all sessions are listed over and over\n",
			direction_name[d], alone[rounds / 2], watched[rounds / 2]);
	}
	telemetry_stop();
	fprintf(out, "a list of %lu sessions takes %.1f s\n", gateway_sessions(subject->gateway),
		(double)lister.ns / (double)lister.lists / 1e9);
}
