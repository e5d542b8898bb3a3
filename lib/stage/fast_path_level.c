/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/fast_path_level.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* FAST_PATH_LEVELS(LEVEL): LEVEL(v2) LEVEL(v3) and so on, of meson.build. */
#define LEVEL(suffix) extern const struct fast_path_level fast_path_entry_##suffix;
FAST_PATH_LEVELS(LEVEL)
#undef LEVEL

const struct fast_path_level *const fast_path_levels[] = {
#define LEVEL(suffix) &fast_path_entry_##suffix,
	FAST_PATH_LEVELS(LEVEL)
#undef LEVEL
		NULL
};

static const struct fast_path_level *chosen;

const struct fast_path_level *fast_path_level_best(uint32_t flags)
{
	const struct fast_path_level *best = fast_path_levels[0];

	for (const struct fast_path_level *const *at = fast_path_levels; *at != NULL; at++)
		if (((*at)->needs & ~flags) == 0)
			best = *at;
	return best;
}

const struct fast_path_level *fast_path_level(void)
{
	if (chosen == NULL)
		chosen = fast_path_level_best(cpu_flags());
	return chosen;
}

int fast_path_level_use(const char *name, char *error, size_t size)
{
	const struct fast_path_level *const *at = fast_path_levels;
	char text[CPU_FLAGS_TEXT_MAX] = "";

	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at++;
	if (*at == NULL) {
		for (at = fast_path_levels; *at != NULL; at++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				at == fast_path_levels ? "" : ", ", (*at)->name);
		snprintf(error, size, "this program has code for %s", text);
		return -ENOENT;
	}
	uint32_t lacking = (*at)->needs & ~cpu_flags();
	if (lacking != 0) {
		snprintf(error, size, "this CPU lacks %s", cpu_flags_text(lacking, text));
		return -ENOTSUP;
	}
	chosen = *at;
	return 0;
}
