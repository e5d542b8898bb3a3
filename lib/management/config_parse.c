/* SPDX-License-Identifier: BSD-3-Clause */
/* From text to a checked configuration, by the table of config_schema.c. */
#include "management/config.h"

#include "management/config_check.h"
#include "management/config_document.h"
#include "management/config_scan.h"
#include "management/config_schema.h"
#include "management/config_suggest.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void parse_object(struct config_document *document, const struct config_object *object,
	const cJSON *node, const struct config_path *path, void *structure);

static struct config_path path_of_key(const struct config_path *parent, const char *key)
{
	return (struct config_path){ .parent = parent, .key = key, .key_length = strlen(key) };
}

/* "found; want what the key takes", with the reason in between where there is one. */
static void refuse(struct config_document *document, const struct config_key *key, const cJSON *node,
	const struct config_path *path, const char *reason)
{
	char path_text[CONFIG_PATH_TEXT], wanted[CONFIG_WANTED_TEXT], found[CONFIG_QUOTE_TEXT];

	config_error_add(&document->errors, config_value_offset(document, node),
		config_path_text(path, path_text), "%s; %s%swant %s", config_found(document, node, found),
		reason, reason[0] != '\0' ? "; " : "", config_wanted(key, wanted));
}

static bool is_whole_within(const cJSON *node, uint32_t min, uint32_t max)
{
	double value = node->valuedouble;

	return value >= min && value <= max && floor(value) == value;
}

#define TOO_MANY_TEXT 256

/* What is wrong with a number that is not within the range, where that says more than the range. */
static const char *integer_problem(const struct config_key *key, double value, char text[TOO_MANY_TEXT])
{
	if (floor(value) != value)
		return "this is not a whole number";
	if (key->bytes_each == 0 || value <= key->max || !isfinite(value))
		return "";
	snprintf(text, TOO_MANY_TEXT,
		"these %s alone need %.15g bytes of memory, and the most that there can be, %u, need %.15g",
		key->unit, value * key->bytes_each, key->max, (double)key->max * key->bytes_each);
	return text;
}

static void parse_integer(struct config_document *document, const struct config_key *key, const cJSON *node,
	const struct config_path *path, void *field)
{
	char problem[TOO_MANY_TEXT];

	if (!cJSON_IsNumber(node))
		refuse(document, key, node, path, "");
	else if (!is_whole_within(node, key->min, key->max))
		refuse(document, key, node, path, integer_problem(key, node->valuedouble, problem));
	else
		config_store(field, key->size, (uint32_t)node->valuedouble);
}

static const struct config_word *find_word(const struct config_key *key, const cJSON *node)
{
	if (!cJSON_IsString(node))
		return NULL;
	for (const struct config_word *word = key->words; word->word != NULL; word++) {
		if (strcmp(word->word, node->valuestring) == 0)
			return word;
	}
	return NULL;
}

static void parse_word(struct config_document *document, const struct config_key *key, const cJSON *node,
	const struct config_path *path, void *field)
{
	const struct config_word *word = find_word(key, node);

	if (word == NULL)
		refuse(document, key, node, path, "");
	else if (key->type == CONFIG_WORD_TEXT)
		snprintf(field, key->size, "%s", word->word);
	else
		config_store(field, key->size, word->value);
}

static void parse_word_set(struct config_document *document, const struct config_key *key, const cJSON *node,
	const struct config_path *path, void *field)
{
	struct config_path element_path = { .parent = path };
	struct config_key element_key = *key;
	uint32_t mask = 0;
	const cJSON *element;

	if (!cJSON_IsArray(node) || node->child == NULL) {
		refuse(document, key, node, path, "");
		return;
	}
	element_key.type = CONFIG_WORD;
	cJSON_ArrayForEach (element, node) {
		const struct config_word *word = find_word(key, element);

		if (word == NULL)
			refuse(document, &element_key, element, &element_path, "");
		else if ((mask & 1u << word->value) != 0)
			refuse(document, &element_key, element, &element_path, "this is in the list already");
		else
			mask |= 1u << word->value;
		element_path.index++;
	}
	config_store(field, key->size, mask);
}

static void parse_text(struct config_document *document, const struct config_key *key, const cJSON *node,
	const struct config_path *path, void *field, void *second)
{
	const char *problem;

	if (!cJSON_IsString(node)) {
		refuse(document, key, node, path, "");
		return;
	}
	problem = key->format->store(node->valuestring, field, key->size, second);
	if (problem != NULL)
		refuse(document, key, node, path, problem);
}

