/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgatectl/lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *segment_name(const struct line_names *names, unsigned vni)
{
	for (uint32_t i = 0; i < names->count; i++)
		if (names->segment[i].vni == vni)
			return names->segment[i].name;
	return "?";
}

static const char *kind_name(char letter)
{
	return letter == 'd' ? "dynamic" : letter == 's' ? "static" : "forward";
}

static const char *protocol_name(unsigned protocol, char number[8])
{
	switch (protocol) {
	case 0:
		return "any";
	case 1:
		return "icmp";
	case 6:
		return "tcp";
	case 17:
		return "udp";
	}
	snprintf(number, 8, "%u", protocol);
	return number;
}

static void protocol_add(cJSON *row, unsigned protocol)
{
	char number[8];

	cJSON_AddStringToObject(row, "protocol", protocol_name(protocol, number));
}

static void endpoint_add(cJSON *row, const char *name, unsigned address, unsigned port)
{
	cJSON *endpoint = cJSON_AddObjectToObject(row, name);
	char text[16] = "";

	if (address != 0)
		snprintf(text, sizeof(text), "%u.%u.%u.%u", address >> 24, address >> 16 & 0xff,
			address >> 8 & 0xff, address & 0xff);
	cJSON_AddStringToObject(endpoint, "address", text);
	cJSON_AddNumberToObject(endpoint, "port", port);
}

/* A number of hexadecimal digits, and the blank behind it. */
static uint64_t hex_take(const char **line)
{
	uint64_t value = 0;

	for (; **line != ' ' && **line != '\0'; (*line)++)
		value = value << 4 | (uint64_t)(**line <= '9' ? **line - '0' : **line - 'a' + 10);
	*line += **line == ' ';
	return value;
}

static int endpoint_print(FILE *out, const char *name, const char **line)
{
	uint64_t address = hex_take(line), port = hex_take(line);

	if (address == 0)
		return fprintf(out, ",\"%s\":{\"address\":\"\",\"port\":%u}", name, (unsigned)port);
	return fprintf(out, ",\"%s\":{\"address\":\"%u.%u.%u.%u\",\"port\":%u}", name,
		(unsigned)(address >> 24), (unsigned)(address >> 16 & 0xff), (unsigned)(address >> 8 & 0xff),
		(unsigned)(address & 0xff), (unsigned)port);
}

/* A million of them: without the tree of session_of_line in between, which takes four times as long. */
bool session_line_json(const struct line_names *names, const char *line, FILE *out)
{
	const char *segment = segment_name(names, (unsigned)hex_take(&line));
	unsigned protocol = (unsigned)hex_take(&line);
	char number[8];

	fprintf(out, "{\"segment\":\"%s\",\"protocol\":\"%s\"", segment, protocol_name(protocol, number));
	endpoint_print(out, "inside", &line);
	endpoint_print(out, "outside", &line);
	endpoint_print(out, "remote", &line);
	int state = (int)strcspn(line, " ");
	fprintf(out, ",\"state\":\"%.*s\"", state, line);
	line += state;
	if (line[0] != ' ' || line[1] == '\0' || line[2] != ' ')
		return false;
	fprintf(out, ",\"kind\":\"%s\"", kind_name(line[1]));
	line += 3;
	uint64_t idle = hex_take(&line), expires = hex_take(&line), packets_up = hex_take(&line),
		 packets_down = hex_take(&line), bytes_up = hex_take(&line), bytes_down = hex_take(&line);
	fprintf(out,
		",\"idle_s\":%" PRIu64 ",\"expires_in_s\":%" PRIu64 ",\"packets\":%" PRIu64
		",\"bytes\":%" PRIu64 ",\"packets_up\":%" PRIu64 ",\"packets_down\":%" PRIu64
		",\"bytes_up\":%" PRIu64 ",\"bytes_down\":%" PRIu64 ",\"lcore\":%u}",
		idle, expires, packets_up + packets_down, bytes_up + bytes_down, packets_up, packets_down,
		bytes_up, bytes_down, (unsigned)hex_take(&line));
	return *line == '\0';
}

