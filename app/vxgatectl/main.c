/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgatectl/complete.h"
#include "vxgatectl/instances.h"
#include "vxgatectl/options.h"
#include "vxgatectl/show.h"
#include "vxgatectl/top.h"
#include <stdio.h>
#include <stdlib.h>

enum { STATUS_FAILED = 1, STATUS_USAGE = 2 };

static int gateway_ask(const struct options *options)
{
	struct instance instance;
	struct telemetry_client client;
	const char *socket = options->socket;
	char error[1024];

	if (socket == NULL) {
		if (instance_choose(options->name, &instance, error, sizeof(error)) != 0) {
			fprintf(stderr, "vxgatectl: %s\n", error);
			return STATUS_FAILED;
		}
		socket = instance.socket;
	}
	int rc = client_open(&client, socket, CLIENT_TIMEOUT_MS);
	if (rc == 0 && options->action == ACTION_TOP)
		rc = top_run(&client, &(struct top_request){ options->interval_ms, options->count });
	else if (rc == 0 && options->action == ACTION_CLEAR)
		rc = nat_clear(&client, options->filters, options->json, stdout);
	else if (rc == 0 && options->action == ACTION_WHO)
		rc = nat_who(&client, &options->who, stdout);
	else if (rc == 0)
		rc = show_subject(&client,
			&(struct show_request){ options->subject, options->filters, options->count,
				options->all, options->json },
			stdout);
	if (rc != 0)
		fprintf(stderr, "vxgatectl: %s\n", client.error[0] != '\0' ? client.error : "out of memory");
	client_close(&client);
	return rc == 0 ? EXIT_SUCCESS : STATUS_FAILED;
}

int main(int argc, char **argv)
{
	struct options options;

	if (options_parse(&options, argc, argv, stderr) != 0)
		return STATUS_USAGE;
	switch (options.action) {
	case ACTION_HELP:
		options_help(stdout);
		return EXIT_SUCCESS;
	case ACTION_VERSION:
		printf("vxgatectl %s\n", VXGATE_VERSION);
		return EXIT_SUCCESS;
	case ACTION_COMPLETE:
		complete_print(options.word, options.word_count, stdout);
		return EXIT_SUCCESS;
	case ACTION_LIST:
		return show_instances(options.json, stdout) == 0 ? EXIT_SUCCESS : STATUS_FAILED;
	case ACTION_SHOW:
	case ACTION_CLEAR:
	case ACTION_WHO:
	case ACTION_TOP:
		return gateway_ask(&options);
	}
	return STATUS_USAGE;
}
