/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/fast_path_level.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static char error[CPU_FLAGS_TEXT_MAX + 64];

Test(fast_path_level, the_best_that_the_cpu_has_is_taken)
{
	const struct fast_path_level *const *at = fast_path_levels;

	cr_assert_eq(fast_path_level_best(0), *at);
	for (; *at != NULL; at++)
		cr_assert_eq(fast_path_level_best((*at)->needs), *at, "%s", (*at)->name);
	cr_assert_eq(fast_path_level_best(UINT32_MAX), at[-1]);
	cr_assert_eq(fast_path_level(), fast_path_level_best(cpu_flags()));
}

Test(fast_path_level, each_needs_all_that_those_before_it_need_and_more)
{
	for (const struct fast_path_level *const *at = fast_path_levels; at[1] != NULL; at++) {
		cr_assert_eq((*at)->needs & ~at[1]->needs, 0, "%s", at[1]->name);
		cr_assert_neq((*at)->needs, at[1]->needs, "%s", at[1]->name);
	}
}

Test(fast_path_level, one_that_the_cpu_has_can_be_asked_for)
{
	for (const struct fast_path_level *const *at = fast_path_levels; *at != NULL; at++) {
		if ((*at)->needs & ~cpu_flags())
			continue;
		cr_assert_eq(fast_path_level_use((*at)->name, error, sizeof(error)), 0, "%s", error);
		cr_assert_eq(fast_path_level(), *at);
	}
}

Test(fast_path_level, one_that_the_cpu_lacks_is_refused_with_what_it_lacks)
{
	const struct fast_path_level *before = fast_path_level();

	for (const struct fast_path_level *const *at = fast_path_levels; *at != NULL; at++) {
		char text[CPU_FLAGS_TEXT_MAX];
		uint32_t lacking = (*at)->needs & ~cpu_flags();

		if (lacking == 0)
			continue;
		cr_assert_eq(fast_path_level_use((*at)->name, error, sizeof(error)), -ENOTSUP);
		cr_assert_str_eq(error + sizeof("this CPU lacks"), cpu_flags_text(lacking, text));
		cr_assert_eq(fast_path_level(), before);
	}
}

Test(fast_path_level, an_unknown_one_is_refused_with_those_that_there_are)
{
	cr_assert_eq(fast_path_level_use("x86-64-v9", error, sizeof(error)), -ENOENT);
	cr_assert_not_null(strstr(error, fast_path_levels[0]->name), "%s", error);
}
