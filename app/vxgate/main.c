/* SPDX-License-Identifier: BSD-3-Clause */
/* vxgate: the daemon. Command line here; how it starts and stops: start_order.c. */
#include "base/cpu_flag.h"
#include "base/log.h"
#include "management/config_check.h"
#include "port/device_string.h"
#include "stage/fast_path_level.h"
#include "vxgate/gateway.h"
#include "vxgate/memory_check.h"
#include <getopt.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_CONFIGURATION 2

static const char usage[] =
	"Usage: vxgate --config FILE [OPTION]... [-- EAL OPTION...]\n"
	"\n"
	"The gateway of VXLAN segments: their default gateway and their NAT, on DPDK.\n"
	"\n"
	"  -c, --config FILE      run with this configuration\n"
	"      --check            say whether the configuration is right, and start nothing; what this "
	"machine\n"
	"                         lacks for it is a note and no error, so the exit status is 0 all the same\n"
	"      --isa LEVEL        run the fast path for this instruction set (as --version lists them), not\n"
	"                         the one that is best for the CPU\n"
	"      --log-level LEVEL  error, warning, info (default) or debug\n"
	"      --print-schema     print the JSON Schema of a configuration\n"
	"      --print-manual     print the manual of all keys of a configuration, as Markdown\n"
	"  -h, --help             print this\n"
	"      --version          print the version and the instruction sets that it has code for\n"
	"\n"
	"What follows \"--\" goes to DPDK's EAL after what the configuration makes, and is rarely needed.\n"
	"Exit status: 0 stopped as asked or found right, 1 could not start, 2 wrong configuration or command "
	"line.\n";

enum option_key { KEY_CHECK = 256, KEY_ISA, KEY_LOG_LEVEL, KEY_SCHEMA, KEY_MANUAL, KEY_VERSION };

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", no_argument, NULL, KEY_CHECK },
	{ "isa", required_argument, NULL, KEY_ISA },
	{ "log-level", required_argument, NULL, KEY_LOG_LEVEL },
	{ "print-schema", no_argument, NULL, KEY_SCHEMA },
	{ "print-manual", no_argument, NULL, KEY_MANUAL },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, KEY_VERSION },
	{ NULL, 0, NULL, 0 },
};

struct command_line {
	const char *config;
	bool check;
	enum log_level level;
};

static int wrong_usage(void)
{
	fputs("Try: vxgate --help\n", stderr);
	return EXIT_CONFIGURATION;
}

static void print_version(void)
{
	char text[CPU_FLAGS_TEXT_MAX];

	puts("vxgate " VXGATE_VERSION);
	for (const struct fast_path_level *const *at = fast_path_levels; *at != NULL; at++) {
		uint32_t lacking = (*at)->needs & ~cpu_flags();

		printf("fast path for %s: %s%s\n", (*at)->name,
			*at == fast_path_level() ? "runs here"
			: lacking == 0           ? "not used here"
						 : "this CPU lacks ",
			cpu_flags_text(lacking, text));
	}
}

/* -1 to go on, else the exit status. */
static int command_line_read(int argc, char **argv, struct command_line *line)
{
	char error[CPU_FLAGS_TEXT_MAX + 64];
	int key;

	while ((key = getopt_long(argc, argv, "+c:h", options, NULL)) != -1) {
		switch (key) {
		case 'c':
			line->config = optarg;
			break;
		case KEY_CHECK:
			line->check = true;
			break;
		case KEY_ISA:
			if (fast_path_level_use(optarg, error, sizeof(error)) == 0)
				break;
			fprintf(stderr, "vxgate: --isa %s: %s\n", optarg, error);
			return wrong_usage();
		case KEY_LOG_LEVEL:
			if (log_level_from_name(optarg, &line->level) == 0)
				break;
			fprintf(stderr, "vxgate: --log-level %s: error, warning, info or debug is wanted\n",
				optarg);
			return wrong_usage();
		case KEY_SCHEMA:
			config_print_schema(stdout);
			return EXIT_SUCCESS;
		case KEY_MANUAL:
			config_print_manual(stdout);
			return EXIT_SUCCESS;
		case KEY_VERSION:
			print_version();
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			return wrong_usage();
		}
	}
	if (optind < argc && strcmp(argv[optind - 1], "--") != 0) {
		fprintf(stderr, "vxgate: \"%s\": options of DPDK's EAL come after \"--\"\n", argv[optind]);
		return wrong_usage();
	}
	if (line->config == NULL) {
		fputs("vxgate: no configuration is given: --config FILE\n", stderr);
		return wrong_usage();
	}
	return -1;
}

