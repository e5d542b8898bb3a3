/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgatectl/complete.h"

#include "vxgatectl/instances.h"
#include "vxgatectl/subjects.h"
#include "vxgatectl/telemetry_client.h"
#include <stdbool.h>
#include <string.h>

#define INSTANCES_MAX 64
#define TIMEOUT_MS    1000

struct line {               /* what is known of the unfinished line */
	const char *typed;  /* its last word */
	const char *before; /* the word before that, or "" */
	const char *name, *socket;
	const char *command;
	bool nat; /* "nat" stands before the command */
	const struct subject *subject;
};

static bool option_takes_value(const char *word)
{
	return strcmp(word, "--name") == 0 || strcmp(word, "--socket") == 0 ||
	       strcmp(word, "--interval") == 0 || strcmp(word, "--log") == 0 || strcmp(word, "--count") == 0;
}

static void line_read(struct line *line, char **word, int count)
{
	*line = (struct line){ .typed = word[count - 1], .before = count > 1 ? word[count - 2] : "" };
	for (int i = 0; i + 1 < count; i++) {
		if (option_takes_value(word[i]) && i + 2 < count) {
			if (strcmp(word[i], "--name") == 0)
				line->name = word[i + 1];
			if (strcmp(word[i], "--socket") == 0)
				line->socket = word[i + 1];
			i++;
		} else if (word[i][0] == '-') {
			continue;
		} else if (line->command == NULL && !line->nat && strcmp(word[i], "nat") == 0) {
			line->nat = true;
		} else if (line->command == NULL) {
			line->command = word[i];
			if (line->nat && strcmp(word[i], "clear") == 0)
				line->subject = subject_find("sessions");
		} else if (line->subject == NULL) {
			line->subject = subject_find(word[i]);
		}
	}
}

/* Prints `text` and `suffix` when what was typed is the start of them. */
static void candidate(const struct line *line, const char *text, const char *suffix, FILE *out)
{
	size_t typed = strlen(line->typed), length = strlen(text);
	size_t common = typed < length ? typed : length;

	if (strncmp(text, line->typed, common) == 0 &&
		strncmp(suffix, line->typed + common, typed - common) == 0)
		fprintf(out, "%s%s\n", text, suffix);
}

struct names {
	const struct line *line;
	const char *key; /* "segment" */
	FILE *out;
};

static bool name_take(void *argument, cJSON *row)
{
	struct names *names = argument;
	const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "name"));
	char text[128];

	if (name != NULL) {
		snprintf(text, sizeof(text), "%s=%s", names->key, name);
		candidate(names->line, text, "", names->out);
	}
	return true;
}

/* The names of segments, or of ports and segments, that the gateway has. */
static void names_print(const struct line *line, const char *key, bool ports, FILE *out)
{
	struct names names = { line, key, out };
	struct telemetry_client client;
	struct instance instance;
	const char *socket = line->socket;
	char error[256];

	if (socket == NULL && instance_choose(line->name, &instance, error, sizeof(error)) == 0)
		socket = instance.socket;
	if (socket == NULL)
		return;
	if (client_open(&client, socket, TIMEOUT_MS) == 0) {
		client_list(&client, "/vxgate/segments", "segments", NULL, name_take, &names);
		if (ports)
			client_list(&client, "/vxgate/ports", "ports", NULL, name_take, &names);
	}
	client_close(&client);
}

static void filters_print(const struct line *line, FILE *out)
{
	static const char *const protocol[] = { "protocol=tcp", "protocol=udp", "protocol=icmp" },
				 *const kind[] = { "kind=dynamic", "kind=static", "kind=forward" };

	if (strncmp(line->typed, "protocol=", 9) == 0)
		for (size_t i = 0; i < 3; i++)
			candidate(line, protocol[i], "", out);
	else if (strncmp(line->typed, "kind=", 5) == 0)
		for (size_t i = 0; i < 3; i++)
			candidate(line, kind[i], "", out);
	else if (strncmp(line->typed, "segment=", 8) == 0)
		names_print(line, "segment", false, out);
	else if (strncmp(line->typed, "interface=", 10) == 0)
		names_print(line, "interface", true, out);
	if (strchr(line->typed, '=') != NULL)
		return;
	for (const char *const *filter = line->subject->filters; *filter != NULL; filter++)
		candidate(line, *filter, "=", out);
	if (line->subject->shape == SUBJECT_LIST)
		candidate(line, "count", "=", out);
}

static void options_print(const struct line *line, FILE *out)
{
	static const struct {
		const char *option, *command; /* NULL: any */
	} known[] = { { "--name", NULL }, { "--socket", NULL }, { "--json", "show" }, { "--json", "list" },
		{ "--all", "show" }, { "--all", "clear" }, { "--log", "who" }, { "--json", "clear" },
		{ "--json", "who" }, { "--interval", "top" }, { "--count", "top" }, { "--help", NULL },
		{ "--version", NULL } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		bool fits = known[i].command == NULL ||
			    (line->command != NULL && strcmp(line->command, known[i].command) == 0);
		if (fits)
			candidate(line, known[i].option, "", out);
	}
}

static void instances_print(const struct line *line, FILE *out)
{
	struct instance found[INSTANCES_MAX];
	size_t count = instances_find(found, INSTANCES_MAX);

	for (size_t i = 0; i < count; i++)
		candidate(line, found[i].name, "", out);
}

void complete_print(char **word, int count, FILE *out)
{
	struct line line;

	if (count == 0)
		return;
	line_read(&line, word, count);
	if (strcmp(line.before, "--name") == 0) {
		instances_print(&line, out);
	} else if (option_takes_value(line.before)) {
		return;
	} else if (line.typed[0] == '-') {
		options_print(&line, out);
	} else if (line.command == NULL && line.nat) {
		candidate(&line, "show", "", out);
		candidate(&line, "clear", "", out);
		candidate(&line, "who", "", out);
	} else if (line.command == NULL) {
		candidate(&line, "show", "", out);
		candidate(&line, "nat", "", out);
		candidate(&line, "top", "", out);
		candidate(&line, "list", "", out);
	} else if (strcmp(line.command, "show") == 0 && line.subject == NULL) {
		for (size_t i = 0; i < subject_count; i++)
			candidate(&line, subject_table[i].name, "", out);
	} else if (line.subject != NULL) {
		filters_print(&line, out);
	}
}
