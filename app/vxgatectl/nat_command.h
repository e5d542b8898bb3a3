/* SPDX-License-Identifier: BSD-3-Clause */
/* vxgatectl nat clear, nat who. */
#pragma once

#include "vxgatectl/telemetry_client.h"
#include <stdio.h>

/* Ends the sessions that match `filters` ("KEY=VALUE,..."), or all for "all=1", and says how many ended. 0 or -errno with
 * client->error. */
int nat_clear(struct telemetry_client *client, const char *filters, bool json, FILE *out);

struct who_request {
	const char *address; /* public */
	unsigned port;
	const char *time; /* as event_time_text prints it (UTC), or NULL: now */
	const char *log;  /* file of JSON lines; NULL: that of the gateway's configuration */
	bool json;
};
/* Who has, or had at that time, the public endpoint. 0 or -errno with client->error. */
int nat_who(struct telemetry_client *client, const struct who_request *request, FILE *out);

/* Reads a time as people write it: "2024-05-01T12:34:56Z", with or without parts of a second, or seconds since 1970,
 * into the form of the log. 0 or -EINVAL. */
#define WHO_TIME_TEXT 32
int who_time_read(const char *text, char time[WHO_TIME_TEXT]);

/* The answers that a log gives: an array of rows to delete; NULL when memory ran out. */
cJSON *who_log_read(FILE *log, const struct who_request *request);
