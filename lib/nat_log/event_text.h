/* SPDX-License-Identifier: BSD-3-Clause */
/* An entry of the log as text. The names of keys and their values are those of the telemetry (docs/telemetry.md). */
#pragma once

#include "nat_log/nat_log_record.h"

#define EVENT_TEXT_MAX 512
#define TIME_TEXT      32

/* "2024-05-01T12:34:56.789Z" */
const char *event_time_text(uint64_t time_ms, char text[TIME_TEXT]);
/* One JSON object, without the end of the line. Its length. */
size_t event_json(const struct nat_log_record *record, char text[EVENT_TEXT_MAX]);
/* One message of syslog (RFC 5424 section 6): the same object as its MSG, `host` as HOSTNAME, facility local0, severity
 * informational, or warning where something was refused or gets scarce. Its length. */
#define SYSLOG_MAX (EVENT_TEXT_MAX + 192)
size_t event_syslog(const struct nat_log_record *record, const char *host, char text[SYSLOG_MAX]);
