/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/config_suggest.h"

#include "management/config_error.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 64 /* longer words are compared by their start */

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance with neighbours that changed places as one mistake, which is what fingers do. */
size_t config_edit_distance(const char *left, const char *right)
{
	size_t left_length = strnlen(left, WORD_MAX), right_length = strnlen(right, WORD_MAX);
	size_t cost[WORD_MAX + 1][WORD_MAX + 1];

	for (size_t i = 0; i <= left_length; i++)
		cost[i][0] = i;
	for (size_t j = 0; j <= right_length; j++)
		cost[0][j] = j;
	for (size_t i = 1; i <= left_length; i++) {
		for (size_t j = 1; j <= right_length; j++) {
			bool same = same_letter(left[i - 1], right[j - 1]);

			cost[i][j] = smaller(
				smaller(cost[i - 1][j], cost[i][j - 1]) + 1, cost[i - 1][j - 1] + !same);
			if (i > 1 && j > 1 && same_letter(left[i - 1], right[j - 2]) &&
				same_letter(left[i - 2], right[j - 1]))
				cost[i][j] = smaller(cost[i][j], cost[i - 2][j - 2] + 1);
		}
	}
	return cost[left_length][right_length];
}

void config_suggest(struct config_suggestion *suggestion, const char *written, const char *candidate)
{
	size_t distance = config_edit_distance(written, candidate);

	/* Half of the letters may be wrong, no more: a far-fetched suggestion is worse than none. */
	if (distance * 2 > strlen(candidate))
		return;
	if (suggestion->closest == NULL || distance < suggestion->distance) {
		suggestion->closest = candidate;
		suggestion->distance = distance;
	}
}

const char *config_suggestion_text(
	const struct config_suggestion *suggestion, const char *complaint, char text[CONFIG_SUGGESTION_TEXT])
{
	char quoted[CONFIG_QUOTE_TEXT];

	if (suggestion->closest != NULL)
		snprintf(text, CONFIG_SUGGESTION_TEXT, "%s (did you mean %s?)", complaint,
			config_quote(suggestion->closest, strlen(suggestion->closest), quoted));
	else
		snprintf(text, CONFIG_SUGGESTION_TEXT, "%s", complaint);
	return text;
}
