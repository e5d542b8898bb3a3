/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/config_document.h"

#include "management/config_scan.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* cJSON keeps the order of the text, so that walking its tree meets the values in the order in which they start.
 * Returns how many of them there are up to the end of this node. */
static size_t place_nodes(struct config_document *document, const struct config_offsets *offsets,
	const cJSON *node, size_t index)
{
	const cJSON *child;

	if (index >= offsets->count)
		return index;
	document->place[index] = (struct config_place){
		.node = node, .key = offsets->list[index].key, .value = offsets->list[index].value
	};
	index++;
	cJSON_ArrayForEach (child, node)
		index = place_nodes(document, offsets, child, index);
	return index;
}

static int compare_places(const void *left, const void *right)
{
	const struct config_place *a = left, *b = right;

	return a->node < b->node ? -1 : a->node > b->node;
}

void config_document_open(struct config_document *document, const char *file, const char *text, size_t length)
{
	struct config_offsets offsets = { 0 };

	*document = (struct config_document){ .errors = { .file = file, .text = text, .length = length } };
	if (!config_scan(&document->errors, &offsets)) {
		free(offsets.list);
		return;
	}
	document->tree = cJSON_ParseWithLength(text, length);
	document->place = calloc(offsets.count, sizeof(document->place[0]));
	if (document->tree == NULL || document->place == NULL) {
		document->errors.out_of_memory = true;
	} else {
		document->place_count = place_nodes(document, &offsets, document->tree, 0);
		qsort(document->place, document->place_count, sizeof(document->place[0]), compare_places);
	}
	free(offsets.list);
}

void config_document_close(struct config_document *document)
{
	cJSON_Delete(document->tree);
	free(document->place);
	config_errors_destroy(&document->errors);
}

static const struct config_place *find_place(const struct config_document *document, const cJSON *node)
{
	static const struct config_place nowhere = { 0 };
	const struct config_place wanted = { .node = node };
	const struct config_place *found = NULL;

	if (document->place_count > 0)
		found = bsearch(
			&wanted, document->place, document->place_count, sizeof(wanted), compare_places);
	return found != NULL ? found : &nowhere;
}

size_t config_key_offset(const struct config_document *document, const cJSON *node)
{
	return find_place(document, node)->key;
}

size_t config_value_offset(const struct config_document *document, const cJSON *node)
{
	return find_place(document, node)->value;
}

const cJSON *config_document_find(const struct config_document *document, const char *path)
{
	const cJSON *node = document->tree, *child;
	char key[CONFIG_QUOTE_TEXT];
	size_t length;

	while (*path != '\0') {
		if (*path == '[') {
			child = cJSON_GetArrayItem(node, (int)strtol(path + 1, NULL, 10));
			path += strcspn(path, "]") + 1;
		} else {
			path += *path == '.';
			length = strcspn(path, ".[");
			snprintf(key, sizeof(key), "%.*s", (int)length, path);
			child = cJSON_GetObjectItemCaseSensitive(node, key);
			path += length;
		}
		if (child == NULL)
			break;
		node = child;
	}
	return node;
}

/* A number as it is written, which cJSON does not keep. */
static const char *number_text(
	const struct config_document *document, const cJSON *node, char text[CONFIG_QUOTE_TEXT])
{
	const char *start = document->errors.text + config_value_offset(document, node);

	snprintf(text, CONFIG_QUOTE_TEXT, "%.*s", (int)strspn(start, "+-.0123456789eE"), start);
	return text;
}

const char *config_found(
	const struct config_document *document, const cJSON *node, char text[CONFIG_QUOTE_TEXT])
{
	if (cJSON_IsString(node))
		return config_quote(node->valuestring, strlen(node->valuestring), text);
	if (cJSON_IsNumber(node))
		return number_text(document, node, text);
	if (cJSON_IsBool(node))
		return cJSON_IsTrue(node) ? "true" : "false";
	if (cJSON_IsNull(node))
		return "null";
	if (!cJSON_IsArray(node))
		return "an object";
	if (node->child == NULL)
		return "an empty list";
	snprintf(text, CONFIG_QUOTE_TEXT, "a list of %d", cJSON_GetArraySize(node));
	return text;
}

const char *config_format_path(char text[CONFIG_QUOTE_TEXT], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, CONFIG_QUOTE_TEXT, format, arguments);
	va_end(arguments);
	return text;
}

bool config_has_error(const struct config_document *document, const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < document->errors.count; i++) {
		const char *message = document->errors.list[i].message;

		if (strncmp(message, path, length) == 0 && strchr(":.[", message[length]) != NULL)
			return true;
	}
	return false;
}

const char *config_other_place(
	const struct config_document *document, const char *path, char text[CONFIG_QUOTE_TEXT])
{
	size_t offset = config_value_offset(document, config_document_find(document, path));

	snprintf(text, CONFIG_QUOTE_TEXT, "%s (line %zu)", path, config_line(&document->errors, offset));
	return text;
}
