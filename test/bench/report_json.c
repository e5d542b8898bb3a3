/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include "hugepages.h"
#include "stage/fast_path_level.h"
#include "stamp.h"
#include <errno.h>
#include <rte_cycles.h>

static void row_write(const struct row *row, FILE *out)
{
	const struct scenario *scenario = &row->scenario;
	double cycles = series_median(&row->whole);

	fprintf(out, "    { \"direction\": \"%s\", \"sessions\": %u, \"segments\": %u, \"frames\": \"%s\",\n",
		way_name[scenario->way], scenario->sessions, scenario->segments,
		frames_name[scenario->frames]);
	fprintf(out, "      \"picked\": \"%s\", \"bursts\": \"%s\", \"pool\": \"%s\", \"plain\": %s,\n",
		picked_name[scenario->picked], bursts_name[scenario->bursts], scenario->cold ? "cold" : "hot",
		scenario_is_plain(scenario) ? "true" : "false");
	fprintf(out, "      \"cycles_a_packet\": %.1f, \"least\": %.1f, \"spread\": %.3f, \"mpps\": %.3f,\n",
		cycles, series_least(&row->whole), series_spread(&row->whole), report_mega_a_second(cycles));
	if (scenario_has_bound(scenario))
		fprintf(out, "      \"speed_of_light\": %.1f, \"ratio\": %.2f, \"ratio_spread\": %.3f,\n",
			series_median(&row->bound), series_median(&row->ratio), series_spread(&row->ratio));
	fprintf(out, "      \"parts\": {");
	for (int part = 0; part < PARTS; part++)
		fprintf(out, "%s \"%s\": %.1f", part ? "," : "",
			part < PARTS - 1 ? report_part_name(part) : "loop", series_median(&row->part[part]));
	fprintf(out, " } }");
}

static void latency_write_json(const char *name, const struct latency_of *of, const char *end, FILE *out)
{
	fprintf(out,
		"\"%s\": { \"p50\": %.3f, \"p50_spread\": %.3f, \"p99\": %.3f, \"p99_spread\": %.3f, "
		"\"all_p99\": %.3f }%s",
		name, series_median(&of->median_us), series_spread(&of->median_us),
		series_median(&of->p99_us), series_spread(&of->p99_us), of->all_p99_us, end);
}

static void way_write(const struct report *report, enum way way, FILE *out)
{
	const struct latency *latency = &report->latency[way];
	struct bounds bounds;

	if (report_bounds(report, way, &bounds))
		fprintf(out,
			"  \"bound_%s\": { \"sessions\": %u, \"serial\": %.1f, \"overlapped\": %.1f },\n",
			way_name[way], bounds.sessions, bounds.serial, bounds.overlapped);
	if (report_plain(report, way) == NULL)
		return;
	fprintf(out, "  \"latency_%s_us\": { \"disturbed\": %u, ", way_name[way], latency->disturbed);
	latency_write_json("gateway", &latency->gateway, ", ", out);
	latency_write_json("waiting", &latency->waiting, " },\n", out);
}

/* What time stamps take is known for all parts, the rest where there is a matrix. */
static void machine_write(const struct report *report, FILE *out)
{
	const struct machine *machine = &report->machine;

	fprintf(out, "  \"machine\": { \"stamps\": %.1f", stamp_cost);
	if (report->rows > 0)
		fprintf(out,
			", \"line_alone\": %.1f, \"line_together\": %.2f, \"cached_close\": %.1f, "
			"\"cached_apart\": %.1f, \"ring_hop\": %.2f, \"empty_turn\": %.1f, \"devices\": %.1f",
			machine->line_alone, machine->line_together, machine->cached_close,
			machine->cached_apart, machine->ring_hop, machine->empty_turn,
			series_median(&report->devices));
	fprintf(out, " },\n");
}

static void matrix_write(const struct report *report, FILE *out)
{
	fprintf(out, "  \"rounds_repeated\": %u, \"rounds_disturbed\": %u,\n", report->repeated,
		report->disturbed);
	for (enum way way = WAY_UP; way <= WAY_DOWN; way++)
		way_write(report, way, out);
	fprintf(out, "  \"packets\": %lu, \"checked\": %lu,\n", report->packets, report->checked);
}

static void head_write(const struct report *report, FILE *out)
{
	fprintf(out,
		"  \"isa\": \"%s\", \"tsc_hz\": %lu, \"pages\": \"%s\", \"rounds\": %u, \"bursts_a_round\": "
		"%u, \"burst\": %u,\n",
		fast_path_level()->name, rte_get_tsc_hz(), hugepages_text(), report->rounds, report->bursts,
		BURST);
	machine_write(report, out);
	if (report->rows > 0)
		matrix_write(report, out);
}

int report_write_json(const struct report *report, const char *path)
{
	FILE *out = fopen(path, "w");

	if (out == NULL)
		return -errno;
	fprintf(out, "{\n");
	head_write(report, out);
	fprintf(out, "  \"results\": [\n");
	for (uint32_t i = 0; i < report->rows; i++) {
		row_write(&report->row[i], out);
		fprintf(out, "%s\n", i + 1 < report->rows ? "," : "");
	}
	fprintf(out, "  ],\n  \"sessions\": [\n");
	for (uint32_t i = 0; i < report->worlds; i++)
		fprintf(out,
			"    { \"sessions\": %u, \"segments\": %u, \"cycles_a_new_session\": %.0f, "
			"\"new_a_second\": %.0f, \"bytes_a_session\": %.1f }%s\n",
			report->opened[i].sessions, report->opened[i].segments,
			report->opened[i].cycles_a_new_session,
			1e6 * report_mega_a_second(report->opened[i].cycles_a_new_session),
			report->opened[i].bytes_a_session, i + 1 < report->worlds ? "," : "");
	fprintf(out, "  ]");
	if (report->has_rates) {
		fprintf(out, ",\n  ");
		rates_write_json(&report->rates, out);
	}
	if (report->has_attacks) {
		fprintf(out, ",\n  ");
		attacks_write_json(&report->attacks, out);
	}
	if (report->has_lcores) {
		fprintf(out, ",\n  ");
		lcores_write_json(&report->lcores, out);
	}
	fprintf(out, "\n}\n");
	return fclose(out) == 0 ? 0 : -errno;
}