/* A list of parts is the text of them with commas between; what is wrong is wrong with the part that was added. */
static void parse_parts(struct config_document *document, const struct config_key *key, const cJSON *node,
	const struct config_path *path, void *field, void *second)
{
	struct config_path element_path = { .parent = path };
	char text[CONFIG_TEXT_MAX] = "";
	size_t length = 0;
	const cJSON *element;

	if (node->child == NULL || cJSON_GetArraySize(node) > (int)key->format->parts) {
		refuse(document, key, node, path, "");
		return;
	}
	cJSON_ArrayForEach (element, node) {
		const char *part = cJSON_GetStringValue(element), *problem = CONFIG_NOT_THIS_FORMAT;
		size_t room = sizeof(text) - length;

		if (part != NULL && strchr(part, ',') == NULL && strlen(part) + 1 < room) {
			snprintf(text + length, room, "%s%s", length > 0 ? "," : "", part);
			problem = key->format->store(text, field, key->size, second);
		}
		if (problem != NULL) {
			refuse(document, key, element, &element_path, problem);
			text[length] = '\0';
		}
		length = strlen(text);
		element_path.index++;
	}
}

static void parse_cpu(struct config_document *document, const struct config_key *key, const cJSON *node,
	const struct config_path *path, void *field)
{
	struct config_cpu *cpu = field;

	if (cJSON_IsNumber(node) && is_whole_within(node, 0, CONFIG_LCORE_MAX)) {
		cpu->lcore = (unsigned)node->valuedouble;
		cpu->cpu = cpu->lcore;
	} else if (!cJSON_IsString(node) ||
		   config_format_lcore_on_cpu.store(node->valuestring, cpu, sizeof(*cpu), NULL) != NULL) {
		refuse(document, key, node, path, "");
	}
}

/* The index in the text is that in the configuration: each element has its place there, whatever is wrong with it. */
static void parse_reference(struct config_document *document, const struct config_key *key, const cJSON *node,
	const struct config_path *path, void *field)
{
	const cJSON *list = config_document_find(document, key->reference->list), *element;
	struct config_suggestion suggestion = { 0 };
	char reason[CONFIG_SUGGESTION_TEXT];
	uint32_t index = 0;

	config_store(field, key->size, CONFIG_REFERENCE_NONE);
	if (!cJSON_IsString(node)) {
		refuse(document, key, node, path, "");
		return;
	}
	cJSON_ArrayForEach (element, list) {
		const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(element, "name"));

		if (name != NULL && strcmp(name, node->valuestring) == 0) {
			config_store(field, key->size, index);
			return;
		}
		if (name != NULL)
			config_suggest(&suggestion, node->valuestring, name);
		index++;
	}
	refuse(document, key, node, path,
		config_suggestion_text(&suggestion, "there is none of that name", reason));
}

/* One value: the value of a key, or an element of its list. */
static void parse_value(struct config_document *document, const struct config_key *key, const cJSON *node,
	const struct config_path *path, void *field, void *second)
{
	bool *flag = field;

	switch (key->type) {
	case CONFIG_INTEGER:
		parse_integer(document, key, node, path, field);
		break;
	case CONFIG_TRUE:
		*flag = cJSON_IsTrue(node);
		if (!*flag)
			refuse(document, key, node, path, "");
		break;
	case CONFIG_WORD:
	case CONFIG_WORD_TEXT:
		parse_word(document, key, node, path, field);
		break;
	case CONFIG_WORD_SET:
		parse_word_set(document, key, node, path, field);
		break;
	case CONFIG_TEXT:
		if (key->format->part != NULL && cJSON_IsArray(node))
			parse_parts(document, key, node, path, field, second);
		else
			parse_text(document, key, node, path, field, second);
		break;
	case CONFIG_CPU:
		parse_cpu(document, key, node, path, field);
		break;
	case CONFIG_REFERENCE:
		parse_reference(document, key, node, path, field);
		break;
	case CONFIG_OBJECT:
		if (cJSON_IsObject(node))
			parse_object(document, key->object, node, path, field);
		else
			refuse(document, key, node, path, "");
		break;
	}
}

static void parse_list(struct config_document *document, const struct config_key *key, const cJSON *node,
	const struct config_path *path, void *structure)
{
	struct config_path element_path = { .parent = path };
	uint32_t count = (uint32_t)cJSON_GetArraySize(node);
	char path_text[CONFIG_PATH_TEXT], wanted[CONFIG_WANTED_TEXT], found[CONFIG_QUOTE_TEXT];
	const cJSON *element;
	char *array;

	if (!cJSON_IsArray(node) || count < key->list_min || count > key->list_max) {
		config_error_add(&document->errors, config_value_offset(document, node),
			config_path_text(path, path_text), "%s; want a list of %u to %u, each %s",
			config_found(document, node, found), key->list_min, key->list_max,
			config_wanted(key, wanted));
		return;
	}
	if (count == 0)
		return;
	array = calloc(count, key->size);
	if (array == NULL) {
		document->errors.out_of_memory = true;
		return;
	}
	*(void **)config_field_mutable(structure, key->offset) = array;
	*(uint32_t *)config_field_mutable(structure, key->count) = count;
	cJSON_ArrayForEach (element, node) {
		parse_value(
			document, key, element, &element_path, array + element_path.index * key->size, NULL);
		element_path.index++;
	}
}

