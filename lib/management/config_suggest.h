/* SPDX-License-Identifier: BSD-3-Clause */
/* "Did you mean": the closest of the words that would have been right. */
#pragma once

#include <stddef.h>

struct config_suggestion { /* starts as zeros */
	const char *closest;
	size_t distance;
};
#define CONFIG_SUGGESTION_TEXT 512

/* How many letters must be put in, taken out, changed, or swapped with the next; case does not count. */
size_t config_edit_distance(const char *left, const char *right);

void config_suggest(struct config_suggestion *suggestion, const char *written, const char *candidate);
/* `complaint`, and a suggestion when there is a close one. */
const char *config_suggestion_text(
	const struct config_suggestion *suggestion, const char *complaint, char text[CONFIG_SUGGESTION_TEXT]);
