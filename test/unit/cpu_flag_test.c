/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/cpu_flag.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* " name name ... \n", as the kernel says it of the first CPU; "" where it says it in other words. */
static void kernel_flags(char *line, int size)
{
	FILE *file = fopen("/proc/cpuinfo", "r");

	cr_assert_not_null(file);
	while (fgets(line, size, file) != NULL)
		if (strncmp(line, "flags", 5) == 0)
			break;
	if (feof(file))
		line[0] = '\0';
	fclose(file);
}

Test(cpu_flag, what_is_found_is_what_the_kernel_says)
{
	char line[8192], name[CPU_FLAGS_TEXT_MAX], word[CPU_FLAGS_TEXT_MAX + 2];

	kernel_flags(line, sizeof(line));
	line[strcspn(line, "\n")] = ' ';
	for (uint32_t flag = 0; flag < CPU_FLAGS && strstr(line, " sse2 ") != NULL; flag++) {
		snprintf(word, sizeof(word), " %s ", cpu_flags_text(UINT32_C(1) << flag, name));
		cr_assert_eq(strstr(line, word) != NULL, cpu_flags() >> flag & 1, "%s", name);
	}
}

Test(cpu_flag, this_test_was_compiled_for_no_more_than_the_cpu_has)
{
	cr_assert_eq(CPU_FLAGS_COMPILED & ~cpu_flags(), 0);
}

Test(cpu_flag, flags_have_the_names_that_proc_cpuinfo_has)
{
	char text[CPU_FLAGS_TEXT_MAX];

	cr_assert_str_eq(cpu_flags_text(0, text), "");
	cr_assert_str_eq(cpu_flags_text(1u << CPU_FLAG_bmi2, text), "bmi2");
	cr_assert_str_eq(cpu_flags_text(1u << CPU_FLAG_avx2 | 1u << CPU_FLAG_sse4_2, text), "sse4_2, avx2");
	cpu_flags_text(UINT32_MAX >> (32 - CPU_FLAGS), text);
	cr_assert_lt(strlen(text), sizeof(text) - 1);
	cr_assert_not_null(strstr(text, "avx512_vnni"));
}