static void parse_key(struct config_document *document, const struct config_key *key, const cJSON *node,
	const struct config_path *parent, void *structure)
{
	struct config_path path = path_of_key(parent, key->name);

	if (key->present != 0)
		*(bool *)config_field_mutable(structure, key->present) = true;
	if (key->alternative != NULL && cJSON_IsArray(node)) {
		config_store(config_field_mutable(structure, key->offset), key->size, key->alternative_value);
		key = key->alternative;
	}
	if (key->list)
		parse_list(document, key, node, &path, structure);
	else
		parse_value(document, key, node, &path, config_field_mutable(structure, key->offset),
			config_field_mutable(structure, key->second));
}

static void parse_fallback(struct config_document *document, const struct config_key *key,
	const struct config_path *parent, void *structure)
{
	cJSON *node = cJSON_Parse(key->fallback);

	if (node == NULL)
		document->errors.out_of_memory = true;
	else
		parse_key(document, key, node, parent, structure);
	cJSON_Delete(node);
}

static void refuse_unknown_key(struct config_document *document, const struct config_object *object,
	const cJSON *node, const struct config_path *parent)
{
	struct config_path path = path_of_key(parent, node->string);
	struct config_suggestion suggestion = { 0 };
	char path_text[CONFIG_PATH_TEXT], text[CONFIG_SUGGESTION_TEXT], keys[CONFIG_SUGGESTION_TEXT];
	size_t at = 0;

	for (const struct config_key *key = object->keys; key->name != NULL; key++) {
		config_suggest(&suggestion, node->string, key->name);
		at += (size_t)snprintf(
			keys + at, sizeof(keys) - at, "%s\"%s\"", at > 0 ? ", " : "", key->name);
	}
	config_error_add(&document->errors, config_key_offset(document, node),
		config_path_text(&path, path_text), "%s; want one of %s",
		config_suggestion_text(&suggestion, "unknown key", text), keys);
}

/* Finds the node of each key of the object; complains of unknown keys and of those that are there twice. */
static void sort_members(struct config_document *document, const struct config_object *object,
	const cJSON *node, const struct config_path *parent, const cJSON *found[CONFIG_KEYS_MAX])
{
	char path_text[CONFIG_PATH_TEXT];
	const cJSON *member;

	cJSON_ArrayForEach (member, node) {
		struct config_path path = path_of_key(parent, member->string);
		const struct config_key *key = object->keys;

		while (key->name != NULL && strcmp(key->name, member->string) != 0)
			key++;
		if (key->name == NULL)
			refuse_unknown_key(document, object, member, parent);
		else if (found[key - object->keys] == NULL)
			found[key - object->keys] = member;
		else
			config_error_add(&document->errors, config_key_offset(document, member),
				config_path_text(&path, path_text),
				"this key is here for the second time; want it once (the first is on line "
				"%zu)",
				config_line(&document->errors,
					config_key_offset(document, found[key - object->keys])));
	}
}

static bool has_key(const struct config_object *object, const cJSON *found[CONFIG_KEYS_MAX], const char *name)
{
	for (size_t i = 0; object->keys[i].name != NULL; i++) {
		if (strcmp(object->keys[i].name, name) == 0)
			return found[i] != NULL;
	}
	return false;
}

/* Keys that exclude or need each other. */
static void check_company(struct config_document *document, const struct config_object *object,
	const cJSON *node, const struct config_path *path, const cJSON *found[CONFIG_KEYS_MAX])
{
	size_t offset = config_value_offset(document, node);
	char text[CONFIG_PATH_TEXT];

	config_path_text(path, text);
	if (object->one_of[0] != NULL) {
		bool first = has_key(object, found, object->one_of[0]);
		bool second = has_key(object, found, object->one_of[1]);

		if (first == second)
			config_error_add(&document->errors, offset, text,
				"%s \"%s\" %s \"%s\"; want one of the two", first ? "both" : "neither",
				object->one_of[0], first ? "and" : "nor", object->one_of[1]);
	}
	for (size_t i = 0; object->keys[i].name != NULL; i++) {
		const struct config_key *key = &object->keys[i];

		if (found[i] != NULL && key->with != NULL && !has_key(object, found, key->with))
			config_error_add(&document->errors, offset, text,
				"\"%s\" without \"%s\"; want both, or neither", key->name, key->with);
	}
}

