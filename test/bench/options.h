/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "scenario.h"

struct options {
	uint32_t rounds, bursts;
	uint32_t scenarios;
	struct scenario scenario[SCENARIOS_MAX];
	bool watched, flooded;
	const char *json;
};

/* Exits when they are wrong, or when only help is asked for. */
void options_read(struct options *options, int argc, char **argv);
