/* SPDX-License-Identifier: BSD-3-Clause */
/* The rates that vxgatectl top computes, and the lines it makes of them. */
#include "vxgatectl/rates.h"
#include "vxgatectl/top_view.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

static struct counter_row *row(
	struct sample *sample, enum counter_group group, const char *name, double v0, double v1)
{
	struct counter_row *counters = sample_row(sample, group, name, false);

	counters->value[0] = v0;
	counters->value[1] = v1;
	return counters;
}

/* Two looks, half a second apart. */
static void two_samples(struct sample *before, struct sample *now)
{
	sample_init(before);
	sample_init(now);
	before->when_ns = 10 * SECOND;
	now->when_ns = 10 * SECOND + SECOND / 2;
	before->tsc_hz = now->tsc_hz = 2e9;
}

Test(vxgatectl_top, a_rate_is_the_growth_divided_by_the_time)
{
	struct sample before, now;

	two_samples(&before, &now);
	row(&before, GROUP_PORT, "underlay", 1000, 64000);
	row(&now, GROUP_PORT, "underlay", 1500, 96000);
	struct rate_row *rates = rates_compute(&before, &now);
	cr_assert_float_eq(rates[0].delta[RX_PACKETS], 500, 1e-9);
	cr_assert_float_eq(rates[0].rate[RX_PACKETS], 1000, 1e-9);
	cr_assert_float_eq(rates[0].rate[RX_BYTES], 64000, 1e-9);
	free(rates);
	sample_destroy(&before);
	sample_destroy(&now);
}

Test(vxgatectl_top, a_port_and_a_segment_of_one_name_are_kept_apart)
{
	struct sample before, now;

	two_samples(&before, &now);
	row(&before, GROUP_PORT, "web", 100, 0);
	row(&before, GROUP_SEGMENT, "web", 1000, 0);
	row(&now, GROUP_SEGMENT, "web", 1010, 0);
	row(&now, GROUP_PORT, "web", 200, 0);
	struct rate_row *rates = rates_compute(&before, &now);
	cr_assert_float_eq(rates[0].delta[RX_PACKETS], 10, 1e-9);
	cr_assert_float_eq(rates[1].delta[RX_PACKETS], 100, 1e-9);
	free(rates);
	sample_destroy(&before);
	sample_destroy(&now);
}

Test(vxgatectl_top, a_gateway_started_again_shows_no_absurd_rates)
{
	struct sample before, now;

	two_samples(&before, &now);
	row(&before, GROUP_PORT, "underlay", 1e9, 0);
	row(&now, GROUP_PORT, "underlay", 10, 0);
	row(&now, GROUP_PORT, "new", 1e9, 0);
	struct rate_row *rates = rates_compute(&before, &now);
	cr_assert_eq(rates[0].rate[RX_PACKETS], 0);
	cr_assert_eq(rates[1].rate[RX_PACKETS], 0, "a row seen for the first time has no rate yet");
	free(rates);
	now.when_ns = before.when_ns;
	rates = rates_compute(&before, &now);
	cr_assert_eq(rates[0].rate[RX_PACKETS], 0, "no time has passed");
	free(rates);
	sample_destroy(&before);
	sample_destroy(&now);
}

Test(vxgatectl_top, busy_share_and_cycles_a_packet_are_those_of_the_interval)
{
	struct sample before, now;

	two_samples(&before, &now);
	row(&before, GROUP_LCORE, "1", 1e6, 5e9);
	row(&now, GROUP_LCORE, "1", 2e6, 5e9 + 2.5e8); /* a quarter of the 1e9 cycles of half a second */
	struct rate_row *rates = rates_compute(&before, &now);
	cr_assert_float_eq(lcore_busy(&rates[0], 2e9), 0.25, 1e-9);
	cr_assert_float_eq(
		cycles_a_packet(rates[0].delta[LCORE_BUSY_CYCLES], rates[0].delta[LCORE_PACKETS]), 250, 1e-9);
	cr_assert_eq(cycles_a_packet(100, 0), 0);
	free(rates);
	sample_destroy(&before);
	sample_destroy(&now);
}