static void check_devices(const struct config *config, struct config_document *document)
{
	struct device_string device;

	for (uint32_t i = 0; i < config->port_count; i++) {
		const char *path = CONFIG_PATH("ports[%u].device", i), *text = config->port[i].device;
		char quoted[CONFIG_QUOTE_TEXT];

		if (!config_has_error(document, path) && device_string_parse(text, &device) < 0)
			config_error_at(document, path,
				"%s; want a PCI address or a virtual device of DPDK with what it opens, such "
				"as "
				"\"net_af_packet0,iface=eth0\"",
				config_quote(text, strlen(text), quoted));
	}
}

static void check_lcore_plan(const struct config *config, struct config_document *document)
{
	struct lcore_plan_port ports[PORT_MAX];
	struct lcore_plan plan;
	char error[256], *sentence;

	if (config_has_error(document, "lcores") || config_has_error(document, "ports"))
		return;
	for (uint32_t i = 0; i < config->port_count; i++)
		ports[i] = (struct lcore_plan_port){ config->port[i].name, 0, config->port[i].rx_queues, 1 };
	if (lcore_plan_make(&config->lcores, ports, (uint16_t)config->port_count, false, &plan, error,
		    sizeof(error)) == 0)
		return;
	sentence = strstr(error, ": "); /* behind its JSON path */
	*sentence = '\0';
	config_error_at(document, error, "%s", sentence + 2);
}

/* What only the application knows. The first one is about the machine: not for a mere check. */
static const struct config_rule rules[] = {
	{ "The machine has the memory.", memory_check_machine },
	{ "A device is a PCI address or a virtual device of DPDK, with what it opens.", check_devices },
	{ "The lcores make a plan.", check_lcore_plan },
	{ "The memory that is granted holds everything.", memory_check_granted },
	{ NULL, NULL },
};

/* What would keep it from starting on this machine, a line each. Returns how many. */
static unsigned start_notes(const struct config *config)
{
	struct device_string device;
	char error[MEMORY_LACK_TEXT] = "", path[MEMORY_LACK_PATH];
	unsigned count = 0;

	if (memory_machine_lacks(config, path, sizeof(path), error, sizeof(error))) {
		printf("%s: note: would not start here: %s: %s\n", config->file, path, error);
		count++;
	}
	error[0] = '\0';
	for (uint32_t i = 0; i < config->port_count; i++)
		if (device_string_parse(config->port[i].device, &device) == 0 &&
			device.interface[0] != '\0' && if_nametoindex(device.interface) == 0) {
			printf("%s: note: would not start here: ports[%u].device: there is no interface "
			       "\"%s\" here\n",
				config->file, i, device.interface);
			count++;
		}
	if (cpus_check(&config->lcores, error, sizeof(error)) < 0) {
		printf("%s: note: would not start here: %s\n", config->file, error);
		count++;
	}
	return count;
}

/* A configuration may be right and meant for another machine: so what only this one lacks does not change the status. */
static void check_say(const struct config *config)
{
	unsigned notes = start_notes(config);

	if (notes == 0)
		printf("%s: configuration is right\n", config->file);
	else
		printf("%s: configuration is right, but would not start on this machine as it is now (%u "
		       "%s)\n",
			config->file, notes, notes == 1 ? "note" : "notes");
}

/* Without this a program for another CPU dies of an illegal instruction, which says nothing. */
static bool cpu_is_right(void)
{
	uint32_t lacking = CPU_FLAGS_COMPILED & ~cpu_flags();
	char text[CPU_FLAGS_TEXT_MAX];

	if (lacking == 0)
		return true;
	fprintf(stderr,
		"vxgate: it is built for a CPU with %s, which this one lacks; meson's option -Dcpu=portable "
		"builds it for any\n",
		cpu_flags_text(lacking, text));
	return false;
}

static __attribute__((noinline)) int run(int argc, char **argv)
{
	static struct gateway gateway;
	struct command_line line = { .level = LOG_INFO };
	struct config *config;
	int status = command_line_read(argc, argv, &line);

	if (status >= 0)
		return status;
	log_set_level(line.level);
	config = config_read_by(line.config, line.check ? rules + 1 : rules, stderr);
	if (config == NULL)
		return EXIT_CONFIGURATION;
	if (line.check) {
		check_say(config);
		status = EXIT_SUCCESS;
	} else {
		config->memory_mib = memory_mib(config);
		gateway.config = config;
		gateway.eal_extra = argv + optind;
		gateway.eal_extra_count = argc - optind;
		status = gateway_run(&gateway);
	}
	config_free(config);
	return status;
}

/* What the CPU may lack is used in functions that are called after it is known. */
int main(int argc, char **argv)
{
	return cpu_is_right() ? run(argc, argv) : EXIT_FAILURE;
}
