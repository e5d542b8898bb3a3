/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be shown: each subject with its telemetry command, its filters and the columns of its table. */
#pragma once

#include "vxgatectl/lines.h"
#include "vxgatectl/number_text.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum column_format {
	FORMAT_TEXT,     /* a string */
	FORMAT_LIST,     /* an array of strings */
	FORMAT_ENDPOINT, /* { "address", "port" } */
	FORMAT_YES_NO,   /* 0 or 1 */
	FORMAT_NUMBER,   /* an identifier: no grouping */
	FORMAT_COUNT,    /* grouped */
	FORMAT_LIMIT,    /* the same; 0: none */
	FORMAT_SECONDS,
	FORMAT_MILLISECONDS,
};

struct column {
	const char *title;
	const char *key; /* of the row */
	enum column_format format;
};

enum subject_shape {
	SUBJECT_LIST,   /* rows over pages */
	SUBJECT_OBJECT, /* one object: a line a key */
	SUBJECT_TEXT,   /* pieces of a text */
};

struct subject {
	const char *name;
	const char *sentence;
	const char *command;     /* of the telemetry */
	const char *list;        /* key of its rows */
	line_row *of_line;       /* its rows come as short lines, which this reads; NULL: as rows */
	line_json *json_of_line; /* and prints as JSON; NULL: by of_line */
	enum subject_shape shape;
	const char *const *filters;   /* keys the gateway takes, ended by NULL */
	const struct column *columns; /* ended by a NULL title */
	const char *note_key;         /* what rows say under it is printed below the table, once */
	const char *zero_key;         /* rows in which this is 0 are shown with --all only */
	/* Each row has an object of objects under this key: a second table, with the key of each as `nested_name`, and
	 * `nested_of` copied from the row. */
	const char *nested, *nested_name, *nested_of;
	const struct column *nested_columns;
};
extern const struct subject subject_table[];
extern const size_t subject_count;

const struct subject *subject_find(const char *name); /* NULL when there is none */
/* Whether the gateway takes `key` as a filter for it, or it is count (of rows). */
bool subject_takes(const struct subject *subject, const char *key);

#define CELL_TEXT 512
/* The text of one cell. Empty or absent: "-". */
const char *column_text(const struct column *column, const cJSON *row, char text[CELL_TEXT]);
bool column_is_number(const struct column *column);
