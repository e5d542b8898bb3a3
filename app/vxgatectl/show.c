/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgatectl/show.h"

#include "vxgatectl/instances.h"
#include "vxgatectl/table.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A list is printed in blocks of so many rows: a million sessions need not be held. */
#define ROWS_A_BLOCK  1024
#define INSTANCES_MAX 64

struct list_output {
	const struct show_request *request;
	FILE *out;
	struct table table, nested;
	uint64_t shown;
	char note[CELL_TEXT];     /* for below the table */
	struct line_names *names; /* where lines are printed as JSON */
};

static void columns_add(struct table *table, const struct column *columns)
{
	table_init(table);
	for (const struct column *c = columns; c != NULL && c->title != NULL; c++)
		table_column(table, c->title, column_is_number(c) ? TABLE_RIGHT : TABLE_LEFT);
}

static bool row_add(struct table *table, const struct column *columns, const cJSON *row)
{
	char text[TABLE_COLUMNS_MAX][CELL_TEXT];
	const char *cell[TABLE_COLUMNS_MAX];

	for (size_t i = 0; i < table->columns; i++)
		cell[i] = column_text(&columns[i], row, text[i]);
	return table_row(table, cell);
}

static bool nested_add(struct list_output *output, cJSON *row)
{
	const struct subject *subject = output->request->subject;
	const cJSON *of = cJSON_GetObjectItemCaseSensitive(row, subject->nested_of);
	cJSON *item;

	cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(row, subject->nested)) {
		cJSON_AddStringToObject(item, subject->nested_name, item->string);
		if (of != NULL)
			cJSON_AddItemToObject(item, subject->nested_of, cJSON_Duplicate(of, true));
		if (!row_add(&output->nested, subject->nested_columns, item))
			return false;
	}
	return true;
}

static bool row_hidden(const struct show_request *request, const cJSON *row)
{
	const char *key = request->subject->zero_key;

	return key != NULL && !request->all &&
	       cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(row, key)) == 0;
}

static bool row_wanted_after(struct list_output *output)
{
	output->shown++;
	return output->request->count == 0 || output->shown < output->request->count;
}

/* Rows that have something to note say the same. */
static void note_keep(struct list_output *output, const cJSON *row)
{
	const char *note = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(row, output->request->subject->note_key));

	if (note != NULL && note[0] != '\0')
		snprintf(output->note, sizeof(output->note), "%s", note);
}

static bool table_take(void *argument, cJSON *row)
{
	struct list_output *output = argument;
	const struct subject *subject = output->request->subject;

	if (row_hidden(output->request, row))
		return true;
	if (!row_add(&output->table, subject->columns, row))
		return false;
	if (subject->nested != NULL && !nested_add(output, row))
		return false;
	if (subject->note_key != NULL)
		note_keep(output, row);
	if (output->table.rows == ROWS_A_BLOCK)
		table_print(&output->table, output->out);
	return row_wanted_after(output);
}

static bool json_take(void *argument, cJSON *row)
{
	struct list_output *output = argument;

	if (row_hidden(output->request, row))
		return true;
	char *text = cJSON_PrintUnformatted(row);
	if (text == NULL)
		return false;
	fprintf(output->out, "%s  %s", output->shown == 0 ? "[\n" : ",\n", text);
	free(text);
	return row_wanted_after(output);
}

static bool json_line_take(void *argument, cJSON *line)
{
	struct list_output *output = argument;

	fputs(output->shown == 0 ? "[\n  " : ",\n  ", output->out);
	return cJSON_IsString(line) &&
	       output->request->subject->json_of_line(output->names, line->valuestring, output->out) &&
	       row_wanted_after(output);
}

static int json_lines_walk(
	struct telemetry_client *client, const struct show_request *request, struct list_output *output)
{
	int rc;

	output->names = calloc(1, sizeof(*output->names));
	rc = output->names == NULL ? -ENOMEM : lines_names(client, output->names);
	if (rc == 0)
		rc = client_list(client, request->subject->command, request->subject->list, request->filters,
			json_line_take, output);
	free(output->names);
	return rc;
}

static int rows_walk(struct telemetry_client *client, const struct show_request *request, client_row *row,
	struct list_output *output)
{
	const struct subject *subject = request->subject;

	if (subject->of_line != NULL)
		return lines_list(client, subject->command, request->filters, subject->of_line, row, output);
	return client_list(client, subject->command, subject->list, request->filters, row, output);
}

