/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgatectl/options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL_DEFAULT_MS 1000
#define INTERVAL_MIN_S      0.1
#define INTERVAL_MAX_S      3600

void options_help(FILE *out)
{
	fputs("vxgatectl looks into a running vxgate.\n"
	      "\n"
	      "  vxgatectl [--name NAME | --socket PATH] show SUBJECT [KEY=VALUE ...] [--json] [--all]\n"
	      "  vxgatectl [--name NAME | --socket PATH] nat show SUBJECT [KEY=VALUE ...] [--json]\n"
	      "            bindings, sessions, pools, hosts, limits, log\n"
	      "  vxgatectl [--name NAME | --socket PATH] nat clear KEY=VALUE ... | --all\n"
	      "  vxgatectl [--name NAME | --socket PATH] nat who ADDRESS PORT [TIME] [--log FILE]\n"
	      "  vxgatectl [--name NAME | --socket PATH] top [--interval SECONDS] [--count N]\n"
	      "  vxgatectl list [--json]\n"
	      "\n"
	      "Subjects:\n",
		out);
	for (size_t i = 0; i < subject_count; i++) {
		const struct subject *subject = &subject_table[i];

		fprintf(out, "  %-14s %s\n", subject->name, subject->sentence);
		if (subject->filters[0] == NULL)
			continue;
		fprintf(out, "  %-14s   filters:", "");
		for (const char *const *filter = subject->filters; *filter != NULL; filter++)
			fprintf(out, " %s=", *filter);
		fputc('\n', out);
	}
	fputs("  Each list takes count=N, the most rows to print. inside=, outside= and remote= take "
	      "ADDRESS,\n"
	      "  ADDRESS:PORT or :PORT; segment= a name or a VNI; interface= the name of a port or a "
	      "segment.\n"
	      "\n"
	      "nat clear ends the sessions that match the filters of sessions. nat who says which inside "
	      "host has a\n"
	      "public address and port, or had it at a TIME such as 2024-05-01T12:34:56Z (from the log of "
	      "NAT).\n"
	      "\n"
	      "Options:\n"
	      "  --name NAME         which gateway; not needed when only one runs (vxgatectl list)\n"
	      "  --socket PATH       its telemetry socket, when it is in another place than usual\n"
	      "  --json              JSON instead of tables\n"
	      "  --all               drops that never happened too; nat clear: every session\n"
	      "  --log FILE          the log that nat who reads, for a rotated one\n"
	      "  --interval SECONDS  between two views of top; 1 where not given\n"
	      "  --count N           end top after so many views\n"
	      "  --help, --version\n"
	      "\n"
	      "top ends with q or Ctrl-C. Exit status: 0; 1 when the gateway could not be asked; 2 for wrong "
	      "usage.\n",
		out);
}

__attribute__((format(printf, 2, 3))) static int usage_error(FILE *errors, const char *format, ...)
{
	va_list arguments;

	fputs("vxgatectl: ", errors);
	va_start(arguments, format);
	vfprintf(errors, format, arguments);
	va_end(arguments);
	fputs("; see vxgatectl --help\n", errors);
	return -EINVAL;
}

static int count_parse(const char *text, uint64_t *count)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	*count = strtoull(text, &end, 10);
	return errno != 0 || *end != '\0' || *count == 0 ? -EINVAL : 0;
}

static int interval_parse(const char *text, unsigned *interval_ms)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0' || !(seconds >= INTERVAL_MIN_S && seconds <= INTERVAL_MAX_S))
		return -EINVAL;
	*interval_ms = (unsigned)(seconds * 1000 + 0.5);
	return 0;
}

static int filter_add(struct options *options, char *word, FILE *errors)
{
	char *value = strchr(word, '=');
	size_t length = strlen(options->filters);

	if (value == NULL || value == word || value[1] == '\0')
		return usage_error(errors, "'%s' is no filter KEY=VALUE", word);
	if (strchr(word, ',') != NULL)
		return usage_error(
			errors, "'%s': a filter has no comma; give several, with blanks between", word);
	*value = '\0';
	bool taken = subject_takes(options->subject, word), count = strcmp(word, "count") == 0;
	if (!taken) {
		int rc = usage_error(errors, "%s are not filtered by '%s'", options->subject->name, word);
		*value = '=';
		return rc;
	}
	*value = '=';
	if (count)
		return count_parse(value + 1, &options->count) == 0
			       ? 0
			       : usage_error(errors, "'%s': wanted a number of rows, 1 or more", word);
	int n = snprintf(options->filters + length, sizeof(options->filters) - length, "%s%s",
		length == 0 ? "" : ",", word);
	if ((size_t)n >= sizeof(options->filters) - length)
		return usage_error(errors, "the filters are too long");
	return 0;
}

