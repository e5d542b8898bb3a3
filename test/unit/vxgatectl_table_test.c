/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables and numbers as vxgatectl prints them. */
#include "vxgatectl/number_text.h"
#include "vxgatectl/subjects.h"
#include "vxgatectl/table.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *printed(struct table *table)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	table_print(table, out);
	fclose(out);
	return text;
}

static void text_is(char *text, const char *wanted)
{
	cr_assert_str_eq(text, wanted);
	free(text);
}

static void name_and_count(struct table *table)
{
	table_init(table);
	table_column(table, "NAME", TABLE_LEFT);
	table_column(table, "COUNT", TABLE_RIGHT);
	table_column(table, "MEANING", TABLE_LEFT);
}

Test(vxgatectl_table, text_is_left_and_numbers_are_right_under_their_heading)
{
	struct table table;

	name_and_count(&table);
	table_row(&table, (const char *const[]){ "no_route", "7", "No way." });
	table_row(&table, (const char *const[]){ "ring", "1,234,567", "Full." });
	text_is(printed(&table), "NAME          COUNT  MEANING\n"
				 "no_route          7  No way.\n"
				 "ring      1,234,567  Full.\n");
	table_destroy(&table);
}

Test(vxgatectl_table, no_line_ends_in_blanks)
{
	struct table table;

	name_and_count(&table);
	table_row(&table, (const char *const[]){ "a", "1", "something long" });
	table_row(&table, (const char *const[]){ "b", "2", "" });
	text_is(printed(&table), "NAME  COUNT  MEANING\na         1  something long\nb         2\n");
	table_destroy(&table);
}

Test(vxgatectl_table, a_table_without_rows_still_says_what_its_columns_are)
{
	struct table table;

	name_and_count(&table);
	text_is(printed(&table), "NAME  COUNT  MEANING\n");
	table_destroy(&table);
}

Test(vxgatectl_table, a_list_printed_in_blocks_has_one_heading_and_stays_aligned)
{
	struct table table;

	name_and_count(&table);
	table_row(&table, (const char *const[]){ "longer name", "1", "x" });
	text_is(printed(&table), "NAME         COUNT  MEANING\nlonger name      1  x\n");
	table_row(&table, (const char *const[]){ "short", "2", "y" });
	text_is(printed(&table), "short            2  y\n");
	table_destroy(&table);
}

Test(vxgatectl_table, characters_of_two_bytes_take_one_place)
{
	struct table table;

	table_init(&table);
	table_column(&table, "A", TABLE_LEFT);
	table_column(&table, "B", TABLE_LEFT);
	table_row(&table, (const char *const[]){ "Z\xc3\xbcrich", "x" });
	table_row(&table, (const char *const[]){ "Zurich", "x" });
	text_is(printed(&table), "A       B\nZ\xc3\xbcrich  x\nZurich  x\n");
	table_destroy(&table);
}

Test(vxgatectl_table, many_rows_are_all_kept)
{
	struct table table;
	char number[16];

	table_init(&table);
	table_column(&table, "N", TABLE_RIGHT);
	for (int i = 0; i < 1000; i++) {
		snprintf(number, sizeof(number), "%d", i);
		cr_assert(table_row(&table, (const char *const[]){ number }));
	}
	char *text = printed(&table);
	size_t lines = 0;
	for (const char *c = text; *c != '\0'; c++)
		lines += *c == '\n';
	cr_assert_eq(lines, 1001);
	cr_assert(strstr(text, "\n999\n") != NULL);
	free(text);
	table_destroy(&table);
}

Test(vxgatectl_numbers, thousands_are_grouped)
{
	char text[NUMBER_TEXT];

	cr_assert_str_eq(count_text(0, text), "0");
	cr_assert_str_eq(count_text(999, text), "999");
	cr_assert_str_eq(count_text(1000, text), "1,000");
	cr_assert_str_eq(count_text(1234567, text), "1,234,567");
	cr_assert_str_eq(count_text(UINT64_MAX, text), "18,446,744,073,709,551,615");
}

