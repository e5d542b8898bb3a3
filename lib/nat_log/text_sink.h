/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the text of the log goes: a file of JSON lines, and a collector of syslog over UDP (RFC 5426). One thread. */
#pragma once

#include "nat_log/nat_log_record.h"
#include "nat_log/udp_sender.h"
#include <stdio.h>

struct json_file {
	const char *path; /* "-": standard output */
	FILE *file;       /* NULL: it could not be opened again */
	bool dirty;       /* something was written since the last flush */
	uint64_t lines, bytes, lost;
};

/* The path stays the caller's. 0 or -errno. */
int json_file_open(struct json_file *json, const char *path);
void json_file_close(struct json_file *json);
void json_file_reopen(struct json_file *json); /* the file was moved away; logs when it cannot be made */
void json_file_add(struct json_file *json, const struct nat_log_record *record);
void json_file_flush(struct json_file *json);

struct syslog_stream {
	struct udp_sender sender;
	char host[64];
	uint64_t messages, lost;
};
void syslog_stream_add(struct syslog_stream *stream, const struct nat_log_record *record);
