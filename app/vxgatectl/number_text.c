/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgatectl/number_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *count_text(uint64_t count, char text[NUMBER_TEXT])
{
	char digits[24];
	size_t n = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, count), at = 0;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	return text;
}

const char *rate_text(double rate, char text[NUMBER_TEXT])
{
	if (rate > 0 && rate < 9.95) {
		snprintf(text, NUMBER_TEXT, "%.1f", rate);
		return text;
	}
	return count_text(rate < 0 ? 0 : (uint64_t)(rate + 0.5), text);
}

const char *bits_text(double bits, char text[NUMBER_TEXT])
{
	static const char *const unit[] = { "bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s" };
	size_t i = 0;

	/* The next unit from where three digits would round up to 1000. */
	while (bits >= 999.5 && i < sizeof(unit) / sizeof(unit[0]) - 1) {
		bits /= 1000;
		i++;
	}
	int decimals = i == 0 || bits >= 99.95 ? 0 : bits >= 9.995 ? 1 : 2;
	snprintf(text, NUMBER_TEXT, "%.*f %s", decimals, bits, unit[i]);
	return text;
}

const char *duration_text(uint64_t seconds, char text[NUMBER_TEXT])
{
	uint64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;

	if (days > 0)
		snprintf(text, NUMBER_TEXT, "%" PRIu64 "d %" PRIu64 "h", days, hours % 24);
	else if (hours > 0)
		snprintf(text, NUMBER_TEXT, "%" PRIu64 "h %" PRIu64 "m", hours, minutes % 60);
	else if (minutes > 0)
		snprintf(text, NUMBER_TEXT, "%" PRIu64 "m %" PRIu64 "s", minutes, seconds % 60);
	else
		snprintf(text, NUMBER_TEXT, "%" PRIu64 "s", seconds);
	return text;
}

const char *milliseconds_text(uint64_t ms, char text[NUMBER_TEXT])
{
	if (ms >= 60000)
		return duration_text(ms / 1000, text);
	if (ms >= 1000)
		snprintf(text, NUMBER_TEXT, "%" PRIu64 ".%" PRIu64 "s", ms / 1000, ms % 1000 / 100);
	else
		snprintf(text, NUMBER_TEXT, "%" PRIu64 "ms", ms);
	return text;
}
