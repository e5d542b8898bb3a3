/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <errno.h>
#include <rte_cycles.h>
#include <stdlib.h>
#include <string.h>

/* What is asked of the gateway, at its largest number of sessions. */
#define RATIO_MAX           5.0
#define NEW_A_SECOND_MIN    1e6
#define BYTES_A_SESSION_MAX 160.0

static const char *const part_name[PARTS] = {
#define STAGE(identifier, name, sentence) name,
#include "stage/stage.def"
#undef STAGE
	"fast_path",
	"loop, rx, tx",
};

void series_add(struct series *series, double value)
{
	series->value[series->count++] = value;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static struct series sorted(const struct series *series)
{
	struct series copy = *series;

	qsort(copy.value, copy.count, sizeof(copy.value[0]), by_value);
	return copy;
}

double series_median(const struct series *series)
{
	struct series s = sorted(series);

	return s.count == 0 ? 0 : s.value[s.count / 2];
}

double series_least(const struct series *series)
{
	struct series s = sorted(series);

	return s.count == 0 ? 0 : s.value[0];
}

double series_spread(const struct series *series)
{
	struct series s = sorted(series);

	return s.count == 0 ? 0
			    : (s.value[s.count * 3 / 4] - s.value[s.count / 4]) / 2 / s.value[s.count / 2];
}

static double mega_a_second(double cycles)
{
	return (double)rte_get_tsc_hz() / 1e6 / cycles;
}

static void stages_print(const struct report *report, FILE *out)
{
	fprintf(out, "(medians of the rounds; +- is half of what lies between their quartiles)\n");
	fprintf(out, "\ncycles a packet by stage (median of %u bursts, then of the rounds)\n%-14s",
		report->bursts, "");
	for (uint32_t size = 0; size < report->sizes; size++)
		for (int d = 0; d < DIRECTIONS; d++)
			fprintf(out, " %4s %-7u", direction_name[d], report->sessions[size]);
	fprintf(out, "\n");
	for (int part = 0; part < PARTS; part++) {
		fprintf(out, "%-14s", part_name[part]);
		for (uint32_t size = 0; size < report->sizes; size++)
			for (int d = 0; d < DIRECTIONS; d++)
				fprintf(out, " %8.1f    ",
					series_median(&report->result[size][d].part[part]));
		fprintf(out, "\n");
	}
}

static void verdict_print(FILE *out, const char *what, double value, double limit, bool at_most)
{
	bool held = at_most ? value <= limit : value >= limit;

	fprintf(out, "  %-44s %10.2f  (%s %g) %s\n", what, value, at_most ? "at most" : "at least", limit,
		held ? "held" : "MISSED");
}

static void verdicts_print(const struct report *report, FILE *out)
{
	uint32_t last = report->sizes - 1;

	fprintf(out, "\nat %u sessions\n", report->sessions[last]);
	verdict_print(
		out, "up, times the bound", series_median(&report->result[last][UP].ratio), RATIO_MAX, true);
	verdict_print(out, "down, times the bound", series_median(&report->result[last][DOWN].ratio),
		RATIO_MAX, true);
	verdict_print(out, "new sessions a second, millions",
		mega_a_second(report->cycles_a_new_session[last]), NEW_A_SECOND_MIN / 1e6, false);
	verdict_print(out, "bytes a session", report->bytes_a_session[last], BYTES_A_SESSION_MAX, true);
}

void report_print(const struct report *report, FILE *out)
{
	fprintf(out, "one core (CPU %u, TSC %.2f GHz), %s, %u-byte frames, bursts of %u\n\n", report->cpu,
		(double)rte_get_tsc_hz() / 1e9,
		report->hugepages ? "2 MB hugepages" : "NO hugepages: 4 KB pages", FRAME, BURST);
	fprintf(out, "%-5s %9s  %18s  %8s  %18s  %16s\n", "", "sessions", "cycles a packet", "Mpps",
		"speed of light", "ratio");
	for (int d = 0; d < DIRECTIONS; d++)
		for (uint32_t size = 0; size < report->sizes; size++) {
			const struct result *r = &report->result[size][d];
			double cycles = series_median(&r->whole);
			fprintf(out,
				"%-5s %9u  %10.1f +-%3.0f %%  %8.2f  %10.1f +-%3.0f %%  %8.2f +-%3.0f %%\n",
				direction_name[d], report->sessions[size], cycles,
				100 * series_spread(&r->whole), mega_a_second(cycles),
				series_median(&r->bound), 100 * series_spread(&r->bound),
				series_median(&r->ratio), 100 * series_spread(&r->ratio));
		}
	stages_print(report, out);
	fprintf(out, "\nof \"loop, rx, tx\", the ring devices take %.1f\n", series_median(&report->devices));
	fprintf(out, "\n%9s  %22s  %16s  %16s\n", "sessions", "cycles a new session", "new a second",
		"bytes a session");
	for (uint32_t size = 0; size < report->sizes; size++)
		fprintf(out, "%9u  %22.0f  %14.2f M  %16.1f\n", report->sessions[size],
			report->cycles_a_new_session[size], mega_a_second(report->cycles_a_new_session[size]),
			report->bytes_a_session[size]);
	verdicts_print(report, out);
	fprintf(out, "\n%lu packets in, all came out; %lu looked at byte by byte, all right\n",
		report->packets, report->checked);
}

static void result_write(const struct report *report, uint32_t size, int d, FILE *out)
{
	const struct result *r = &report->result[size][d];
	double cycles = series_median(&r->whole);

	fprintf(out, "    { \"direction\": \"%s\", \"sessions\": %u,\n", direction_name[d],
		report->sessions[size]);
	fprintf(out, "      \"cycles_a_packet\": %.1f, \"least\": %.1f, \"spread\": %.3f, \"mpps\": %.2f,\n",
		cycles, series_least(&r->whole), series_spread(&r->whole), mega_a_second(cycles));
	fprintf(out,
		"      \"speed_of_light\": %.1f, \"ratio\": %.2f, \"ratio_spread\": %.3f,\n      \"parts\": "
		"{",
		series_median(&r->bound), series_median(&r->ratio), series_spread(&r->ratio));
	for (int part = 0; part < PARTS; part++)
		fprintf(out, "%s \"%s\": %.1f", part ? "," : "", part < PARTS - 1 ? part_name[part] : "loop",
			series_median(&r->part[part]));
	fprintf(out, " } }");
}

int report_write_json(const struct report *report, const char *path)
{
	FILE *out = fopen(path, "w");

	if (out == NULL)
		return -errno;
	fprintf(out,
		"{\n  \"tsc_hz\": %lu, \"hugepages\": %s, \"frame_bytes\": %u, \"burst\": %u, \"devices\": "
		"%.1f,\n",
		rte_get_tsc_hz(), report->hugepages ? "true" : "false", FRAME, BURST,
		series_median(&report->devices));
	fprintf(out, "  \"packets\": %lu, \"checked\": %lu,\n  \"results\": [\n", report->packets,
		report->checked);
	for (int d = 0; d < DIRECTIONS; d++)
		for (uint32_t size = 0; size < report->sizes; size++) {
			result_write(report, size, d, out);
			fprintf(out, "%s\n", d == DIRECTIONS - 1 && size == report->sizes - 1 ? "" : ",");
		}
	fprintf(out, "  ],\n  \"sessions\": [\n");
	for (uint32_t size = 0; size < report->sizes; size++)
		fprintf(out,
			"    { \"sessions\": %u, \"cycles_a_new_session\": %.0f, \"new_a_second\": %.0f, "
			"\"bytes_a_session\": %.1f }%s\n",
			report->sessions[size], report->cycles_a_new_session[size],
			1e6 * mega_a_second(report->cycles_a_new_session[size]),
			report->bytes_a_session[size], size == report->sizes - 1 ? "" : ",");
	fprintf(out, "  ]\n}\n");
	return fclose(out) == 0 ? 0 : -errno;
}
