/* SPDX-License-Identifier: BSD-3-Clause */
/* One line on standard error for each message, with time and level. For the management side and start-up only:
 * the packet path never logs. Any thread may call. */
#pragma once

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
/* "error", "warning", "info" or "debug"; -EINVAL for any other word. */
int log_level_from_name(const char *name, enum log_level *level);
const char *log_level_name(enum log_level level);

void log_message(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_message(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_message(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_message(LOG_DEBUG, __VA_ARGS__)
