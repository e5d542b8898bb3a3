/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgatectl/top_view.h"

#include "vxgatectl/number_text.h"
#include "vxgatectl/table.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns are at least so wide ("14,880,952", "12.3 Mbit/s"), so that they stand still while the numbers change. */
#define STEADY_WIDTH 11

struct section_column {
	const char *title;
	enum table_align align;
};

struct section {
	enum counter_group group;
	struct section_column column[8]; /* ended by a NULL title */
	/* The cells of a row after its name. */
	void (*cells)(const struct rate_row *row, double tsc_hz, char cell[8][NUMBER_TEXT]);
	double (*weight)(
		const struct rate_row *row); /* the heaviest rows first; NULL: in the order that they have */
	bool (*shown)(const struct rate_row *row); /* NULL: all */
	unsigned least;                            /* rows that it keeps when the window is low */
};

static void traffic_cells(const struct rate_row *row, double tsc_hz, char cell[8][NUMBER_TEXT])
{
	(void)tsc_hz;
	rate_text(row->rate[RX_PACKETS], cell[0]);
	bits_text(row->rate[RX_BYTES] * 8, cell[1]);
	rate_text(row->rate[TX_PACKETS], cell[2]);
	bits_text(row->rate[TX_BYTES] * 8, cell[3]);
	rate_text(row->rate[RX_MISSED], cell[4]);
}

static void lcore_cells(const struct rate_row *row, double tsc_hz, char cell[8][NUMBER_TEXT])
{
	snprintf(cell[0], NUMBER_TEXT, "%.1f", 100 * lcore_busy(row, tsc_hz));
	rate_text(row->rate[LCORE_PACKETS], cell[1]);
	rate_text(cycles_a_packet(row->delta[LCORE_BUSY_CYCLES], row->delta[LCORE_PACKETS]), cell[2]);
	rate_text(row->rate[LCORE_SLEEPS], cell[3]);
	count_text((uint64_t)row->now->value[LCORE_SESSIONS], cell[4]);
	rate_text(row->rate[LCORE_CREATED], cell[5]);
	rate_text(row->rate[LCORE_EXPIRED], cell[6]);
}

static void stage_cells(const struct rate_row *row, double tsc_hz, char cell[8][NUMBER_TEXT])
{
	(void)tsc_hz;
	rate_text(row->rate[STAGE_PACKETS], cell[0]);
	rate_text(cycles_a_packet(row->delta[STAGE_CYCLES], row->delta[STAGE_PACKETS]), cell[1]);
}

static void drop_cells(const struct rate_row *row, double tsc_hz, char cell[8][NUMBER_TEXT])
{
	(void)tsc_hz;
	rate_text(row->rate[DROP_COUNT], cell[0]);
	count_text((uint64_t)row->delta[DROP_COUNT], cell[1]);
	count_text((uint64_t)row->now->value[DROP_COUNT], cell[2]);
}

static double traffic_weight(const struct rate_row *row)
{
	return row->rate[RX_PACKETS] + row->rate[TX_PACKETS];
}

static double drop_weight(const struct rate_row *row)
{
	/* What drops now comes before all that dropped once. */
	return row->rate[DROP_COUNT] * 1e18 + row->now->value[DROP_COUNT];
}

static bool drop_shown(const struct rate_row *row)
{
	return row->now->value[DROP_COUNT] > 0;
}

static const struct section section_table[GROUPS] = {
	[GROUP_PORT] = { GROUP_PORT,
		{ { "PORT" }, { "RX PACKETS/S", TABLE_RIGHT }, { "RX", TABLE_RIGHT },
			{ "TX PACKETS/S", TABLE_RIGHT }, { "TX", TABLE_RIGHT }, { "MISSED/S", TABLE_RIGHT } },
		traffic_cells, .least = 2 },
	[GROUP_SEGMENT] = { GROUP_SEGMENT,
		{ { "SEGMENT" }, { "RX PACKETS/S", TABLE_RIGHT }, { "RX", TABLE_RIGHT },
			{ "TX PACKETS/S", TABLE_RIGHT }, { "TX", TABLE_RIGHT } },
		traffic_cells, traffic_weight, .least = 2 },
	[GROUP_LCORE] = { GROUP_LCORE,
		{ { "LCORE" }, { "BUSY %", TABLE_RIGHT }, { "PACKETS/S", TABLE_RIGHT },
			{ "CYCLES A PACKET", TABLE_RIGHT }, { "SLEEPS/S", TABLE_RIGHT },
			{ "SESSIONS", TABLE_RIGHT }, { "NEW/S", TABLE_RIGHT }, { "ENDED/S", TABLE_RIGHT } },
		lcore_cells, .least = 2 },
	[GROUP_STAGE] = { GROUP_STAGE,
		{ { "STAGE" }, { "PACKETS/S", TABLE_RIGHT }, { "CYCLES A PACKET", TABLE_RIGHT } },
		stage_cells, .least = 0 },
	[GROUP_DROP] = { GROUP_DROP,
		{ { "DROP REASON" }, { "A SECOND", TABLE_RIGHT }, { "SINCE LAST", TABLE_RIGHT },
			{ "IN ALL", TABLE_RIGHT } },
		drop_cells, drop_weight, drop_shown, .least = 2 },
};

/* How many rows each section may show so that all of it takes no more than `height` lines: the title, then for each
 * section that has rows a blank line, a heading, its rows, and a line that says how many are left out. */
