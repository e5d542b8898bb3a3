/* SPDX-License-Identifier: BSD-3-Clause */
/* A configuration as JSON text, by the table of config_schema.c. */
#include "management/config_json.h"

#include "management/config.h"
#include "management/config_schema.h"
#include <stdlib.h>
#include <string.h>

#define LINE_WIDTH 100

static cJSON *object_json(
	const struct config *config, const struct config_object *object, const void *structure);

static const char *word_of(const struct config_key *key, uint32_t value)
{
	for (const struct config_word *word = key->words; word->word != NULL; word++) {
		if (word->value == value)
			return word->word;
	}
	return "";
}

static cJSON *word_set_json(const struct config_key *key, uint32_t mask)
{
	cJSON *list = cJSON_CreateArray();

	for (const struct config_word *word = key->words; word->word != NULL; word++) {
		if ((mask & 1u << word->value) != 0)
			cJSON_AddItemToArray(list, cJSON_CreateString(word->word));
	}
	return list;
}

static cJSON *cpu_json(const struct config_cpu *cpu)
{
	char text[CONFIG_TEXT_MAX];

	if (cpu->lcore == cpu->cpu)
		return cJSON_CreateNumber(cpu->lcore);
	config_format_lcore_on_cpu.print(cpu, NULL, text);
	return cJSON_CreateString(text);
}

/* One value: that of a key, or an element of its list. NULL: none is set. */
static cJSON *value_json(
	const struct config *config, const struct config_key *key, const void *field, const void *second)
{
	char text[CONFIG_TEXT_MAX];

	switch (key->type) {
	case CONFIG_INTEGER:
		return cJSON_CreateNumber(config_load(field, key->size));
	case CONFIG_TRUE:
		return *(const bool *)field ? cJSON_CreateTrue() : NULL;
	case CONFIG_WORD:
		return cJSON_CreateString(word_of(key, config_load(field, key->size)));
	case CONFIG_WORD_TEXT:
		return cJSON_CreateString(field);
	case CONFIG_WORD_SET:
		return word_set_json(key, config_load(field, key->size));
	case CONFIG_TEXT:
		return key->format->print(field, second, text) ? cJSON_CreateString(text) : NULL;
	case CONFIG_CPU:
		return cpu_json(field);
	case CONFIG_REFERENCE:
		return cJSON_CreateString(key->reference->name(config, config_load(field, key->size)));
	case CONFIG_OBJECT:
		return object_json(config, key->object, field);
	}
	return NULL;
}

/* An empty list is shown where it may be written. */
static cJSON *list_json(const struct config *config, const struct config_key *key, const void *structure)
{
	const char *array = *(const char *const *)config_field(structure, key->offset);
	uint32_t count = config_load(config_field(structure, key->count), sizeof(uint32_t));
	cJSON *list;

	if (count < key->list_min)
		return NULL;
	list = cJSON_CreateArray();
	for (uint32_t i = 0; i < count; i++)
		cJSON_AddItemToArray(list, value_json(config, key, array + i * key->size, NULL));
	return list;
}

static cJSON *key_json(const struct config *config, const struct config_key *key, const void *structure)
{
	const void *field = config_field(structure, key->offset);

	if (key->present != 0 && !*(const bool *)config_field(structure, key->present))
		return NULL;
	if (key->type == CONFIG_INTEGER && !key->list && key->computed != NULL &&
		config_load(field, key->size) == 0)
		return NULL; /* to be computed by who runs it */
	if (key->alternative != NULL && config_load(field, key->size) == key->alternative_value)
		key = key->alternative;
	if (key->list)
		return list_json(config, key, structure);
	return value_json(config, key, field, config_field(structure, key->second));
}

static cJSON *object_json(
	const struct config *config, const struct config_object *object, const void *structure)
{
	cJSON *json = cJSON_CreateObject();

	for (const struct config_key *key = object->keys; key->name != NULL; key++) {
		cJSON *value = key_json(config, key, structure);

		if (value != NULL)
			cJSON_AddItemToObject(json, key->name, value);
	}
	return json;
}

static void print_scalar(const cJSON *node, FILE *out)
{
	char *text = cJSON_PrintUnformatted(node);

	if (text != NULL)
		fputs(text, out);
	free(text);
}

static void print_on_one_line(const cJSON *node, FILE *out)
{
	const cJSON *child;

	if (node->child == NULL) {
		print_scalar(node, out);
		return;
	}
	fputs(cJSON_IsArray(node) ? "[" : "{ ", out);
	cJSON_ArrayForEach (child, node) {
		if (child->string != NULL)
			fprintf(out, "\"%s\": ", child->string);
		print_on_one_line(child, out);
		if (child->next != NULL)
			fputs(", ", out);
	}
	fputs(cJSON_IsArray(node) ? "]" : " }", out);
}

/* How long that line is. */
static size_t line_length(const cJSON *node)
{
	char *line = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&line, &length);

	if (out == NULL)
		return SIZE_MAX / 2;
	print_on_one_line(node, out);
	fclose(out);
	free(line);
	return length;
}

/* `used`: how much of the line is taken by the key. */
static void print_at(const cJSON *node, FILE *out, unsigned depth, size_t used)
{
	char open = cJSON_IsArray(node) ? '[' : '{', close = cJSON_IsArray(node) ? ']' : '}';
	const cJSON *child;

	if (node->child == NULL || 2 * depth + used + line_length(node) <= LINE_WIDTH) {
		print_on_one_line(node, out);
		return;
	}
	fprintf(out, "%c\n", open);
	cJSON_ArrayForEach (child, node) {
		size_t key_length = child->string != NULL ? strlen(child->string) + 4 : 0;

		fprintf(out, "%*s", (int)(2 * (depth + 1)), "");
		if (child->string != NULL)
			fprintf(out, "\"%s\": ", child->string);
		print_at(child, out, depth + 1, key_length);
		fputs(child->next != NULL ? ",\n" : "\n", out);
	}
	fprintf(out, "%*s%c", (int)(2 * depth), "", close);
}

void config_json_print(const cJSON *node, FILE *out)
{
	if (node == NULL)
		return; /* no memory for it */
	print_at(node, out, 0, 0);
	fputc('\n', out);
}

char *config_to_json(const struct config *config)
{
	cJSON *json = object_json(config, &config_top, config);
	char *text = NULL;
	size_t size;
	FILE *out = json != NULL ? open_memstream(&text, &size) : NULL;

	if (out != NULL) {
		config_json_print(json, out);
		fclose(out);
	}
	cJSON_Delete(json);
	return text;
}