static int list_show(struct telemetry_client *client, const struct show_request *request, FILE *out)
{
	const struct subject *subject = request->subject;
	struct list_output output = { .request = request, .out = out };
	int rc;

	if (request->json) {
		if (subject->json_of_line != NULL)
			rc = json_lines_walk(client, request, &output);
		else
			rc = rows_walk(client, request, json_take, &output);
		if (rc == 0)
			fputs(output.shown == 0 ? "[]\n" : "\n]\n", out);
		return rc;
	}
	columns_add(&output.table, subject->columns);
	columns_add(&output.nested, subject->nested_columns);
	rc = rows_walk(client, request, table_take, &output);
	if (rc == 0) {
		table_print(&output.table, out);
		if (output.note[0] != '\0')
			fprintf(out, "%s\n", output.note);
		if (subject->nested != NULL) {
			fputc('\n', out);
			table_print(&output.nested, out);
		}
	}
	table_destroy(&output.table);
	table_destroy(&output.nested);
	return rc;
}

/* A line for each member; those of an object within it as "outer.inner". */
static void members_add(struct table *table, const char *outer, const cJSON *object)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, object) {
		char name[CELL_TEXT], text[CELL_TEXT];

		snprintf(name, sizeof(name), "%s%s%s", outer, outer[0] == '\0' ? "" : ".", item->string);
		if (cJSON_IsObject(item)) {
			members_add(table, name, item);
			continue;
		}
		struct column column = { .key = item->string, .format = FORMAT_COUNT };
		if (strcmp(item->string, "pid") == 0)
			column.format = FORMAT_NUMBER;
		table_row(table, (const char *const[]){ name, column_text(&column, object, text) });
	}
}

/* A line for each member, or for each element of an array. */
static int json_print(const cJSON *value, FILE *out)
{
	bool array = cJSON_IsArray(value);
	const cJSON *item;

	fputc(array ? '[' : '{', out);
	cJSON_ArrayForEach (item, value) {
		char *text = cJSON_PrintUnformatted(item);

		if (text == NULL)
			return -ENOMEM;
		fputs(item == value->child ? "\n  " : ",\n  ", out);
		if (!array)
			fprintf(out, "\"%s\": ", item->string);
		fputs(text, out);
		free(text);
	}
	fputs(array ? "\n]\n" : "\n}\n", out);
	return 0;
}

static int object_show(struct telemetry_client *client, const struct show_request *request, FILE *out)
{
	cJSON *object = client_ask(client, request->subject->command, NULL);
	struct table table;
	int rc = 0;

	if (object == NULL)
		return -EIO;
	if (request->json) {
		rc = json_print(object, out);
	} else {
		table_init(&table);
		table_column(&table, "NAME", TABLE_LEFT);
		table_column(&table, "VALUE", TABLE_RIGHT);
		members_add(&table, "", object);
		table_print(&table, out);
		table_destroy(&table);
	}
	cJSON_Delete(object);
	return rc;
}

static int text_show(struct telemetry_client *client, const struct show_request *request, FILE *out)
{
	char *text = client_text(client, request->subject->command);

	if (text == NULL)
		return -EIO;
	size_t length = strlen(text);
	fprintf(out, "%s%s", text, length > 0 && text[length - 1] == '\n' ? "" : "\n");
	free(text);
	return 0;
}

int show_subject(struct telemetry_client *client, const struct show_request *request, FILE *out)
{
	switch (request->subject->shape) {
	case SUBJECT_LIST:
		return list_show(client, request, out);
	case SUBJECT_OBJECT:
		return object_show(client, request, out);
	case SUBJECT_TEXT:
		return text_show(client, request, out);
	}
	return -EINVAL;
}

static cJSON *instance_info(const struct instance *instance)
{
	struct telemetry_client client;
	cJSON *info = NULL;

	if (client_open(&client, instance->socket, CLIENT_TIMEOUT_MS) == 0)
		info = client_ask(&client, "/vxgate/info", NULL);
	client_close(&client);
	if (info == NULL) /* it is just starting or stopping */
		info = cJSON_CreateObject();
	cJSON_DeleteItemFromObjectCaseSensitive(info, "name");
	cJSON_AddStringToObject(info, "name", instance->name);
	cJSON_AddStringToObject(info, "socket", instance->socket);
	return info;
}

int show_instances(bool json, FILE *out)
{
	static const struct column columns[] = { { "NAME", "name" }, { "PID", "pid", FORMAT_NUMBER },
		{ "VERSION", "version" }, { "ISA", "isa" }, { "PLAN", "plan" },
		{ "UPTIME", "uptime_s", FORMAT_SECONDS }, { "SOCKET", "socket" }, { NULL } };
	struct instance found[INSTANCES_MAX];
	size_t count = instances_find(found, INSTANCES_MAX);
	cJSON *list = cJSON_CreateArray(), *item;
	struct table table;
	int rc = 0;

	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(list, instance_info(&found[i]));
	if (json) {
		rc = json_print(list, out);
	} else {
		columns_add(&table, columns);
		cJSON_ArrayForEach (item, list)
			row_add(&table, columns, item);
		table_print(&table, out);
		table_destroy(&table);
	}
	cJSON_Delete(list);
	return rc;
}
