/* SPDX-License-Identifier: BSD-3-Clause */
/* The table as a JSON Schema, draft 2020-12. */
#include "management/config.h"
#include "management/config_json.h"
#include "management/config_schema.h"
#include <stdlib.h>

static void describe_object(cJSON *schema, const struct config_object *object);

static cJSON *pattern_schema(const char *text)
{
	cJSON *schema = cJSON_CreateObject();
	char *pattern;

	cJSON_AddStringToObject(schema, "type", "string");
	if (asprintf(&pattern, "^%s$", text) >= 0) {
		cJSON_AddStringToObject(schema, "pattern", pattern);
		free(pattern);
	}
	return schema;
}

static cJSON *integer_schema(uint32_t min, uint32_t max)
{
	cJSON *schema = cJSON_CreateObject();

	cJSON_AddStringToObject(schema, "type", "integer");
	cJSON_AddNumberToObject(schema, "minimum", min);
	cJSON_AddNumberToObject(schema, "maximum", max);
	return schema;
}

static cJSON *words_schema(const struct config_word *words)
{
	cJSON *schema = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(schema, "enum");

	for (; words->word != NULL; words++)
		cJSON_AddItemToArray(list, cJSON_CreateString(words->word));
	return schema;
}

static cJSON *either_schema(cJSON *one, cJSON *other)
{
	cJSON *schema = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(schema, "anyOf");

	cJSON_AddItemToArray(list, one);
	cJSON_AddItemToArray(list, other);
	return schema;
}

static cJSON *list_schema(cJSON *element, uint32_t min, uint32_t max)
{
	cJSON *schema = cJSON_CreateObject();

	cJSON_AddStringToObject(schema, "type", "array");
	if (min > 0)
		cJSON_AddNumberToObject(schema, "minItems", min);
	if (max > 0)
		cJSON_AddNumberToObject(schema, "maxItems", max);
	cJSON_AddItemToObject(schema, "items", element);
	return schema;
}

/* One value: that of a key, or an element of its list. */
static cJSON *value_schema(const struct config_key *key)
{
	cJSON *schema = NULL;

	switch (key->type) {
	case CONFIG_INTEGER:
		return integer_schema(key->min, key->max);
	case CONFIG_TRUE:
		schema = cJSON_CreateObject();
		cJSON_AddTrueToObject(schema, "const");
		return schema;
	case CONFIG_WORD:
	case CONFIG_WORD_TEXT:
		return words_schema(key->words);
	case CONFIG_WORD_SET:
		schema = list_schema(words_schema(key->words), 1, 0);
		cJSON_AddTrueToObject(schema, "uniqueItems");
		return schema;
	case CONFIG_TEXT:
		schema = pattern_schema(key->format->pattern);
		return key->format->part == NULL
			       ? schema
			       : either_schema(schema, list_schema(pattern_schema(key->format->part), 1,
							       key->format->parts));
	case CONFIG_CPU:
		return either_schema(integer_schema(0, CONFIG_LCORE_MAX),
			pattern_schema(config_format_lcore_on_cpu.pattern));
	case CONFIG_REFERENCE:
		return pattern_schema(config_format_name.pattern);
	case CONFIG_OBJECT:
		schema = cJSON_CreateObject();
		describe_object(schema, key->object);
		return schema;
	}
	return schema;
}

static cJSON *key_schema(const struct config_key *key)
{
	cJSON *schema = value_schema(key);

	if (key->list)
		schema = list_schema(schema, key->list_min, key->list_max);
	if (key->alternative != NULL)
		schema = either_schema(schema, key_schema(key->alternative));
	if (key->meaning != NULL && !cJSON_HasObjectItem(schema, "description"))
		cJSON_AddStringToObject(schema, "description", key->meaning);
	if (key->fallback != NULL)
		cJSON_AddItemToObject(schema, "default", cJSON_Parse(key->fallback));
	return schema;
}

/* Exactly one of two keys. */
static void add_one_of(cJSON *schema, const char *const keys[2])
{
	cJSON *list = cJSON_AddArrayToObject(schema, "oneOf");

	for (size_t i = 0; i < 2; i++) {
		cJSON *choice = cJSON_CreateObject();

		cJSON_AddItemToObject(choice, "required", cJSON_CreateStringArray(&keys[i], 1));
		cJSON_AddItemToArray(list, choice);
	}
}

static void add_unless_empty(cJSON *schema, const char *name, cJSON *rule)
{
	if (cJSON_GetArraySize(rule) > 0)
		cJSON_AddItemToObject(schema, name, rule);
	else
		cJSON_Delete(rule);
}

static void describe_object(cJSON *schema, const struct config_object *object)
{
	cJSON *properties, *required, *dependent;

	cJSON_AddStringToObject(schema, "description", object->meaning);
	cJSON_AddStringToObject(schema, "type", "object");
	properties = cJSON_AddObjectToObject(schema, "properties");
	required = cJSON_CreateArray();
	dependent = cJSON_CreateObject();
	for (const struct config_key *key = object->keys; key->name != NULL; key++) {
		cJSON_AddItemToObject(properties, key->name, key_schema(key));
		if (key->required)
			cJSON_AddItemToArray(required, cJSON_CreateString(key->name));
		if (key->with != NULL)
			cJSON_AddItemToObject(dependent, key->name, cJSON_CreateStringArray(&key->with, 1));
	}
	cJSON_AddFalseToObject(schema, "additionalProperties");
	add_unless_empty(schema, "required", required);
	add_unless_empty(schema, "dependentRequired", dependent);
	if (object->one_of[0] != NULL)
		add_one_of(schema, object->one_of);
}

void config_print_schema(FILE *out)
{
	cJSON *schema = cJSON_CreateObject();

	cJSON_AddStringToObject(schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
	cJSON_AddStringToObject(schema, "title", "vxgate configuration");
	describe_object(schema, &config_top);
	config_json_print(schema, out);
	cJSON_Delete(schema);
}
