/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include "hugepages.h"
#include "stage/fast_path_level.h"
#include "stamp.h"
#include "verdict.h"
#include <rte_cycles.h>

/* What is asked of the gateway, by numbers of sessions. */
#define FEW                 1000u
#define MANY                1000000u
#define MOST                10000000u
#define RATIO_FEW_MAX       3.0
#define RATIO_MANY_MAX      2.5
#define SHARE_MOST_MIN      0.8 /* of the throughput with MANY, with ten times as many */
#define BYTES_A_SESSION_MAX 96.0

#define ROUNDS_LEAST 10u /* whose medians are figures */

#define IN_CACHE 10000u /* so many sessions that the bound does not wait for memory */

static const char *const part_name[PARTS] = {
#define STAGE(identifier, name, sentence) name,
#include "stage/stage.def"
#undef STAGE
	"fast_path",
	"loop, rx, tx",
};

const char *report_part_name(int part)
{
	return part_name[part];
}

double report_mega_a_second(double cycles)
{
	return (double)rte_get_tsc_hz() / 1e6 / cycles;
}

static const struct row *plain_extreme(const struct report *report, enum way way, bool most)
{
	const struct row *found = NULL;

	for (uint32_t i = 0; i < report->rows; i++) {
		const struct row *row = &report->row[i];
		if (scenario_is_plain(&row->scenario) && row->scenario.way == way &&
			(found == NULL || (row->scenario.sessions > found->scenario.sessions) == most))
			found = row;
	}
	return found;
}

const struct row *report_plain(const struct report *report, enum way way)
{
	return plain_extreme(report, way, true);
}

const struct row *report_plain_least(const struct report *report, enum way way)
{
	return plain_extreme(report, way, false);
}

static void row_print(const struct row *row, FILE *out)
{
	const struct scenario *scenario = &row->scenario;
	double cycles = series_median(&row->whole), mpps = report_mega_a_second(cycles);

	fprintf(out, "%-13s %9u %8u  %-5s %-8s %-6s %-5s %8.1f +-%3.0f %%  %6.2f  %6.2f",
		way_name[scenario->way], scenario->sessions, scenario->segments,
		frames_name[scenario->frames], picked_name[scenario->picked], bursts_name[scenario->bursts],
		scenario->cold ? "cold" : "hot", cycles, 100 * series_spread(&row->whole), mpps,
		mpps * scenario_mean_length(scenario) * 8 / 1000);
	if (scenario_has_bound(scenario))
		fprintf(out, "  %7.1f  %5.2f +-%3.0f %%", series_median(&row->bound),
			series_median(&row->ratio), 100 * series_spread(&row->ratio));
	else
		fprintf(out, "  %7s  %5s", "-", "-");
	fprintf(out, "\n");
}

static void matrix_print(const struct report *report, FILE *out)
{
	fprintf(out, "%-13s %9s %8s  %-5s %-8s %-6s %-5s %16s  %6s  %6s  %7s  %5s\n", "", "sessions",
		"segments", "frame", "picked", "burst", "pool", "cycles a packet", "Mpps", "Gbit/s", "bound",
		"ratio");
	for (uint32_t i = 0; i < report->rows; i++)
		row_print(&report->row[i], out);
	fprintf(out,
		"(medians of %u rounds of %u bursts; +- is half of what lies between their quartiles. Frames "
		"and Gbit/s:\nbytes of the frame inside the tunnel without FCS; short bursts have no bound, "
		"and routing none either)\n",
		report->rounds, report->bursts);
}

static void stages_print(const struct report *report, FILE *out)
{
	fprintf(out, "\ncycles a packet by stage, full bursts of 64-byte frames\n%-14s", "");
	for (uint32_t i = 0; i < report->rows; i++)
		if (scenario_is_plain(&report->row[i].scenario) && report->row[i].scenario.way < WAY_BOTH)
			fprintf(out, " %4s %-8u", way_name[report->row[i].scenario.way],
				report->row[i].scenario.sessions);
	fprintf(out, "\n");
	for (int part = 0; part < PARTS; part++) {
		fprintf(out, "%-14s", part_name[part]);
		for (uint32_t i = 0; i < report->rows; i++)
			if (scenario_is_plain(&report->row[i].scenario) &&
				report->row[i].scenario.way < WAY_BOTH)
				fprintf(out, " %8.1f     ", series_median(&report->row[i].part[part]));
		fprintf(out, "\n");
	}
	fprintf(out, "of \"loop, rx, tx\", the ring devices take %.1f\n", series_median(&report->devices));
}

