/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcores.h"

#include "report.h"

#define TIMES_MIN 1.8 /* two lcores that receive any packet, both directions, against one */

static const struct {
	const char *key, *text;
} row_name[LCORES_ROWS] = {
	[LCORES_ONE] = { "one", "one lcore" },
	[LCORES_ONE_STAGES] = { "one_stages", "one lcore, without the fast path" },
	[LCORES_STEERED] = { "two_steered", "two fused, packets steered to their owners" },
	[LCORES_SCATTERED] = { "two_scattered", "two fused, half of the packets the other one's" },
	[LCORES_SPLIT_DECAP] = { "split_before_route", "split: classify to mac_learn, all else" },
	[LCORES_SPLIT_ROUTE] = { "split_before_nat", "split: classify to nat_handoff, all else" },
	[LCORES_SPLIT_NAT] = { "split_after_nat", "split: classify to nat_gateway, all else" },
	[LCORES_APART] = { "apart", "two gateways that share nothing" },
	[LCORES_BOUND_ONE] = { "bound_one", "the bound, on one CPU" },
	[LCORES_BOUND_TWO] = { "bound_two", "the bound, on both" },
	[LCORES_BOUND_SWAPPED] = { "bound_swapped", "the same, half of the packets by the other" },
};

static double times_of(const struct lcores *lcores, uint32_t size, enum way way, enum lcores_row row)
{
	return series_median(&lcores->row[size][way][row].times);
}

/* What the machine lets two CPUs do, of what one does: by the bound, which waits for memory less than the gateway, or by
 * gateways that have nothing in common. */
static double machine_times(const struct lcores *lcores, uint32_t size, enum way way)
{
	return RTE_MAX(
		times_of(lcores, size, way, LCORES_BOUND_TWO), times_of(lcores, size, way, LCORES_APART));
}

static void row_print(
	const struct lcores *lcores, uint32_t size, enum way way, enum lcores_row row, FILE *out)
{
	double cycles = series_median(&lcores->row[size][way][row].cycles),
	       times = times_of(lcores, size, way, row);

	fprintf(out, "  %-44s %-13s %9u %8.1f +-%3.0f %% %7.2f %7.2f", row_name[row].text, way_name[way],
		lcores->sessions[size], cycles, 100 * series_spread(&lcores->row[size][way][row].cycles),
		report_mega_a_second(cycles), times);
	if (row > LCORES_ONE_STAGES && row < LCORES_BOUND_ONE)
		fprintf(out, "  %6.0f %%\n", 100 * times / machine_times(lcores, size, way));
	else
		fprintf(out, "\n");
}

static void verdict_print(const struct lcores *lcores, FILE *out)
{
	uint32_t most = lcores->sizes - 1;
	double times = times_of(lcores, most, WAY_BOTH, LCORES_SCATTERED);

	fprintf(out,
		"two lcores that receive any packet, %s, %u sessions: %.2f times one (at least %.1f) %s; "
		"this "
		"machine shows %.2f, and the\nbound %.2f with half of the packets by the other CPU\n",
		way_name[WAY_BOTH], lcores->sessions[most], times, TIMES_MIN,
		times >= TIMES_MIN ? "held" : "MISSED", machine_times(lcores, most, WAY_BOTH),
		times_of(lcores, most, WAY_BOTH, LCORES_BOUND_SWAPPED));
}

void lcores_print(const struct lcores *lcores, FILE *out)
{
	fprintf(out,
		"\ntwo lcores, on CPUs %u and %u: cycles a packet and Mpps of both together, times one lcore "
		"(of the bound: times the\nbound on one CPU), and the share of the most that two CPUs of "
		"this machine were seen to do\n",
		lcores->cpu[0], lcores->cpu[1]);
	fprintf(out, "  %-44s %-13s %9s %16s %7s %7s  %8s\n", "", "", "sessions", "cycles a packet", "Mpps",
		"times", "share");
	for (uint32_t size = 0; size < lcores->sizes; size++)
		for (enum way way = WAY_UP; way <= WAY_BOTH; way++)
			for (enum lcores_row row = 0; row < LCORES_ROWS; row++)
				row_print(lcores, size, way, row, out);
	fprintf(out,
		"(medians of %u rounds of %u batches of 2048 packets, from the common start until the last "
		"one is sent; +- as\nabove; %u measurements were repeated because somebody else had a CPU, "
		"%u stayed disturbed)\n",
		lcores->rounds, lcores->batches, lcores->repeated, lcores->disturbed);
	fprintf(out, "%lu packets in, all came out; %lu looked at byte by byte, all right\n", lcores->packets,
		lcores->checked);
	verdict_print(lcores, out);
}

void lcores_write_json(const struct lcores *lcores, FILE *out)
{
	bool first = true;

	fprintf(out,
		"\"lcores\": { \"cpus\": [%u, %u], \"measurements_repeated\": %u, "
		"\"measurements_disturbed\": %u, \"rows\": [",
		lcores->cpu[0], lcores->cpu[1], lcores->repeated, lcores->disturbed);
	for (uint32_t size = 0; size < lcores->sizes; size++)
		for (enum way way = WAY_UP; way <= WAY_BOTH; way++)
			for (enum lcores_row row = 0; row < LCORES_ROWS; row++) {
				const struct series *cycles = &lcores->row[size][way][row].cycles;

				fprintf(out,
					"%s\n    { \"plan\": \"%s\", \"direction\": \"%s\", \"sessions\": "
					"%u, "
					"\"cycles_a_packet\": %.1f, \"spread\": %.3f, \"mpps\": %.3f, "
					"\"times_one\": %.3f }",
					first ? "" : ",", row_name[row].key, way_name[way],
					lcores->sessions[size], series_median(cycles), series_spread(cycles),
					report_mega_a_second(series_median(cycles)),
					times_of(lcores, size, way, row));
				first = false;
			}
	fprintf(out, " ] }");
}
