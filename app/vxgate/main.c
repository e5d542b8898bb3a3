/* SPDX-License-Identifier: BSD-3-Clause */
/* vxgate: the daemon. Command line here; how it starts and stops: start_order.c. */
#include "base/log.h"
#include "management/config.h"
#include "port/device_string.h"
#include "vxgate/gateway.h"
#include <getopt.h>
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
	"      --check            say whether the configuration is right, and start nothing\n"
	"      --log-level LEVEL  error, warning, info (default) or debug\n"
	"      --print-schema     print the JSON Schema of a configuration\n"
	"      --print-manual     print the manual of all keys of a configuration, as Markdown\n"
	"  -h, --help             print this\n"
	"      --version          print the version\n"
	"\n"
	"What follows \"--\" goes to DPDK's EAL after what the configuration makes, and is rarely needed.\n"
	"Exit status: 0 stopped as asked, 1 could not start, 2 wrong configuration or command line.\n";

enum option_key { KEY_CHECK = 256, KEY_LOG_LEVEL, KEY_SCHEMA, KEY_MANUAL, KEY_VERSION };

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", no_argument, NULL, KEY_CHECK },
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

/* -1 to go on, else the exit status. */
static int command_line_read(int argc, char **argv, struct command_line *line)
{
	int key;

	while ((key = getopt_long(argc, argv, "+c:h", options, NULL)) != -1) {
		switch (key) {
		case 'c':
			line->config = optarg;
			break;
		case KEY_CHECK:
			line->check = true;
			break;
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
			puts("vxgate " VXGATE_VERSION);
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

/* What the parser cannot know: device strings and the lcore plan. One line on standard error for each. */
static bool config_can_start(const struct config *config)
{
	struct lcore_plan_port ports[PORT_MAX];
	struct device_string device;
	struct lcore_plan plan;
	char error[256];
	bool right = true;

	for (uint32_t i = 0; i < config->port_count; i++) {
		const struct config_port *port = &config->port[i];
		if (device_string_parse(port->device, &device) < 0) {
			fprintf(stderr,
				"%s: ports[%u].device: \"%s\"; a PCI address or a virtual device of DPDK is "
				"wanted, "
				"such as \"net_af_packet0,iface=eth0\"\n",
				config->file, i, port->device);
			right = false;
		}
		ports[i] = (struct lcore_plan_port){ port->name, 0, port->rx_queues, 1 };
	}
	if (lcore_plan_make(&config->lcores, ports, (uint16_t)config->port_count, false, &plan, error,
		    sizeof(error)) < 0) {
		fprintf(stderr, "%s: %s\n", config->file, error);
		right = false;
	}
	return right;
}

int main(int argc, char **argv)
{
	static struct gateway gateway;
	struct command_line line = { .level = LOG_INFO };
	struct config *config;
	int status = command_line_read(argc, argv, &line);

	if (status >= 0)
		return status;
	log_set_level(line.level);
	config = config_read(line.config, stderr);
	if (config == NULL || !config_can_start(config)) {
		config_free(config);
		return EXIT_CONFIGURATION;
	}
	if (line.check) {
		printf("%s: configuration is right\n", line.config);
		status = EXIT_SUCCESS;
	} else {
		gateway.config = config;
		gateway.eal_extra = argv + optind;
		gateway.eal_extra_count = argc - optind;
		status = gateway_run(&gateway);
	}
	config_free(config);
	return status;
}
