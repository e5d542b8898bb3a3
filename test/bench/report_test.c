/* SPDX-License-Identifier: BSD-3-Clause */
/* What is said of a measurement, to people and to programs. */
#include "report.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct report *report_make(void)
{
	struct report *report = calloc(1, sizeof(*report));

	cr_assert_not_null(report);
	report->rounds = 11;
	return report;
}

static cJSON *json_of(const struct report *report)
{
	char path[] = "/tmp/bench_report.XXXXXX", text[16384] = "";
	int file = mkstemp(path);

	cr_assert_geq(file, 0);
	cr_assert_eq(report_write_json(report, path), 0);
	cr_assert_gt(read(file, text, sizeof(text) - 1), 0);
	close(file);
	unlink(path);
	cJSON *json = cJSON_Parse(text);
	cr_assert_not_null(json, "%s", text);
	return json;
}

/* With a row of so many sessions upwards, that takes `ratio` times as long as the bound. */
static struct report *report_of_row(uint32_t sessions, double ratio)
{
	struct report *report = report_make();
	struct row *row = &report->row[report->rows++];

	row->scenario = (struct scenario){ .sessions = sessions, .segments = 1, .way = WAY_UP };
	series_add(&row->bound, 50);
	series_add(&row->whole, 50 * ratio);
	series_add(&row->ratio, ratio);
	return report;
}

Test(bench_report, figures_for_programs_have_nothing_that_was_not_measured)
{
	static const char *const of_matrix[] = { "latency_up_us", "latency_down_us", "bound_up", "packets",
		"checked", "rounds_repeated", "attacks", "connections" };
	struct report *report = report_make();

	report->has_lcores = true;
	cJSON *json = json_of(report);
	for (size_t i = 0; i < sizeof(of_matrix) / sizeof(of_matrix[0]); i++)
		cr_expect_null(cJSON_GetObjectItem(json, of_matrix[i]), "%s", of_matrix[i]);
	cr_expect_null(cJSON_GetObjectItem(cJSON_GetObjectItem(json, "machine"), "line_alone"));
	cr_expect_not_null(cJSON_GetObjectItem(json, "lcores"));
	cJSON_Delete(json);
	free(report);
}

Test(bench_report, figures_for_programs_have_what_belongs_to_the_matrix)
{
	struct report *report = report_of_row(1000, 2);
	cJSON *json = json_of(report);

	cr_expect_not_null(cJSON_GetObjectItem(json, "latency_up_us"));
	cr_expect_null(cJSON_GetObjectItem(json, "latency_down_us"));
	cr_expect_not_null(cJSON_GetObjectItem(json, "packets"));
	cr_expect_not_null(cJSON_GetObjectItem(cJSON_GetObjectItem(json, "machine"), "line_alone"));
	cJSON_Delete(json);
	free(report);
}

static void verdict_is(double ratio, const char *verdict)
{
	static const uint32_t asked[] = { 1000, 1000000 };

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct report *report = report_of_row(asked[i], ratio);
		char *text = NULL, line[128];
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);

		report_print(report, out);
		fclose(out);
		snprintf(line, sizeof(line), "up, %u sessions, times the bound ", asked[i]);
		const char *found = strstr(text, line);
		cr_assert_not_null(found, "%s", text);
		cr_expect_not_null(memmem(found, strcspn(found, "\n"), verdict, strlen(verdict)), "%.*s",
			(int)strcspn(found, "\n"), found);
		free(text);
		free(report);
	}
}

Test(bench_report, a_ratio_to_the_bound_is_judged_where_the_bound_was_not_disturbed)
{
	verdict_is(0.7, " unclear: the bound was disturbed");
	verdict_is(1.6, " held");
	verdict_is(3.5, " MISSED");
}
