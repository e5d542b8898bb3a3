/* SPDX-License-Identifier: BSD-3-Clause */
/* The drop reasons as an enumeration, with their names and sentences (drop_reason.def). */
#pragma once

#include <stdint.h>

enum drop_reason {
#define DROP(identifier, name, sentence) DROP_##identifier,
#include "stage/drop_reason.def"
#undef DROP
	DROP_REASONS
};

struct drop_reason_text {
	const char *name, *sentence;
};
extern const struct drop_reason_text drop_reason_text[DROP_REASONS];