bool report_bounds(const struct report *report, enum way way, struct bounds *bounds)
{
	const struct machine *machine = &report->machine;
	const struct row *row = report_plain_least(report, way);

	if (row == NULL || row->scenario.sessions > IN_CACHE)
		return false;
	double work = series_median(&row->bound) + machine->empty_turn / BURST;
	*bounds = (struct bounds){ .sessions = row->scenario.sessions,
		.serial = work + machine->line_alone,
		.overlapped = RTE_MAX(work, machine->line_together) };
	return true;
}

static void bounds_print(const struct report *report, FILE *out)
{
	const struct machine *machine = &report->machine;

	fprintf(out,
		"\nthis machine: a random cache line %.0f cycles alone, %.1f with 64 prefetches under way; "
		"one of "
		"8192 in the\ncache %.0f, and %.0f where they are spread over 256 MiB: translation; a packet "
		"through a ring %.1f; an empty\nturn of the loop %.0f; two time stamps %.0f, which are taken "
		"off each turn and each burst of the bound\n",
		machine->line_alone, machine->line_together, machine->cached_close, machine->cached_apart,
		machine->ring_hop, machine->empty_turn, stamp_cost);
	for (enum way way = WAY_UP; way <= WAY_DOWN; way++) {
		struct bounds bounds;

		if (report_bounds(report, way, &bounds))
			fprintf(out,
				"the bound at %u sessions, a share of the turn and one line of memory, %4s: "
				"%.0f one after the other, %.0f overlapped\n",
				bounds.sessions, way_name[way], bounds.serial, bounds.overlapped);
	}
}

/* The bound does less with the same frames of as many sessions: where it takes longer, something else took more from it than from the
 * gateway, and the ratio says nothing. */
static void verdict_ratio(FILE *out, const struct row *row)
{
	uint32_t sessions = row->scenario.sessions;
	double ratio = series_median(&row->ratio), limit = sessions == FEW ? RATIO_FEW_MAX : RATIO_MANY_MAX;
	char what[64];

	if (sessions != FEW && sessions != MANY)
		return;
	snprintf(what, sizeof(what), "%s, %u sessions, times the bound", way_name[row->scenario.way],
		sessions);
	if (ratio < 1)
		verdict_line(out, what, ratio, limit, true, "unclear: the bound was disturbed");
	else
		verdict_print(out, what, ratio, limit, true);
}

/* Round by round, of which each has measured one right after the other: a machine that is faster in some minutes than in others
 * is as fast for both. */
static double share_kept(const struct series *many, const struct series *most)
{
	struct series share = { 0 };

	for (uint32_t i = 0; i < many->count && i < most->count; i++)
		series_add(&share, many->value[i] / most->value[i]);
	return series_median(&share);
}

static void verdict_most(FILE *out, const struct row *many, const struct row *most)
{
	char what[64];

	snprintf(what, sizeof(what), "%s, %u, of the throughput at %u", way_name[most->scenario.way],
		most->scenario.sessions, many->scenario.sessions);
	verdict_print(out, what, share_kept(&many->whole, &most->whole), SHARE_MOST_MIN, false);
	fprintf(out, "  %-55s %10.2f  (what the machine leaves of the least work)\n",
		"  the bound, of its own", share_kept(&many->bound, &most->bound));
}

static const struct row *plain_row(const struct report *report, enum way way, uint32_t sessions)
{
	for (uint32_t i = 0; i < report->rows; i++) {
		const struct scenario *scenario = &report->row[i].scenario;

		if (scenario_is_plain(scenario) && scenario->way == way && scenario->sessions == sessions)
			return &report->row[i];
	}
	return NULL;
}