Test(vxgatectl_numbers, small_rates_keep_a_decimal_and_large_ones_do_not)
{
	char text[NUMBER_TEXT];

	cr_assert_str_eq(rate_text(0, text), "0");
	cr_assert_str_eq(rate_text(0.5, text), "0.5");
	cr_assert_str_eq(rate_text(9.94, text), "9.9");
	cr_assert_str_eq(rate_text(9.96, text), "10");
	cr_assert_str_eq(rate_text(14880952.4, text), "14,880,952");
}

Test(vxgatectl_numbers, bits_have_the_unit_that_keeps_them_short)
{
	char text[NUMBER_TEXT];

	cr_assert_str_eq(bits_text(0, text), "0 bit/s");
	cr_assert_str_eq(bits_text(999, text), "999 bit/s");
	cr_assert_str_eq(bits_text(999.7, text), "1.00 kbit/s");
	cr_assert_str_eq(bits_text(1500, text), "1.50 kbit/s");
	cr_assert_str_eq(bits_text(12.34e6, text), "12.3 Mbit/s");
	cr_assert_str_eq(bits_text(999.96e6, text), "1.00 Gbit/s");
	cr_assert_str_eq(bits_text(400e9, text), "400 Gbit/s");
}

Test(vxgatectl_numbers, times_have_two_units_at_most)
{
	char text[NUMBER_TEXT];

	cr_assert_str_eq(duration_text(5, text), "5s");
	cr_assert_str_eq(duration_text(123, text), "2m 3s");
	cr_assert_str_eq(duration_text(7440, text), "2h 4m");
	cr_assert_str_eq(duration_text(273600, text), "3d 4h");
	cr_assert_str_eq(milliseconds_text(12, text), "12ms");
	cr_assert_str_eq(milliseconds_text(3456, text), "3.4s");
	cr_assert_str_eq(milliseconds_text(60000, text), "1m 0s");
}

static const char *cell(const char *json, enum column_format format, char text[CELL_TEXT])
{
	struct column column = { "X", "x", format };
	cJSON *row = cJSON_Parse(json);

	cr_assert_not_null(row);
	const char *shown = column_text(&column, row, text);
	cJSON_Delete(row);
	return shown;
}

Test(vxgatectl_cells, each_kind_of_value_is_shown_as_people_write_it)
{
	char text[CELL_TEXT];

	cr_assert_str_eq(cell("{\"x\":\"web\"}", FORMAT_TEXT, text), "web");
	cr_assert_str_eq(cell("{\"x\":5001}", FORMAT_NUMBER, text), "5001");
	cr_assert_str_eq(cell("{\"x\":5001}", FORMAT_COUNT, text), "5,001");
	cr_assert_str_eq(cell("{\"x\":1}", FORMAT_YES_NO, text), "yes");
	cr_assert_str_eq(
		cell("{\"x\":{\"address\":\"10.0.1.5\",\"port\":80}}", FORMAT_ENDPOINT, text), "10.0.1.5:80");
	cr_assert_str_eq(
		cell("{\"x\":{\"address\":\"10.0.1.5\",\"port\":0}}", FORMAT_ENDPOINT, text), "10.0.1.5");
	cr_assert_str_eq(cell("{\"x\":[\"192.0.2.1/24\",\"198.51.100.1/24\"]}", FORMAT_LIST, text),
		"192.0.2.1/24 198.51.100.1/24");
	cr_assert_str_eq(cell("{\"x\":7440}", FORMAT_SECONDS, text), "2h 4m");
}

Test(vxgatectl_cells, what_is_not_there_is_a_dash)
{
	char text[CELL_TEXT];

	cr_assert_str_eq(cell("{}", FORMAT_COUNT, text), "-");
	cr_assert_str_eq(cell("{\"x\":\"\"}", FORMAT_TEXT, text), "-");
	cr_assert_str_eq(cell("{\"x\":{\"address\":\"\",\"port\":0}}", FORMAT_ENDPOINT, text), "-");
}
