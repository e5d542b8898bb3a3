/* SPDX-License-Identifier: BSD-3-Clause */
/* A table as text: columns and rows in, aligned lines out. Rows are kept until table_print, which can be called again
 * and again for a list too long to hold: the heading is printed once, and widths only grow. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 24

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table {
	size_t columns;
	const char *title[TABLE_COLUMNS_MAX];
	enum table_align align[TABLE_COLUMNS_MAX];
	size_t width[TABLE_COLUMNS_MAX];
	char **cell;           /* [rows * columns] */
	size_t rows, capacity; /* of rows */
	bool heading_printed;
};

void table_init(struct table *table);
void table_destroy(struct table *table);
void table_column(
	struct table *table, const char *title, enum table_align align); /* the title stays the caller's */
/* One row: an array of as many texts as there are columns, copied. False when memory ran out. */
bool table_row(struct table *table, const char *const *cells);
/* Prints and forgets the rows. No line ends in blanks. */
void table_print(struct table *table, FILE *out);
