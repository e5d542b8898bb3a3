/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/config_error.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define QUOTE_CHARACTERS 48

bool config_grow(struct config_errors *errors, void **array, size_t *capacity, size_t count, size_t element)
{
	size_t larger = *capacity == 0 ? 16 : *capacity * 2;
	void *moved;

	if (count < *capacity)
		return true;
	moved = reallocarray(*array, larger, element);
	if (moved == NULL) {
		errors->out_of_memory = true;
		return false;
	}
	*array = moved;
	*capacity = larger;
	return true;
}

void config_error_add(struct config_errors *errors, size_t offset, const char *path, const char *format, ...)
{
	struct config_error *error;
	char *body, *message;
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vasprintf(&body, format, arguments);
	va_end(arguments);
	if (size < 0) {
		errors->out_of_memory = true;
		return;
	}
	size = asprintf(&message, "%s: %s", path[0] == '\0' ? "configuration" : path, body);
	free(body);
	if (size < 0) {
		errors->out_of_memory = true;
		return;
	}
	if (!config_grow(errors, (void **)&errors->list, &errors->capacity, errors->count, sizeof(*error))) {
		free(message);
		return;
	}
	error = &errors->list[errors->count];
	*error = (struct config_error){ .offset = offset, .number = errors->count, .message = message };
	errors->count++;
}

static int compare_errors(const void *left, const void *right)
{
	const struct config_error *a = left, *b = right;

	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

void config_errors_print(struct config_errors *errors, FILE *out)
{
	size_t at = 0, line = 1, column = 1;

	if (errors->count > 0)
		qsort(errors->list, errors->count, sizeof(errors->list[0]), compare_errors);
	for (size_t i = 0; i < errors->count; i++) {
		const struct config_error *error = &errors->list[i];

		for (; at < error->offset && at < errors->length; at++) {
			if (errors->text[at] == '\n') {
				line++;
				column = 1;
			} else if (((unsigned char)errors->text[at + 1] & 0xc0) != 0x80) {
				column++; /* the next byte starts a character */
			}
		}
		fprintf(out, "%s:%zu:%zu: %s\n", errors->file, line, column, error->message);
	}
	if (errors->out_of_memory)
		fprintf(out, "%s: out of memory while reading it\n", errors->file);
}

bool config_errors_any(const struct config_errors *errors)
{
	return errors->count > 0 || errors->out_of_memory;
}

void config_errors_destroy(struct config_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++)
		free(errors->list[i].message);
	free(errors->list);
}

size_t config_line(const struct config_errors *errors, size_t offset)
{
	size_t line = 1;

	for (size_t at = 0; at < offset; at++)
		line += errors->text[at] == '\n';
	return line;
}

const char *config_quote(const char *text, size_t length, char quoted[CONFIG_QUOTE_TEXT])
{
	size_t at = 0, out = 0, characters = 0;

	quoted[out++] = '"';
	for (; at < length; at++) {
		unsigned char byte = (unsigned char)text[at];

		/* Cut only where a character starts. */
		if ((byte & 0xc0) != 0x80 && ++characters > QUOTE_CHARACTERS)
			break;
		/* A text of nothing but continuation bytes is no text, but must not write past the end. */
		if (out > CONFIG_QUOTE_TEXT - 16)
			break;
		if (byte == '"' || byte == '\\')
			quoted[out++] = '\\';
		if (byte < 0x20 || byte == 0x7f)
			out += (size_t)sprintf(quoted + out, "\\u%04x", byte);
		else
			quoted[out++] = (char)byte;
	}
	quoted[out++] = '"';
	quoted[out] = '\0';
	if (at < length)
		strcpy(quoted + out, "...");
	return quoted;
}

static bool is_plain_key(const char *key, size_t length)
{
	if (length == 0 || length > QUOTE_CHARACTERS)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)key[i]) && key[i] != '_' && key[i] != '-')
			return false;
	}
	return true;
}

static size_t append_path(const struct config_path *path, char *text, size_t size)
{
	char quoted[CONFIG_QUOTE_TEXT];
	size_t at;
	int added;

	if (path == NULL || path->parent == NULL) {
		text[0] = '\0';
		return 0;
	}
	at = append_path(path->parent, text, size);
	if (path->key == NULL)
		added = snprintf(text + at, size - at, "[%u]", path->index);
	else if (is_plain_key(path->key, path->key_length))
		added = snprintf(
			text + at, size - at, "%s%.*s", at > 0 ? "." : "", (int)path->key_length, path->key);
	else
		added = snprintf(
			text + at, size - at, "[%s]", config_quote(path->key, path->key_length, quoted));
	at += (size_t)added;
	return at < size ? at : size - 1;
}

const char *config_path_text(const struct config_path *path, char text[CONFIG_PATH_TEXT])
{
	append_path(path, text, CONFIG_PATH_TEXT);
	return text;
}