static void refuse_missing(struct config_document *document, const struct config_key *key, const cJSON *node,
	const struct config_path *path)
{
	char path_text[CONFIG_PATH_TEXT], wanted[CONFIG_WANTED_TEXT];

	config_error_add(&document->errors, config_value_offset(document, node),
		config_path_text(path, path_text), "no key \"%s\"; want it, with %s%s", key->name,
		key->list ? "a list, each " : "", config_wanted(key, wanted));
}

static void parse_object(struct config_document *document, const struct config_object *object,
	const cJSON *node, const struct config_path *path, void *structure)
{
	const cJSON *found[CONFIG_KEYS_MAX] = { NULL };

	sort_members(document, object, node, path, found);
	check_company(document, object, node, path, found);
	for (size_t i = 0; object->keys[i].name != NULL; i++) {
		const struct config_key *key = &object->keys[i];

		if (found[i] != NULL)
			parse_key(document, key, found[i], path, structure);
		else if (key->required)
			refuse_missing(document, key, node, path);
		else if (key->fallback != NULL)
			parse_fallback(document, key, path, structure);
	}
}

static void parse_document(
	struct config_document *document, struct config *config, const struct config_rule *more)
{
	static const struct config_key top = { .type = CONFIG_OBJECT, .object = &config_top };
	const struct config_path path = { 0 };

	parse_value(document, &top, document->tree, &path, config, NULL);
	if (!cJSON_IsObject(document->tree))
		return;
	config_derive(config);
	for (const struct config_rule *rule = config_rules; rule->sentence != NULL; rule++)
		rule->check(config, document);
	for (const struct config_rule *rule = more; rule != NULL && rule->sentence != NULL; rule++)
		rule->check(config, document);
}

static struct config *parse_bytes(
	const char *file, const char *text, size_t length, const struct config_rule *rules, FILE *errors)
{
	struct config_document document;
	struct config *config = calloc(1, sizeof(*config));

	config_document_open(&document, file, text, length);
	if (config == NULL || (config->file = strdup(file)) == NULL)
		document.errors.out_of_memory = true;
	else if (document.tree != NULL)
		parse_document(&document, config, rules);
	if (config_errors_any(&document.errors)) {
		config_errors_print(&document.errors, errors);
		config_free(config);
		config = NULL;
		errno = EINVAL;
	}
	config_document_close(&document);
	return config;
}

struct config *config_parse(const char *file, const char *text, FILE *errors)
{
	return parse_bytes(file, text, strlen(text), NULL, errors);
}

/* The whole file and a zero after it, or NULL with errno. One byte more than is allowed is read at most, so that
 * too large a file is found out without reading all of it. */
static char *read_file(const char *file, size_t *length)
{
	char *text = malloc(CONFIG_SIZE_MAX + 2);
	FILE *in = fopen(file, "re");
	bool failed = true;

	if (in != NULL && text != NULL) {
		*length = fread(text, 1, CONFIG_SIZE_MAX + 1, in);
		text[*length] = '\0';
		failed = ferror(in) != 0;
	}
	if (in != NULL)
		fclose(in);
	if (failed) {
		free(text);
		return NULL;
	}
	return text;
}

struct config *config_read_by(const char *file, const struct config_rule *rules, FILE *errors)
{
	struct config *config;
	size_t length = 0;
	char *text = read_file(file, &length);

	if (text == NULL) {
		fprintf(errors, "%s: cannot be read: %s\n", file, strerror(errno));
		return NULL;
	}
	config = parse_bytes(file, text, length, rules, errors);
	free(text);
	return config;
}

struct config *config_read(const char *file, FILE *errors)
{
	return config_read_by(file, NULL, errors);
}

static void free_object(const struct config_object *object, void *structure);

static void free_key(const struct config_key *key, void *structure)
{
	char *field = config_field_mutable(structure, key->offset);

	if (key->alternative != NULL)
		free_key(key->alternative, structure);
	if (!key->list) {
		if (key->type == CONFIG_OBJECT)
			free_object(key->object, field);
		return;
	}
	if (key->type == CONFIG_OBJECT) {
		for (uint32_t i = 0; i < config_load(config_field(structure, key->count), sizeof(uint32_t));
			i++)
			free_object(key->object, *(char **)field + i * key->size);
	}
	free(*(void **)field);
}

static void free_object(const struct config_object *object, void *structure)
{
	for (const struct config_key *key = object->keys; key->name != NULL; key++)
		free_key(key, structure);
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	free_object(&config_top, config);
	free(config->file);
	free(config);
}
