/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgatectl/telemetry_client.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX  1023 /* what DPDK reads of one */
#define GREETING_MAX 1024
#define REPLY_LIMIT  (1 << 24) /* larger ones nobody announces in earnest */

__attribute__((format(printf, 3, 4))) static int client_fail(
	struct telemetry_client *client, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(client->error, sizeof(client->error), format, arguments);
	va_end(arguments);
	return -error;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One packet into buffer, ended by a zero. Its length or -errno. */
static ssize_t client_receive(struct telemetry_client *client)
{
	int64_t end = now_ms() + client->timeout_ms;

	for (;;) {
		struct pollfd poll_fd = { .fd = client->fd, .events = POLLIN };
		int64_t left = end - now_ms();
		int ready = left > 0 ? poll(&poll_fd, 1, (int)left) : 0;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready < 0)
			return client_fail(client, errno, "waiting for a reply: %s", strerror(errno));
		if (ready == 0)
			return client_fail(client, ETIMEDOUT, "the gateway did not answer within %d ms",
				client->timeout_ms);
		ssize_t n = recv(client->fd, client->buffer, client->reply_max, 0);
		if (n < 0)
			return client_fail(client, errno, "reading a reply: %s", strerror(errno));
		if (n == 0)
			return client_fail(client, ECONNRESET,
				"the gateway closed the connection (it stopped, or serves ten clients "
				"already)");
		client->buffer[n] = '\0';
		return n;
	}
}

static int client_buffer(struct telemetry_client *client, size_t size)
{
	char *buffer = realloc(client->buffer, size + 1);

	if (buffer == NULL)
		return client_fail(client, ENOMEM, "out of memory");
	client->buffer = buffer;
	client->reply_max = size;
	return 0;
}

static int client_connect(struct telemetry_client *client, const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = client->timeout_ms / 1000,
		.tv_usec = client->timeout_ms % 1000 * 1000 };

	if (strlen(socket_path) >= sizeof(address.sun_path))
		return client_fail(client, ENAMETOOLONG, "%s: the path of a socket has at most %zu bytes",
			socket_path, sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, socket_path);
	client->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return client_fail(client, errno, "socket: %s", strerror(errno));
	/* It also bounds a connect that waits because the queue of connections is full. */
	setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(client->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return 0;
	if (errno == ECONNREFUSED)
		return client_fail(client, errno, "%s: nobody listens there any more", socket_path);
	if (errno == EAGAIN)
		return client_fail(
			client, ETIMEDOUT, "%s: the gateway did not accept the connection", socket_path);
	return client_fail(client, errno, "%s: %s", socket_path, strerror(errno));
}

/* The greeting: {"version":"DPDK 22.11.11","pid":7,"max_output_len":16384} */
static int client_greeting(struct telemetry_client *client)
{
	ssize_t n;
	int rc = client_buffer(client, GREETING_MAX);

	if (rc != 0)
		return rc;
	n = client_receive(client);
	if (n < 0)
		return (int)n;
	cJSON *greeting = cJSON_Parse(client->buffer);
	const cJSON *pid = cJSON_GetObjectItemCaseSensitive(greeting, "pid");
	const cJSON *size = cJSON_GetObjectItemCaseSensitive(greeting, "max_output_len");
	bool sound = cJSON_IsNumber(pid) && cJSON_IsNumber(size) && size->valueint > 0 &&
		     size->valueint < REPLY_LIMIT;
	size_t reply_max = sound ? (size_t)size->valueint : 0;

	client->pid = sound ? pid->valueint : 0;
	cJSON_Delete(greeting);
	if (!sound)
		return client_fail(client, EPROTO, "this is no telemetry socket of DPDK");
	return client_buffer(client, reply_max);
}

int client_open(struct telemetry_client *client, const char *socket_path, int timeout_ms)
{
	int rc;

	*client = (struct telemetry_client){ .fd = -1, .timeout_ms = timeout_ms };
	rc = client_connect(client, socket_path);
	return rc != 0 ? rc : client_greeting(client);
}

void client_close(struct telemetry_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	free(client->buffer);
	client->buffer = NULL;
}

static int client_send(struct telemetry_client *client, const char *command, const char *parameters)
{
	char request[REQUEST_MAX + 1];
	bool any = parameters != NULL && parameters[0] != '\0';
	int n = snprintf(request, sizeof(request), "%s%s%s", command, any ? "," : "", any ? parameters : "");

	if (n >= (int)sizeof(request))
		return client_fail(client, E2BIG, "the filters are too long");
	if (send(client->fd, request, (size_t)n, MSG_NOSIGNAL) < 0)
		return client_fail(client, errno, "asking the gateway: %s", strerror(errno));
	return 0;
}

cJSON *client_ask(struct telemetry_client *client, const char *command, const char *parameters)
{
	if (client_send(client, command, parameters) != 0 || client_receive(client) < 0)
		return NULL;

	cJSON *reply = cJSON_Parse(client->buffer);
	cJSON *value = cJSON_DetachItemFromObjectCaseSensitive(reply, command);
	cJSON_Delete(reply);
	if (value == NULL)
		client_fail(client, EPROTO, "the reply to %s makes no sense", command);
	else if (cJSON_IsNull(value))
		client_fail(client, ENOENT, "the gateway does not know %s", command);
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(value, "error");
	if (cJSON_IsString(error))
		client_fail(client, EINVAL, "%s", error->valuestring);
	else if (cJSON_IsObject(value))
		return value;
	cJSON_Delete(value);
	return NULL;
}

/* Asks for the page at `cursor` and moves it to the next one; 0 at the end. */
static cJSON *page_ask(
	struct telemetry_client *client, const char *command, const char *parameters, uint64_t *cursor)
{
	char text[REQUEST_MAX + 1];
	bool any = parameters != NULL && parameters[0] != '\0';

	snprintf(text, sizeof(text), "%s%scursor=%" PRIu64, any ? parameters : "", any ? "," : "", *cursor);
	cJSON *page = client_ask(client, command, *cursor == 0 ? parameters : text);
	const cJSON *next = cJSON_GetObjectItemCaseSensitive(page, "next");
	if (page != NULL &&
		(!cJSON_IsNumber(next) || (next->valuedouble != 0 && next->valuedouble == (double)*cursor))) {
		client_fail(client, EPROTO, "the pages of %s do not end", command);
		cJSON_Delete(page);
		return NULL;
	}
	*cursor = page == NULL ? 0 : (uint64_t)next->valuedouble;
	return page;
}

int client_list(struct telemetry_client *client, const char *command, const char *list,
	const char *parameters, client_row *row, void *argument)
{
	uint64_t cursor = 0;
	bool more = true;

	do {
		cJSON *page = page_ask(client, command, parameters, &cursor), *item;

		if (page == NULL)
			return -EIO;
		cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(page, list)) {
			more = row(argument, item);
			if (!more)
				break;
		}
		cJSON_Delete(page);
	} while (more && cursor != 0);
	return 0;
}

char *client_text(struct telemetry_client *client, const char *command)
{
	uint64_t cursor = 0;
	size_t length = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL) {
		client_fail(client, ENOMEM, "out of memory");
		return NULL;
	}
	do {
		cJSON *page = page_ask(client, command, NULL, &cursor), *piece;

		if (page == NULL) {
			fclose(out);
			free(text);
			return NULL;
		}
		cJSON_ArrayForEach (piece, cJSON_GetObjectItemCaseSensitive(page, "pieces"))
			fputs(cJSON_IsString(piece) ? piece->valuestring : "", out);
		cJSON_Delete(page);
	} while (cursor != 0);
	fclose(out);
	return text;
}
