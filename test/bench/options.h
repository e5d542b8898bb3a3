/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "scenario.h"

struct options {
	uint32_t rounds, bursts;
	uint32_t table; /* sessions, for connections and attacks; the most for lcores */
	uint32_t lcores_least;
	uint32_t repeats; /* at most one in so many rounds is measured again */
	uint32_t scenarios;
	struct scenario scenario[SCENARIOS_MAX];
	bool matrix, connections, attacks, lcores, watched, realtime, plot;
	const char *json;
};

/* Exits when they are wrong, or when only help is asked for. */
void options_read(struct options *options, int argc, char **argv);
