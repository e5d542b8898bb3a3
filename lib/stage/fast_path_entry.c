/* SPDX-License-Identifier: BSD-3-Clause */
/* How the rest of the program gets at the fast path of one level; compiled for each, as the fast path is. */
#include "stage/fast_path_level.h"

extern const struct fast_path_level fast_path_entry;
const struct fast_path_level fast_path_entry = {
	.name = FAST_PATH_LEVEL, .needs = CPU_FLAGS_COMPILED, .init = fast_path_init, .run = fast_path_run
};
