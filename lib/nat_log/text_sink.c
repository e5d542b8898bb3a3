/* SPDX-License-Identifier: BSD-3-Clause */
#include "nat_log/text_sink.h"
#include "base/log.h"
#include "nat_log/event_text.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FILE_MODE   0640 /* who had which address is not everybody's business */
#define FILE_BUFFER (256 << 10)

int json_file_open(struct json_file *json, const char *path)
{
	*json = (struct json_file){ .path = path };
	if (strcmp(path, "-") == 0) {
		json->file = stdout;
		return 0;
	}
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, FILE_MODE);
	if (fd < 0)
		return -errno;
	json->file = fdopen(fd, "a");
	if (json->file == NULL) {
		close(fd);
		return -ENOMEM;
	}
	setvbuf(json->file, NULL, _IOFBF, FILE_BUFFER);
	return 0;
}

void json_file_close(struct json_file *json)
{
	json_file_flush(json);
	if (json->file != NULL && json->file != stdout)
		fclose(json->file);
	json->file = NULL;
}

void json_file_reopen(struct json_file *json)
{
	struct json_file fresh;
	int rc;

	if (json->path == NULL || strcmp(json->path, "-") == 0)
		return;
	json_file_close(json);
	rc = json_file_open(&fresh, json->path);
	json->file = fresh.file;
	if (rc < 0)
		log_error("log of NAT: %s: %s; what happens meanwhile is counted as lost", json->path,
			strerror(-rc));
}

void json_file_add(struct json_file *json, const struct nat_log_record *record)
{
	char text[EVENT_TEXT_MAX + 1];
	size_t length = event_json(record, text);

	text[length++] = '\n';
	if (json->file == NULL || fwrite(text, 1, length, json->file) != length) {
		json->lost++;
		return;
	}
	json->lines++;
	json->bytes += length;
	json->dirty = true;
}

void json_file_flush(struct json_file *json)
{
	if (!json->dirty || json->file == NULL)
		return;
	json->dirty = false;
	if (fflush(json->file) == 0)
		return;
	/* The disk is full, say: the rest of the buffer is lost, how many lines that were nobody knows. */
	json->lost++;
	clearerr(json->file);
	log_error("log of NAT: writing %s: %s", json->path, strerror(errno));
}

void syslog_stream_add(struct syslog_stream *stream, const struct nat_log_record *record)
{
	char text[SYSLOG_MAX];
	size_t length = event_syslog(record, stream->host, text);

	if (udp_sender_send(&stream->sender, text, length))
		stream->messages++;
	else
		stream->lost++;
}
