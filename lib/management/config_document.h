/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of a configuration as a JSON tree whose nodes know their place in the text. */
#pragma once

#include "management/config_error.h"
#include <cjson/cJSON.h>

struct config_place {
	const cJSON *node;
	size_t key, value; /* offsets in the text; the same where there is no key */
};

struct config_document {
	struct config_errors errors;
	cJSON *tree;                /* NULL: not JSON, or no memory */
	struct config_place *place; /* by address of the node */
	size_t place_count;
};

/* `text` is `length` bytes and a zero after them, and stays the caller's. Errors are in document->errors. */
void config_document_open(
	struct config_document *document, const char *file, const char *text, size_t length);
void config_document_close(struct config_document *document);

/* Offsets of a node; 0 for one that is not of the document. */
size_t config_key_offset(const struct config_document *document, const cJSON *node);
size_t config_value_offset(const struct config_document *document, const cJSON *node);

/* The node at "segments[0].flood.vteps[1]". Where the text leaves a key out, the innermost one that is there. */
const cJSON *config_document_find(const struct config_document *document, const char *path);

/* What is written there, in words: "10" with its quotes, 10, an object, an empty list. */
const char *config_found(
	const struct config_document *document, const cJSON *node, char text[CONFIG_QUOTE_TEXT]);

/* "segments[0].vni", from a format. */
const char *config_format_path(char text[CONFIG_QUOTE_TEXT], const char *format, ...)
	__attribute__((format(printf, 2, 3)));
#define CONFIG_PATH(...) config_format_path((char[CONFIG_QUOTE_TEXT]){ 0 }, __VA_ARGS__)

/* An error at the value of `path`, which the message starts with. */
#define config_error_at(document, path, ...)                                                                 \
	config_error_add(&(document)->errors,                                                                \
		config_value_offset(document, config_document_find(document, path)), path, __VA_ARGS__)

/* Was there an error at the path or within it? Then what is there is not to be judged by. */
bool config_has_error(const struct config_document *document, const char *path);

/* The other place, for messages: "segments[1].vni (line 22)". */
const char *config_other_place(
	const struct config_document *document, const char *path, char text[CONFIG_QUOTE_TEXT]);
#define CONFIG_OTHER(document, ...)                                                                          \
	config_other_place(document, CONFIG_PATH(__VA_ARGS__), (char[CONFIG_QUOTE_TEXT]){ 0 })
