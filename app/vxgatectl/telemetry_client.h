/* SPDX-License-Identifier: BSD-3-Clause */
/* The client's end of DPDK's telemetry socket: one request, one reply, each a packet of a SOCK_SEQPACKET socket. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct telemetry_client {
	int fd;
	size_t reply_max;
	int pid;
	char *buffer;    /* [reply_max + 1] */
	int timeout_ms;  /* for one reply */
	char error[256]; /* what went wrong last, for people */
};

#define CLIENT_TIMEOUT_MS 5000

/* 0 or -errno with client->error. Close it also after a failure. */
int client_open(struct telemetry_client *client, const char *socket_path, int timeout_ms);
void client_close(struct telemetry_client *client);

/* The reply to "COMMAND" or "COMMAND,PARAMETERS" (NULL: none): a JSON value to delete; or NULL with client->error. */
cJSON *client_ask(struct telemetry_client *client, const char *command, const char *parameters);

/* Walks a list over all its pages. `row` gets each row and may change it; false stops. 0 or -errno. */
typedef bool client_row(void *argument, cJSON *row);
int client_list(struct telemetry_client *client, const char *command, const char *list,
	const char *parameters, client_row *row, void *argument);
/* The pieces of a text, joined: to free; or NULL with client->error. */
char *client_text(struct telemetry_client *client, const char *command);
