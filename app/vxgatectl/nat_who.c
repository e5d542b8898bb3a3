/* SPDX-License-Identifier: BSD-3-Clause */
/* Who had a public endpoint. Now: the bindings and port blocks in the gateway's memory, its rules, and what a deterministic
 * pool computes.
 * At a time: the log of JSON lines, read from the beginning, as every binding stands there with its beginning and its
 * end; what the configuration says for ever (rules, deterministic pools) answers for any time. */
#include "vxgatectl/lines.h"
#include "vxgatectl/nat_command.h"
#include "vxgatectl/subjects.h"
#include "vxgatectl/table.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIME_FORM "%Y-%m-%dT%H:%M:%S"

static const char *text_of(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

	return text == NULL ? "" : text;
}

#define LAST_SECOND 253402300799 /* of the year 9999, the last one that the form has room for */

static double number_of(const cJSON *object, const char *key)
{
	const cJSON *number = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNumber(number) ? number->valuedouble : 0;
}

int who_time_read(const char *text, char time[WHO_TIME_TEXT])
{
	struct tm tm = { 0 };
	unsigned thousandths = 0;
	char *end;
	long long seconds = strtoll(text, &end, 10);

	if (text[0] >= '0' && text[0] <= '9' && *end == '\0') {
		if (seconds > LAST_SECOND)
			return -EINVAL;
		time_t at = (time_t)seconds;
		gmtime_r(&at, &tm);
	} else {
		const char *rest = strptime(text, TIME_FORM, &tm);
		int n = 0;
		if (rest != NULL && sscanf(rest, ".%3u%n", &thousandths, &n) == 1)
			rest += n;
		if (rest == NULL || strcmp(rest, "Z") != 0)
			return -EINVAL;
		for (; n > 1 && n < 4; n++) /* ".5" is 500 thousandths */
			thousandths *= 10;
	}
	size_t length = strftime(time, WHO_TIME_TEXT, TIME_FORM, &tm);
	snprintf(time + length, WHO_TIME_TEXT - length, ".%03uZ", thousandths);
	return 0;
}

/* ---- from the log ---- */

static bool covers(const cJSON *event, const struct who_request *request)
{
	const cJSON *outside = cJSON_GetObjectItemCaseSensitive(event, "outside");

	if (strcmp(text_of(outside, "address"), request->address) != 0)
		return false;
	if (cJSON_HasObjectItem(outside, "first_port"))
		return request->port >= number_of(outside, "first_port") &&
		       request->port <= number_of(outside, "last_port");
	return request->port == number_of(outside, "port");
}

/* The answer among `answers` that `event` is the end of, not ended yet. */
static cJSON *answer_of(cJSON *answers, const cJSON *event)
{
	cJSON *answer;

	cJSON_ArrayForEach (answer, answers)
		if (!cJSON_HasObjectItem(answer, "until") &&
			strcmp(text_of(answer, "protocol"), text_of(event, "protocol")) == 0 &&
			cJSON_Compare(cJSON_GetObjectItemCaseSensitive(answer, "inside"),
				cJSON_GetObjectItemCaseSensitive(event, "inside"), true))
			return answer;
	return NULL;
}

/* `answers` are the bindings that are there at the time, as far as is read. */
static void event_ends(cJSON *answers, cJSON *answer, const char *time, const struct who_request *request)
{
	if (strcmp(time, request->time) <= 0)
		cJSON_Delete(cJSON_DetachItemViaPointer(answers, answer));
	else
		cJSON_AddStringToObject(answer, "until", time);
}

static void log_restarts(cJSON *answers, const char *time, const struct who_request *request)
{
	for (cJSON *answer = answers->child, *next; answer != NULL; answer = next) {
		next = answer->next;
		if (!cJSON_HasObjectItem(answer, "until"))
			event_ends(answers, answer, time, request);
	}
}

static void event_take(cJSON *answers, cJSON *event, const struct who_request *request)
{
	const char *what = text_of(event, "event"), *time = text_of(event, "time");
	bool block = strncmp(what, "block-", 6) == 0;

	if (strcmp(what, "log-started") == 0 || strcmp(what, "log-stopped") == 0) {
		log_restarts(answers, time, request);
	} else if ((!block && strncmp(what, "binding-", 8) != 0) || !covers(event, request)) {
		return;
	} else if (strcmp(what, "binding-created") == 0 || strcmp(what, "block-taken") == 0) {
		if (strcmp(time, request->time) > 0)
			return;
		cJSON *answer = cJSON_Duplicate(event, true);
		cJSON_DeleteItemFromObjectCaseSensitive(answer, "time");
		cJSON_DeleteItemFromObjectCaseSensitive(answer, "event");
		cJSON_DeleteItemFromObjectCaseSensitive(answer, "vni");
		cJSON_AddStringToObject(answer, "kind", block ? "block" : "dynamic");
		cJSON_AddStringToObject(answer, "source", "log");
		cJSON_AddStringToObject(answer, "since", time);
		cJSON_AddItemToArray(answers, answer);
	} else {
		cJSON *answer = answer_of(answers, event);
		if (answer != NULL)
			event_ends(answers, answer, time, request);
	}
}

