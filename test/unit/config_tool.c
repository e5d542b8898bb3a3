/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration code as a command, for tests that are scripts and for printing the files that come from the table:
 * config_tool schema | manual | check FILE... | print FILE */
#include "management/config.h"
#include <stdlib.h>
#include <string.h>

/* One line for each file: "good NAME" or "bad NAME", each error of a bad one before it. */
static int check(int count, char **files)
{
	int bad = 0;

	for (int i = 0; i < count; i++) {
		struct config *config = config_read(files[i], stdout);

		printf("%s %s\n", config != NULL ? "good" : "bad", files[i]);
		bad += config == NULL;
		config_free(config);
	}
	return bad == 0 ? 0 : 2;
}

static int print(const char *file)
{
	struct config *config = config_read(file, stderr);
	char *text = config != NULL ? config_to_json(config) : NULL;

	if (text != NULL)
		fputs(text, stdout);
	free(text);
	config_free(config);
	return text != NULL ? 0 : 2;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "schema") == 0)
		config_print_schema(stdout);
	else if (argc == 2 && strcmp(argv[1], "manual") == 0)
		config_print_manual(stdout);
	else if (argc >= 3 && strcmp(argv[1], "check") == 0)
		return check(argc - 2, argv + 2);
	else if (argc == 3 && strcmp(argv[1], "print") == 0)
		return print(argv[2]);
	else
		return 64;
	return 0;
}
