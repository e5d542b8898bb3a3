/* SPDX-License-Identifier: BSD-3-Clause */
/* The errors of one configuration text: collected as they are found, printed in the order of the text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Where in the configuration something is: "segments[0].flood.vteps[1]". Made on the stack while going down. */
struct config_path {
	const struct config_path *parent; /* NULL: this is the top, which has no key */
	const char *key;                  /* not terminated; NULL: an element of a list */
	size_t key_length;
	uint32_t index;
};

struct config_error {
	size_t offset; /* bytes from the start of the text */
	size_t number; /* keeps the order of errors at the same place */
	char *message; /* "path: what was found; what is wanted" */
};

struct config_errors {
	const char *file, *text;
	size_t length;
	struct config_error *list;
	size_t count, capacity;
	bool out_of_memory; /* the list is not complete, or what was parsed is not */
};

#define CONFIG_QUOTE_TEXT 256  /* 48 characters, escaped, with quotes and "..." */
#define CONFIG_PATH_TEXT  8192 /* the deepest path of the longest keys that are shown */

void config_error_add(struct config_errors *errors, size_t offset, const char *path, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* One line each: "file:line:column: message". Line and column start at 1; a column is a character, not a byte. */
void config_errors_print(struct config_errors *errors, FILE *out);
bool config_errors_any(const struct config_errors *errors);
void config_errors_destroy(struct config_errors *errors);

size_t config_line(const struct config_errors *errors, size_t offset);
const char *config_path_text(const struct config_path *path, char text[CONFIG_PATH_TEXT]);
/* In quotes, on one line whatever is in it, and cut when it is long. */
const char *config_quote(const char *text, size_t length, char quoted[CONFIG_QUOTE_TEXT]);

/* Makes room for one more element. False, with out_of_memory set, when there is none. */
bool config_grow(struct config_errors *errors, void **array, size_t *capacity, size_t count, size_t element);