static void sections_share(const size_t wanted[GROUPS], size_t share[GROUPS], unsigned height)
{
	memcpy(share, wanted, GROUPS * sizeof(share[0]));
	if (height == 0)
		return;
	for (;;) {
		size_t lines = 1, largest = GROUPS;

		for (size_t g = 0; g < GROUPS; g++) {
			if (share[g] == 0)
				continue;
			lines += 2 + share[g] + (share[g] < wanted[g]);
			if (share[g] > section_table[g].least &&
				(largest == GROUPS || share[g] > share[largest]))
				largest = g;
		}
		if (lines <= height || largest == GROUPS)
			return;
		share[largest]--;
	}
}

static int view_line(struct top_view *view, char *text, bool heading)
{
	if (text == NULL)
		return -ENOMEM;
	if (view->count == view->capacity) {
		size_t capacity = view->capacity == 0 ? 64 : view->capacity * 2;
		struct top_line *line = realloc(view->line, capacity * sizeof(*line));

		if (line == NULL) {
			free(text);
			return -ENOMEM;
		}
		view->line = line;
		view->capacity = capacity;
	}
	view->line[view->count++] = (struct top_line){ text, heading };
	return 0;
}

static int view_text(struct top_view *view, const char *text, size_t length, bool heading)
{
	return view_line(view, strndup(text, length), heading);
}

/* The lines of a table, the first of them a heading. */
static int view_table(struct top_view *view, struct table *table)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int rc = 0;

	if (out == NULL)
		return -ENOMEM;
	table_print(table, out);
	fclose(out);
	bool heading = true;
	for (char *line = text, *end; rc == 0 && (end = strchr(line, '\n')) != NULL; line = end + 1) {
		rc = view_text(view, line, (size_t)(end - line), heading);
		heading = false;
	}
	free(text);
	return rc;
}

static int weight_compare(const void *a, const void *b, void *argument)
{
	const struct section *section = argument;
	const struct rate_row *x = *(const struct rate_row *const *)a,
			      *y = *(const struct rate_row *const *)b;
	double difference = section->weight(y) - section->weight(x);

	return difference > 0 ? 1 : difference < 0 ? -1 : x->now < y->now ? -1 : 1;
}

/* The rows of a section, in the order to show: to free. */
static const struct rate_row **section_rows(
	const struct section *section, const struct rate_row *rates, size_t rate_count, size_t *count)
{
	const struct rate_row **rows = calloc(rate_count + 1, sizeof(*rows));

	*count = 0;
	for (size_t i = 0; rows != NULL && i < rate_count; i++)
		if (rates[i].now->group == section->group &&
			(section->shown == NULL || section->shown(&rates[i])))
			rows[(*count)++] = &rates[i];
	if (rows != NULL && section->weight != NULL)
		qsort_r(rows, *count, sizeof(rows[0]), weight_compare, (void *)(uintptr_t)section);
	return rows;
}

static int section_make(struct top_view *view, const struct section *section, const struct rate_row **rows,
	size_t wanted, size_t share, double tsc_hz)
{
	char cell[8][NUMBER_TEXT], left_out[NUMBER_TEXT + 16];
	struct table table;
	int rc = view_text(view, "", 0, false);

	table_init(&table);
	for (size_t i = 0; i < 8 && section->column[i].title != NULL; i++) {
		table_column(&table, section->column[i].title, section->column[i].align);
		if (table.width[i] < STEADY_WIDTH)
			table.width[i] = STEADY_WIDTH;
	}
	for (size_t i = 0; i < share && rc == 0; i++) {
		section->cells(rows[i], tsc_hz, cell);
		const char *cells[] = { rows[i]->now->name, cell[0], cell[1], cell[2], cell[3], cell[4],
			cell[5], cell[6] };
		rc = table_row(&table, cells) ? 0 : -ENOMEM;
	}
	if (rc == 0)
		rc = view_table(view, &table);
	table_destroy(&table);
	if (rc == 0 && share < wanted) {
		int n = snprintf(left_out, sizeof(left_out), "(%zu more)", wanted - share);
		rc = view_text(view, left_out, (size_t)n, false);
	}
	return rc;
}

static int title_make(struct top_view *view, const struct top_header *header)
{
	char uptime[NUMBER_TEXT], text[256];
	int n = snprintf(text, sizeof(text), "vxgate %s  %s  up %s  plan %s  version %s", header->name,
		header->clock, duration_text(header->uptime_s, uptime), header->plan, header->version);

	return view_text(view, text, (size_t)n, false);
}

static void view_cut(struct top_view *view, unsigned width)
{
	for (size_t i = 0; i < view->count; i++)
		if (strlen(view->line[i].text) > width)
			view->line[i].text[width] = '\0';
}

int top_view_make(struct top_view *view, const struct top_header *header, const struct sample *before,
	const struct sample *now, unsigned width, unsigned height)
{
	const struct rate_row **rows[GROUPS] = { 0 };
	size_t wanted[GROUPS] = { 0 }, share[GROUPS];
	struct rate_row *rates = rates_compute(before, now);
	int rc = rates == NULL ? -ENOMEM : title_make(view, header);

	for (size_t g = 0; g < GROUPS && rc == 0; g++) {
		rows[g] = section_rows(&section_table[g], rates, now->count, &wanted[g]);
		rc = rows[g] == NULL ? -ENOMEM : 0;
	}
	sections_share(wanted, share, height);
	for (size_t g = 0; g < GROUPS && rc == 0; g++)
		if (share[g] > 0)
			rc = section_make(view, &section_table[g], rows[g], wanted[g], share[g], now->tsc_hz);
	for (size_t g = 0; g < GROUPS; g++)
		free(rows[g]);
	free(rates);
	while (height > 0 && view->count > height)
		free(view->line[--view->count].text);
	if (width > 0)
		view_cut(view, width);
	return rc;
}

void top_view_destroy(struct top_view *view)
{
	for (size_t i = 0; i < view->count; i++)
		free(view->line[i].text);
	free(view->line);
	*view = (struct top_view){ 0 };
}