static int show_parse(struct options *options, int count, char **word, FILE *errors)
{
	if (count == 0)
		return usage_error(errors, "show what?");
	options->subject = subject_find(word[0]);
	if (options->subject == NULL)
		return usage_error(errors, "there is no subject '%s' to show", word[0]);
	for (int i = 1; i < count; i++) {
		int rc = filter_add(options, word[i], errors);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int clear_parse(struct options *options, int count, char **word, FILE *errors)
{
	options->action = ACTION_CLEAR;
	options->subject = subject_find("sessions");
	for (int i = 0; i < count; i++) {
		int rc = filter_add(options, word[i], errors);
		if (rc != 0)
			return rc;
	}
	if (options->count != 0)
		return usage_error(errors, "nat clear takes no count");
	if (options->all == (options->filters[0] != '\0'))
		return usage_error(errors, options->all
						   ? "nat clear takes filters or --all, not both"
						   : "nat clear which sessions? KEY=VALUE ..., or --all");
	if (options->all)
		strcpy(options->filters, "all=1");
	return 0;
}

static int who_parse(struct options *options, int count, char **word, FILE *errors)
{
	struct in_addr address;
	uint64_t port;

	options->action = ACTION_WHO;
	if (count < 2 || count > 3)
		return usage_error(errors, "nat who wants ADDRESS PORT [TIME]");
	if (inet_pton(AF_INET, word[0], &address) != 1)
		return usage_error(errors, "'%s' is no IPv4 address", word[0]);
	if (count_parse(word[1], &port) != 0 || port > UINT16_MAX)
		return usage_error(errors, "'%s' is no port", word[1]);
	if (count == 3 && who_time_read(word[2], options->who_time) != 0)
		return usage_error(errors, "'%s' is no time such as 2024-05-01T12:34:56Z", word[2]);
	options->who.address = word[0];
	options->who.port = (unsigned)port;
	options->who.time = count == 3 ? options->who_time : NULL;
	options->who.json = options->json;
	return 0;
}

static int nat_parse(struct options *options, int count, char **word, FILE *errors)
{
	if (count == 0)
		return usage_error(errors, "nat what? show, clear or who");
	if (strcmp(word[0], "show") == 0) {
		options->action = ACTION_SHOW;
		return show_parse(options, count - 1, word + 1, errors);
	}
	if (strcmp(word[0], "clear") == 0)
		return clear_parse(options, count - 1, word + 1, errors);
	if (strcmp(word[0], "who") == 0)
		return who_parse(options, count - 1, word + 1, errors);
	return usage_error(errors, "there is no command 'nat %s'", word[0]);
}

static int command_parse(struct options *options, int count, char **word, FILE *errors)
{
	if (count == 0)
		return usage_error(errors, "a command is wanted: show, nat, top or list");
	if (strcmp(word[0], "nat") == 0)
		return nat_parse(options, count - 1, word + 1, errors);
	if (strcmp(word[0], "show") == 0) {
		options->action = ACTION_SHOW;
		return show_parse(options, count - 1, word + 1, errors);
	}
	if (strcmp(word[0], "top") == 0)
		options->action = ACTION_TOP;
	else if (strcmp(word[0], "list") == 0)
		options->action = ACTION_LIST;
	else
		return usage_error(errors, "there is no command '%s'", word[0]);
	if (count > 1)
		return usage_error(errors, "%s takes no '%s'", word[0], word[1]);
	return 0;
}

static int option_parse(struct options *options, int option, FILE *errors)
{
	switch (option) {
	case 'n':
		options->name = optarg;
		return 0;
	case 's':
		options->socket = optarg;
		return 0;
	case 'j':
		options->json = true;
		return 0;
	case 'a':
		options->all = true;
		return 0;
	case 'l':
		options->who.log = optarg;
		return 0;
	case 'i':
		if (interval_parse(optarg, &options->interval_ms) == 0)
			return 0;
		return usage_error(errors, "--interval %s: wanted seconds, %g to %d", optarg, INTERVAL_MIN_S,
			INTERVAL_MAX_S);
	case 'c':
		if (count_parse(optarg, &options->count) == 0)
			return 0;
		return usage_error(errors, "--count %s: wanted a number, 1 or more", optarg);
	default:
		return -EINVAL;
	}
}

int options_parse(struct options *options, int argc, char **argv, FILE *errors)
{
	static const struct option long_options[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "all", no_argument, NULL, 'a' },
		{ "log", required_argument, NULL, 'l' },
		{ "interval", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*options = (struct options){ .interval_ms = INTERVAL_DEFAULT_MS };
	if (argc > 1 && strcmp(argv[1], "complete") == 0) {
		options->action = ACTION_COMPLETE;
		options->word = argv + 2;
		options->word_count = argc - 2;
		return 0;
	}
	optind = 0; /* so that a test can parse twice */
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (option == 'h' || option == 'V') {
			options->action = option == 'h' ? ACTION_HELP : ACTION_VERSION;
			return 0;
		}
		if (option == ':')
			return usage_error(errors, "%s needs a value", argv[optind - 1]);
		if (option == '?')
			return usage_error(errors, "%s is no option", argv[optind - 1]);
		int rc = option_parse(options, option, errors);
		if (rc != 0)
			return rc;
	}
	if (options->name != NULL && options->socket != NULL)
		return usage_error(errors, "--name and --socket exclude each other");
	return command_parse(options, argc - optind, argv + optind, errors);
}
