/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};
#define LEVELS (sizeof(level_names) / sizeof(level_names[0]))

static _Atomic int highest_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&highest_level, level, memory_order_relaxed);
}

enum log_level log_get_level(void)
{
	return (enum log_level)atomic_load_explicit(&highest_level, memory_order_relaxed);
}

int log_level_from_name(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < LEVELS; i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

/* "2026-01-31T12:34:56.789Z level: " */
static size_t write_head(char *line, size_t size, enum log_level level)
{
	struct timespec now;
	struct tm utc;
	size_t length;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	length = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
	return length + (size_t)snprintf(line + length, size - length, ".%03ldZ %s: ", now.tv_nsec / 1000000,
				level_names[level]);
}

void log_message(enum log_level level, const char *format, ...)
{
	char line[1024];
	size_t length;
	va_list arguments;
	int body;

	if (level > log_get_level())
		return;
	length = write_head(line, sizeof(line), level);
	va_start(arguments, format);
	body = vsnprintf(line + length, sizeof(line) - length, format, arguments);
	va_end(arguments);
	if (body < 0)
		return;
	length += (size_t)body;
	if (length > sizeof(line) - 2)
		length = sizeof(line) - 2; /* cut: a log line is for people */
	if (line[length - 1] != '\n')
		line[length++] = '\n';
	/* One write a line, so that lines of several threads and processes do not mix. */
	if (write(STDERR_FILENO, line, length) < 0)
		return; /* nowhere left to complain to */
}
