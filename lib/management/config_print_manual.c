/* SPDX-License-Identifier: BSD-3-Clause */
/* The table as a manual in Markdown. */
#include "management/config.h"
#include "management/config_check.h"
#include "management/config_schema.h"
#include <string.h>

static const char introduction[] =
	"# Configuration\n"
	"\n"
	"One JSON file, given with `vxgate --config FILE`. `vxgate --config FILE --check` only says what is "
	"wrong with it.\n"
	"It may be meant for another machine: what this one lacks to start it (memory, hugepages, "
	"interfaces, "
	"CPUs) is then a\n"
	"note on standard output, the last line is that it \"would not start on this machine as it is now\", "
	"and the exit status is 0.\n"
	"This manual and the JSON Schema (`vxgate --print-schema`, `config/vxgate.schema.json`) are printed "
	"from the table\n"
	"that reads the file, so that they are complete.\n"
	"\n"
	"Each error is one line with file, line, column and path, what is there and what is wanted. All "
	"errors of a file\n"
	"are found in one go, the exit status is 2, and nothing is started:\n"
	"\n"
	"```\n"
	"edge.json:4:18: segments[0].vni: 0; want a whole number from 1 to 16777215\n"
	"edge.json:5:7: segments[0].gateways: unknown key (did you mean \"gateway\"?); want one of \"name\", "
	"\"vni\", ...\n"
	"```\n"
	"\n"
	"A key is **required**, or has the default that is shown. Unknown keys are errors, and so are keys "
	"that are there\n"
	"twice. IPv6 addresses are recognised and refused for now.\n";

/* Text in a cell of a table: a '|' would end it. */
static void print_cell(const char *text, FILE *out)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void print_path(const char *parent, const char *name, bool list, char *path, size_t size)
{
	snprintf(path, size, "%s%s%s%s", parent, parent[0] != '\0' ? "." : "", name, list ? "[]" : "");
}

static void print_type(const struct config_key *key, FILE *out)
{
	char wanted[CONFIG_WANTED_TEXT];

	if (key->list)
		fprintf(out, "a list of %u to %u, each ", key->list_min, key->list_max);
	print_cell(config_wanted(key, wanted), out);
}

static void print_key(const struct config_key *key, FILE *out)
{
	fprintf(out, "| `%s` | ", key->name);
	print_type(key, out);
	fputs(" | ", out);
	if (key->required)
		fputs("**required**", out);
	else if (key->fallback != NULL)
		fprintf(out, "`%s`", key->fallback);
	else
		fputs(key->computed != NULL ? key->computed : "none", out);
	fprintf(out, " | %s | ", key->unit != NULL ? key->unit : "");
	print_cell(key->meaning, out);
	fputs(" |\n", out);
}

static void print_object(const struct config_object *object, const char *path, FILE *out)
{
	fprintf(out, "\n## %s%s%s\n\n%s\n", path[0] != '\0' ? "`" : "", path[0] != '\0' ? path : "The whole",
		path[0] != '\0' ? "`" : "", object->meaning);
	if (object->one_of[0] != NULL)
		fprintf(out, "It has either `%s` or `%s`.\n", object->one_of[0], object->one_of[1]);
	for (const struct config_key *key = object->keys; key->name != NULL; key++) {
		if (key->with != NULL)
			fprintf(out, "`%s` goes with `%s` only.\n", key->name, key->with);
	}
	fputs("\n| key | value | default | unit | meaning |\n| --- | --- | --- | --- | --- |\n", out);
	for (const struct config_key *key = object->keys; key->name != NULL; key++)
		print_key(key, out);
	for (const struct config_key *key = object->keys; key->name != NULL; key++) {
		const struct config_key *inner = key->alternative != NULL ? key->alternative : key;
		char inner_path[128];

		print_path(path, inner->name, inner->list, inner_path, sizeof(inner_path));
		if (inner->type == CONFIG_OBJECT)
			print_object(inner->object, inner_path, out);
	}
}

void config_print_manual(FILE *out)
{
	fputs(introduction, out);
	print_object(&config_top, "", out);
	fputs("\n## What must hold between the keys\n\n", out);
	for (const struct config_rule *rule = config_rules; rule->sentence != NULL; rule++)
		fprintf(out, "- %s\n", rule->sentence);
}
