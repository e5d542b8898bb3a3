/* SPDX-License-Identifier: BSD-3-Clause */
/* What the options of the benchmark choose. refusals_check.py has those that are refused. */
#include "options.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define WORDS_MAX 16

static struct options read_line(const char *line)
{
	static char copy[256];
	char *word[WORDS_MAX + 1] = { NULL }, *rest = copy;
	struct options options;
	int count = 0;

	snprintf(copy, sizeof(copy), "bench --json /dev/null %s", line);
	while (count < WORDS_MAX && (word[count] = strsep(&rest, " ")) != NULL)
		count++;
	options_read(&options, count, word);
	return options;
}

static void table_is(const char *line, uint32_t sessions, uint32_t lcores_least)
{
	struct options options = read_line(line);

	cr_expect_eq(options.table, sessions, "%s: %u", line, options.table);
	cr_expect_eq(options.lcores_least, lcores_least, "%s: %u", line, options.lcores_least);
	cr_expect_not(options.matrix, "%s", line);
}

Test(bench_options, sessions_are_those_of_the_only_part)
{
	table_is("--only connections --sessions 20000", 20000, 20000);
}

Test(bench_options, sessions_may_stand_before_the_part)
{
	table_is("--sessions 20000 --only attacks", 20000, 20000);
}

Test(bench_options, sessions_are_not_those_of_a_quick_look)
{
	table_is("--sessions 500000 --only lcores --quick", 500000, 500000);
}

Test(bench_options, lcores_have_two_numbers_of_sessions)
{
	table_is("--only lcores", 1000000, 100000);
}

Test(bench_options, sessions_alone_are_of_the_matrix)
{
	struct options options = read_line("--sessions 1000,20000 --full");

	cr_expect_eq(options.scenarios, 6, "%u", options.scenarios);
	cr_expect(options.matrix && !options.connections && !options.attacks && !options.lcores);
}

Test(bench_options, shortened_they_are_the_same)
{
	cr_expect(read_line("--plo --ses=1000").plot);
}
