/* SPDX-License-Identifier: BSD-3-Clause */
#include "watched.h"

#include "base/clock.h"
#include "lister.h"
#include "management/telemetry_commands.h"
#include "measure.h"
#include "series.h"
#include <rte_debug.h>

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
	struct lister lister = { 0 };

	telemetry_begin(subject->gateway);
	for (enum way way = WAY_UP; way <= WAY_DOWN; way++) {
		const struct scenario scenario = { .segments = 1, .way = way };
		struct series alone = { 0 }, watched = { 0 };

		for (uint32_t i = 0; i < rounds; i++) {
			struct measure measure;

			measure_gateway(subject, &scenario, bursts, &measure);
			series_add(&alone, measure.cycles);
			lister_start(&lister);
			measure_gateway(subject, &scenario, bursts, &measure);
			lister_stop(&lister);
			series_add(&watched, measure.cycles);
		}
		fprintf(out, "%s: %.0f cycles a packet, %.0f while all sessions are listed over and over\n",
			way_name[way], series_median(&alone), series_median(&watched));
	}
	telemetry_stop();
	fprintf(out, "a list of %lu sessions takes %.1f s\n", gateway_sessions(subject->gateway),
		(double)lister.ns / (double)lister.lists / 1e9);
}