cJSON *session_of_line(const struct line_names *names, const char *line)
{
	unsigned vni, protocol, inside, inside_port, outside, outside_port, remote, remote_port, idle,
		expires, lcore;
	uint64_t packets_up, packets_down, bytes_up, bytes_down;
	char state[32], kind;

	if (sscanf(line,
		    "%x %x %x %x %x %x %x %x %31s %c %x %x %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
		    " %x",
		    &vni, &protocol, &inside, &inside_port, &outside, &outside_port, &remote, &remote_port,
		    state, &kind, &idle, &expires, &packets_up, &packets_down, &bytes_up, &bytes_down,
		    &lcore) != 17)
		return NULL;
	cJSON *row = cJSON_CreateObject();
	cJSON_AddStringToObject(row, "segment", segment_name(names, vni));
	protocol_add(row, protocol);
	endpoint_add(row, "inside", inside, inside_port);
	endpoint_add(row, "outside", outside, outside_port);
	endpoint_add(row, "remote", remote, remote_port);
	cJSON_AddStringToObject(row, "state", state);
	cJSON_AddStringToObject(row, "kind", kind_name(kind));
	cJSON_AddNumberToObject(row, "idle_s", idle);
	cJSON_AddNumberToObject(row, "expires_in_s", expires);
	cJSON_AddNumberToObject(row, "packets", (double)(packets_up + packets_down));
	cJSON_AddNumberToObject(row, "bytes", (double)(bytes_up + bytes_down));
	cJSON_AddNumberToObject(row, "packets_up", (double)packets_up);
	cJSON_AddNumberToObject(row, "packets_down", (double)packets_down);
	cJSON_AddNumberToObject(row, "bytes_up", (double)bytes_up);
	cJSON_AddNumberToObject(row, "bytes_down", (double)bytes_down);
	cJSON_AddNumberToObject(row, "lcore", lcore);
	return row;
}

cJSON *binding_of_line(const struct line_names *names, const char *line)
{
	unsigned vni, protocol, inside, inside_port, outside, outside_port, sessions, lcore;
	char kind;

	if (sscanf(line, "%x %x %x %x %x %x %c %x %x", &vni, &protocol, &inside, &inside_port, &outside,
		    &outside_port, &kind, &sessions, &lcore) != 9)
		return NULL;
	cJSON *row = cJSON_CreateObject();
	cJSON_AddStringToObject(row, "segment", segment_name(names, vni));
	protocol_add(row, protocol);
	endpoint_add(row, "inside", inside, inside_port);
	endpoint_add(row, "outside", outside, outside_port);
	cJSON_AddStringToObject(row, "kind", kind_name(kind));
	if (kind != 'f') /* the sessions of a forward are not counted apart */
		cJSON_AddNumberToObject(row, "sessions", sessions);
	cJSON_AddNumberToObject(row, "lcore", lcore);
	return row;
}

static bool name_take(void *argument, cJSON *row)
{
	const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "name"));
	const cJSON *vni = cJSON_GetObjectItemCaseSensitive(row, "vni");
	struct line_names *names = argument;

	if (name != NULL && cJSON_IsNumber(vni)) {
		names->segment[names->count].vni = (uint32_t)vni->valuedouble;
		snprintf(names->segment[names->count].name, sizeof(names->segment[0].name), "%s", name);
		names->count++;
	}
	return names->count < LINE_SEGMENTS_MAX;
}

int lines_names(struct telemetry_client *client, struct line_names *names)
{
	names->count = 0;
	return client_list(client, "/vxgate/segments", "segments", NULL, name_take, names);
}

struct line_walk {
	const struct line_names *names;
	line_row *make;
	client_row *row;
	void *argument;
	bool wrong;
};

static bool line_take(void *argument, cJSON *line)
{
	struct line_walk *walk = argument;
	cJSON *row = cJSON_IsString(line) ? walk->make(walk->names, line->valuestring) : NULL;

	walk->wrong = row == NULL;
	bool more = row != NULL && walk->row(walk->argument, row);
	cJSON_Delete(row);
	return more;
}

int lines_list(struct telemetry_client *client, const char *command, const char *parameters, line_row *make,
	client_row *row, void *argument)
{
	struct line_names *names = calloc(1, sizeof(*names));
	struct line_walk walk = { names, make, row, argument, false };
	int rc = names == NULL ? -ENOMEM : lines_names(client, names);

	if (rc == 0)
		rc = client_list(client, command, "lines", parameters, line_take, &walk);
	free(names);
	if (rc == 0 && walk.wrong) {
		snprintf(client->error, sizeof(client->error), "the reply to %s makes no sense", command);
		rc = -EPROTO;
	}
	return rc;
}