static void verdicts_print(const struct report *report, FILE *out)
{
	fputc('\n', out);
	for (enum way way = WAY_UP; way <= WAY_DOWN; way++) {
		const struct row *least = report_plain_least(report, way), *most = report_plain(report, way);

		if (least != NULL)
			verdict_ratio(out, least);
		if (most != NULL && most != least)
			verdict_ratio(out, most);
	}
	for (enum way way = WAY_UP; way <= WAY_BOTH; way++) {
		const struct row *many = plain_row(report, way, MANY), *most = plain_row(report, way, MOST);

		if (many != NULL && most != NULL)
			verdict_most(out, many, most);
	}
	for (uint32_t i = 0; i < report->worlds; i++) {
		const struct opened *opened = &report->opened[i];

		if (opened->segments != 1 || opened->sessions != MANY)
			continue;
		verdict_print(out, "bytes a session", opened->bytes_a_session, BYTES_A_SESSION_MAX, true);
	}
}

static void latency_line(const char *name, const struct latency_of *of, FILE *out)
{
	fprintf(out, "  %-26s %10.2f +-%3.0f %% %10.2f +-%3.0f %% %14.2f\n", name,
		series_median(&of->median_us), 100 * series_spread(&of->median_us),
		series_median(&of->p99_us), 100 * series_spread(&of->p99_us), of->all_p99_us);
}

static void latency_print(const struct report *report, FILE *out)
{
	fprintf(out,
		"\nadded latency at half load, us (median run, and the packets of all runs together)\n"
		"  %-26s %10s        %10s        %14s\n",
		"", "median", "99 % below", "all, 99 % below");
	for (enum way way = WAY_UP; way <= WAY_DOWN; way++) {
		const struct row *row = report_plain(report, way);
		const struct latency *latency = &report->latency[way];
		char name[32];

		if (row == NULL)
			continue;
		snprintf(name, sizeof(name), "%s, %u sessions", way_name[way], row->scenario.sessions);
		latency_line(name, &latency->gateway, out);
		latency_line("a loop that only waits", &latency->waiting, out);
		if (latency->disturbed > 0)
			fprintf(out, "  %u of %u runs were disturbed\n", latency->disturbed,
				latency->gateway.p99_us.count);
	}
}

static void opened_print(const struct report *report, FILE *out)
{
	fprintf(out, "\n%9s  %8s  %22s  %16s  %16s\n", "sessions", "segments", "cycles a new session",
		"new a second", "bytes a session");
	for (uint32_t i = 0; i < report->worlds; i++) {
		const struct opened *opened = &report->opened[i];
		fprintf(out, "%9u  %8u  %22.0f  %14.2f M  %16.1f\n", opened->sessions, opened->segments,
			opened->cycles_a_new_session, report_mega_a_second(opened->cycles_a_new_session),
			opened->bytes_a_session);
	}
}

static void traffic_print(const struct report *report, FILE *out)
{
	matrix_print(report, out);
	stages_print(report, out);
	bounds_print(report, out);
	latency_print(report, out);
	opened_print(report, out);
	verdicts_print(report, out);
	fprintf(out,
		"\ninterference: %u rounds were repeated because another thread or the hypervisor had the "
		"CPU; %u stayed disturbed\n",
		report->repeated, report->disturbed);
	fprintf(out, "%lu packets in, all came out; %lu looked at byte by byte, all right\n", report->packets,
		report->checked);
}

void report_print(const struct report *report, FILE *out)
{
	fprintf(out, "one core (CPU %u, TSC %.2f GHz), fast path for %s, %s\n", report->cpu,
		(double)rte_get_tsc_hz() / 1e9, fast_path_level()->name, hugepages_text());
	if (report->rounds < ROUNDS_LEAST)
		fprintf(out, "fewer than %u rounds: for a look, not for a verdict\n", ROUNDS_LEAST);
	fputc('\n', out);
	if (report->rows > 0)
		traffic_print(report, out);
	if (report->has_rates)
		rates_print(&report->rates, out);
	if (report->has_attacks)
		attacks_print(&report->attacks, out);
	if (report->has_lcores)
		lcores_print(&report->lcores, out);
}
