/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgatectl/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BETWEEN_COLUMNS "  "

/* Characters, not bytes: the names of devices may be in UTF-8. */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

void table_init(struct table *table)
{
	*table = (struct table){ 0 };
}

static void table_forget(struct table *table)
{
	for (size_t i = 0; i < table->rows * table->columns; i++)
		free(table->cell[i]);
	table->rows = 0;
}

void table_destroy(struct table *table)
{
	table_forget(table);
	free(table->cell);
	*table = (struct table){ 0 };
}

void table_column(struct table *table, const char *title, enum table_align align)
{
	assert(table->columns < TABLE_COLUMNS_MAX && table->rows == 0);
	table->title[table->columns] = title;
	table->align[table->columns] = align;
	table->width[table->columns] = text_width(title);
	table->columns++;
}

static bool table_grow(struct table *table)
{
	size_t capacity = table->capacity == 0 ? 64 : table->capacity * 2;
	char **cell = realloc(table->cell, capacity * table->columns * sizeof(*cell));

	if (cell == NULL)
		return false;
	table->cell = cell;
	table->capacity = capacity;
	return true;
}

bool table_row(struct table *table, const char *const *cells)
{
	if (table->rows == table->capacity && !table_grow(table))
		return false;

	char **row = table->cell + table->rows * table->columns;
	for (size_t i = 0; i < table->columns; i++) {
		size_t width = text_width(cells[i]);

		row[i] = strdup(cells[i]);
		if (row[i] == NULL) {
			while (i-- > 0)
				free(row[i]);
			return false;
		}
		if (width > table->width[i])
			table->width[i] = width;
	}
	table->rows++;
	return true;
}

static void blanks_print(size_t count, FILE *out)
{
	fprintf(out, "%*s", (int)count, "");
}

static void line_print(const struct table *table, const char *const *cells, FILE *out)
{
	size_t last = table->columns;

	while (last > 0 && cells[last - 1][0] == '\0')
		last--;
	for (size_t i = 0; i < last; i++) {
		size_t pad = table->width[i] - text_width(cells[i]);

		if (table->align[i] == TABLE_RIGHT)
			blanks_print(pad, out);
		fputs(cells[i], out);
		if (i + 1 == last)
			break;
		if (table->align[i] == TABLE_LEFT)
			blanks_print(pad, out);
		fputs(BETWEEN_COLUMNS, out);
	}
	fputc('\n', out);
}

void table_print(struct table *table, FILE *out)
{
	if (!table->heading_printed)
		line_print(table, table->title, out);
	table->heading_printed = true;
	for (size_t i = 0; i < table->rows; i++)
		line_print(table, (const char *const *)table->cell + i * table->columns, out);
	table_forget(table);
}