static const struct top_header header = { "edge-a", "0.1.0", "fused", "12:00:00", 65 };

/* Five ports, three segments, thirty drop reasons. */
static void busy_gateway(struct sample *before, struct sample *now)
{
	char name[32];

	two_samples(before, now);
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "port%d", i);
		row(before, GROUP_PORT, name, 0, 0);
		row(now, GROUP_PORT, name, 100 * i, 1000);
	}
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "segment%d", i);
		row(before, GROUP_SEGMENT, name, 0, 0);
		row(now, GROUP_SEGMENT, name, 100 * i, 1000);
	}
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "reason%d", i);
		row(before, GROUP_DROP, name, i == 0 ? 0 : 1000, 0);
		row(now, GROUP_DROP, name, i == 0 ? 0 : i == 7 ? 1001 : 1000, 0);
	}
}

static bool view_has(const struct top_view *view, const char *text)
{
	for (size_t i = 0; i < view->count; i++)
		if (strstr(view->line[i].text, text) != NULL)
			return true;
	return false;
}

static size_t view_line(const struct top_view *view, const char *text)
{
	for (size_t i = 0; i < view->count; i++)
		if (strstr(view->line[i].text, text) != NULL)
			return i;
	cr_assert_fail("no line has '%s'", text);
	return 0;
}

Test(vxgatectl_top, all_is_shown_where_there_is_room)
{
	struct sample before, now;
	struct top_view view = { 0 };

	busy_gateway(&before, &now);
	cr_assert_eq(top_view_make(&view, &header, &before, &now, 0, 0), 0);
	cr_assert(strstr(view.line[0].text, "edge-a") && strstr(view.line[0].text, "up 1m 5s"));
	cr_assert(view_has(&view, "port4") && view_has(&view, "segment2") && view_has(&view, "reason29"));
	cr_assert(!view_has(&view, "more)"));
	cr_assert(!view_has(&view, "reason0 "), "a drop that never happened is not shown");
	cr_assert(view.line[view_line(&view, "DROP REASON")].heading);
	top_view_destroy(&view);
	sample_destroy(&before);
	sample_destroy(&now);
}

Test(vxgatectl_top, what_drops_now_comes_first_and_the_busiest_segment_too)
{
	struct sample before, now;
	struct top_view view = { 0 };

	busy_gateway(&before, &now);
	cr_assert_eq(top_view_make(&view, &header, &before, &now, 0, 0), 0);
	cr_assert_eq(view_line(&view, "reason7"), view_line(&view, "DROP REASON") + 1);
	cr_assert_eq(view_line(&view, "segment2"), view_line(&view, "SEGMENT") + 1);
	cr_assert_eq(view_line(&view, "port0"), view_line(&view, "PORT") + 1, "ports keep their order");
	top_view_destroy(&view);
	sample_destroy(&before);
	sample_destroy(&now);
}

Test(vxgatectl_top, the_view_fits_every_window)
{
	struct sample before, now;

	busy_gateway(&before, &now);
	for (unsigned height = 1; height < 60; height++) {
		for (unsigned width = 1; width < 140; width += 13) {
			struct top_view view = { 0 };

			cr_assert_eq(top_view_make(&view, &header, &before, &now, width, height), 0);
			cr_assert_leq(view.count, height);
			for (size_t i = 0; i < view.count; i++)
				cr_assert_leq(strlen(view.line[i].text), width);
			top_view_destroy(&view);
		}
	}
	sample_destroy(&before);
	sample_destroy(&now);
}

Test(vxgatectl_top, a_low_window_leaves_out_rows_and_says_how_many)
{
	struct sample before, now;
	struct top_view view = { 0 };

	busy_gateway(&before, &now);
	cr_assert_eq(top_view_make(&view, &header, &before, &now, 80, 24), 0);
	cr_assert(view_has(&view, "port4") && view_has(&view, "segment2") && view_has(&view, "reason7"));
	cr_assert(view_has(&view, "more)"));
	cr_assert_geq(view.count, 23, "the room is used");
	top_view_destroy(&view);
	sample_destroy(&before);
	sample_destroy(&now);
}
