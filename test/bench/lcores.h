/* SPDX-License-Identifier: BSD-3-Clause */
/* Two packet lcores against one: fused on both, with and without handing packets over; split at different cuts; and what
 * this machine can show at all, by the bound and by two gateways that share nothing, on both CPUs at the same time. */
#pragma once

#include "options.h"
#include "scenario.h"
#include "series.h"
#include <rte_mempool.h>
#include <stdio.h>

enum lcores_row {
	LCORES_ONE,        /* one, fused */
	LCORES_ONE_STAGES, /* the same without the fast path */
	LCORES_STEERED,    /* two, fused; each receives what it owns */
	LCORES_SCATTERED, /* the same; each receives anything, half of it of sessions that the other one owns */
	LCORES_SPLIT_DECAP,   /* two; the second one has all from routing on */
	LCORES_SPLIT_ROUTE,   /* all from NAT on */
	LCORES_SPLIT_NAT,     /* all after NAT */
	LCORES_APART,         /* two gateways of one lcore each, with half of the sessions each */
	LCORES_BOUND_ONE,     /* the bound on one CPU */
	LCORES_BOUND_TWO,     /* on both, with half of the sessions each */
	LCORES_BOUND_SWAPPED, /* the same; half of the packets that each works on the other one has written */
	LCORES_ROWS
};

#define LCORES_SIZES 2
#define LCORES_WAYS  3 /* WAY_UP, WAY_DOWN, WAY_BOTH */

struct lcores {
	uint32_t sizes, sessions[LCORES_SIZES], rounds, batches;
	unsigned cpu[2];
	struct {
		struct series cycles; /* a packet, of both together */
		struct series times;  /* one lcore, or the bound on one CPU, in the same round */
	} row[LCORES_SIZES][LCORES_WAYS][LCORES_ROWS];
	uint32_t repeated, disturbed, repeats_most; /* as in struct report */
	uint64_t packets, checked;
};

/* The largest number of sessions is that of the options' table. Exits when a packet is lost or wrong. */
void lcores_measure(struct lcores *lcores, const struct options *options, const unsigned cpu[2],
	struct rte_mempool *pool);
unsigned lcores_memory_mib(const struct options *options);
void lcores_print(const struct lcores *lcores, FILE *out);
/* A member of an object of JSON. */
void lcores_write_json(const struct lcores *lcores, FILE *out);
