/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgatectl/lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE_MAX 31

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

/* A million of them: printf would take most of the time, and the tree of session_of_line four times as long. */
#define LINE_JSON_MAX 1024 /* names have 31 bytes, numbers 20 */

static char *text_add(char *at, const char *text)
{
	return stpcpy(at, text);
}

static char *number_add(char *at, uint64_t number)
{
	char digits[20], *first = digits + sizeof(digits);

	do
		*--first = (char)('0' + number % 10);
	while ((number /= 10) != 0);
	size_t length = (size_t)(digits + sizeof(digits) - first);
	memcpy(at, first, length);
	return at + length;
}

/* `text` is the member's name with all that is before the number. */
static char *member_add(char *at, const char *text, uint64_t number)
{
	return number_add(text_add(at, text), number);
}

static char *endpoint_add_json(char *at, const char *name, const char **line)
{
	uint64_t address = hex_take(line), port = hex_take(line);

	at = text_add(text_add(text_add(at, ",\""), name), "\":{\"address\":\"");
	if (address != 0) {
		at = number_add(at, address >> 24 & 0xff);
		at = member_add(at, ".", address >> 16 & 0xff);
		at = member_add(at, ".", address >> 8 & 0xff);
		at = member_add(at, ".", address & 0xff);
	}
	return text_add(member_add(at, "\",\"port\":", port), "}");
}

/* What sessions and bindings begin with. */
static char *flow_start(char *at, const struct line_names *names, const char **line)
{
	const char *segment = segment_name(names, (unsigned)hex_take(line));
	char number[8];

	at = text_add(text_add(at, "{\"segment\":\""), segment);
	at = text_add(at, "\",\"protocol\":\"");
	at = text_add(text_add(at, protocol_name((unsigned)hex_take(line), number)), "\"");
	return endpoint_add_json(endpoint_add_json(at, "inside", line), "outside", line);
}

/* The letter of the kind, and the blank behind it; NULL: there is none. */
static char *kind_add(char *at, const char **line, char *kind)
{
	if ((*line)[0] == '\0' || (*line)[1] != ' ')
		return NULL;
	*kind = (*line)[0];
	*line += 2;
	return text_add(text_add(text_add(at, ",\"kind\":\""), kind_name(*kind)), "\"");
}

static bool line_end(const char *text, char *at, const char *rest, FILE *out)
{
	*at++ = '}';
	return *rest == '\0' && fwrite(text, 1, (size_t)(at - text), out) == (size_t)(at - text);
}

bool session_line_json(const struct line_names *names, const char *line, FILE *out)
{
	char text[LINE_JSON_MAX], kind, *at = flow_start(text, names, &line);

	at = text_add(endpoint_add_json(at, "remote", &line), ",\"state\":\"");
	for (int i = 0; i < STATE_MAX && *line != ' ' && *line != '\0'; i++)
		*at++ = *line++;
	line += *line == ' ';
	at = kind_add(text_add(at, "\""), &line, &kind);
	if (at == NULL)
		return false;
	at = member_add(at, ",\"idle_s\":", hex_take(&line));
	at = member_add(at, ",\"expires_in_s\":", hex_take(&line));
	uint64_t packets_up = hex_take(&line), packets_down = hex_take(&line), bytes_up = hex_take(&line),
		 bytes_down = hex_take(&line);
	at = member_add(at, ",\"packets\":", packets_up + packets_down);
	at = member_add(at, ",\"bytes\":", bytes_up + bytes_down);
	at = member_add(at, ",\"packets_up\":", packets_up);
	at = member_add(at, ",\"packets_down\":", packets_down);
	at = member_add(at, ",\"bytes_up\":", bytes_up);
	at = member_add(at, ",\"bytes_down\":", bytes_down);
	at = member_add(at, ",\"lcore\":", hex_take(&line));
	return line_end(text, at, line, out);
}

bool binding_line_json(const struct line_names *names, const char *line, FILE *out)
{
	char text[LINE_JSON_MAX], kind, *at = kind_add(flow_start(text, names, &line), &line, &kind);

	if (at == NULL)
		return false;
	uint64_t sessions = hex_take(&line);
	if (kind != 'f') /* the sessions of a forward are not counted apart */
		at = member_add(at, ",\"sessions\":", sessions);
	at = member_add(at, ",\"lcore\":", hex_take(&line));
	return line_end(text, at, line, out);
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