cJSON *who_log_read(FILE *log, const struct who_request *request)
{
	cJSON *answers = cJSON_CreateArray();
	size_t size = 0;
	char *line = NULL;

	while (answers != NULL && getline(&line, &size, log) > 0) {
		if (strstr(line, request->address) == NULL && strstr(line, "\"log-st") == NULL)
			continue;
		cJSON *event = cJSON_Parse(line);
		if (event != NULL)
			event_take(answers, event, request);
		cJSON_Delete(event);
	}
	free(line);
	return answers;
}

/* The file of the gateway's own configuration, to free; NULL when it has none. */
static char *log_path(struct telemetry_client *client)
{
	char *text = client_text(client, "/vxgate/configuration"), *path = NULL;
	cJSON *configuration = cJSON_Parse(text == NULL ? "" : text);
	const cJSON *nat = cJSON_GetObjectItemCaseSensitive(configuration, "nat");
	const char *json = text_of(cJSON_GetObjectItemCaseSensitive(nat, "log"), "json");

	if (json[0] == '/')
		path = strdup(json);
	cJSON_Delete(configuration);
	free(text);
	return path;
}

static int log_ask(struct telemetry_client *client, const struct who_request *request, cJSON *answers)
{
	char *own = request->log == NULL ? log_path(client) : NULL;
	const char *path = request->log == NULL ? own : request->log;
	FILE *log = path == NULL ? NULL : fopen(path, "r");
	int rc = 0;

	if (path != NULL && log == NULL) {
		snprintf(client->error, sizeof(client->error), "%.200s: %s", path, strerror(errno));
		rc = -EIO;
	}
	if (log != NULL) {
		cJSON *found = who_log_read(log, request), *answer;
		while ((answer = cJSON_DetachItemFromArray(found, 0)) != NULL)
			cJSON_AddItemToArray(answers, answer);
		cJSON_Delete(found);
		fclose(log);
	}
	free(own);
	return rc;
}

/* ---- from the gateway ---- */

struct memory_answers {
	cJSON *answers;
	bool lasting; /* only what is so at any time: rules */
};

static bool memory_take(void *argument, cJSON *row)
{
	struct memory_answers *memory = argument;
	bool rule = strcmp(text_of(row, "kind"), "dynamic") != 0;

	if (memory->lasting && !rule)
		return true;
	cJSON *answer = cJSON_Duplicate(row, true);
	cJSON_AddStringToObject(answer, "source", rule ? "rule" : "memory");
	return cJSON_AddItemToArray(memory->answers, answer);
}

static int memory_ask(struct telemetry_client *client, const struct who_request *request, cJSON *answers)
{
	struct memory_answers memory = { answers, request->time != NULL };
	char parameters[64];

	snprintf(parameters, sizeof(parameters), "outside=%s:%u", request->address, request->port);
	return lines_list(client, "/vxgate/binding_lines", parameters, binding_of_line, memory_take, &memory);
}

/* What a deterministic pool computes is so at any time; who has a port block, only now. */
static int holder_ask(struct telemetry_client *client, const struct who_request *request, cJSON *answers)
{
	char parameters[64];

	snprintf(parameters, sizeof(parameters), "outside=%s:%u", request->address, request->port);
	cJSON *answer = client_ask(client, "/vxgate/nat_who", parameters);
	if (answer == NULL)
		return -EIO;
	bool found = number_of(answer, "found") != 0;
	bool computed = found && strcmp(text_of(answer, "kind"), "deterministic") == 0;
	if (!found || (!computed && request->time != NULL)) {
		cJSON_Delete(answer);
		return 0;
	}
	cJSON_DeleteItemFromObjectCaseSensitive(answer, "found");
	cJSON_AddStringToObject(answer, "protocol", "any");
	cJSON_AddStringToObject(answer, "source", computed ? "computation" : "memory");
	cJSON_AddItemToArray(answers, answer);
	return 0;
}

static void answers_print(cJSON *answers, bool json, FILE *out)
{
	static const struct column columns[] = { { "SOURCE", "source" }, { "SEGMENT", "segment" },
		{ "PROTOCOL", "protocol" }, { "INSIDE", "inside", FORMAT_ENDPOINT },
		{ "OUTSIDE", "outside", FORMAT_ENDPOINT }, { "KIND", "kind" }, { "SINCE", "since" },
		{ "UNTIL", "until" }, { NULL } };
	struct table table;
	const cJSON *answer;

	if (json) {
		char *text = cJSON_Print(answers);
		fprintf(out, "%s\n", text == NULL ? "[]" : text);
		free(text);
		return;
	}
	table_init(&table);
	for (const struct column *c = columns; c->title != NULL; c++)
		table_column(&table, c->title, TABLE_LEFT);
	cJSON_ArrayForEach (answer, answers) {
		char text[TABLE_COLUMNS_MAX][CELL_TEXT];
		const char *cell[TABLE_COLUMNS_MAX];

		for (size_t i = 0; i < table.columns; i++)
			cell[i] = column_text(&columns[i], answer, text[i]);
		table_row(&table, cell);
	}
	table_print(&table, out);
	table_destroy(&table);
}

int nat_who(struct telemetry_client *client, const struct who_request *request, FILE *out)
{
	cJSON *answers = cJSON_CreateArray();
	int rc = memory_ask(client, request, answers);

	if (rc == 0)
		rc = holder_ask(client, request, answers);
	if (rc == 0 && request->time != NULL)
		rc = log_ask(client, request, answers);
	if (rc == 0)
		answers_print(answers, request->json, out);
	cJSON_Delete(answers);
	return rc;
}
