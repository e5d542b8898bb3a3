/* SPDX-License-Identifier: BSD-3-Clause */
#include "lister.h"

#include "base/clock.h"
#include "vxgatectl/show.h"
#include <rte_debug.h>
#include <rte_eal.h>
#include <sched.h>
#include <stdlib.h>

static void list_all(struct lister *lister, struct telemetry_client *client, FILE *nowhere)
{
	const struct show_request request = { .subject = subject_find("sessions"), .json = true };
	uint64_t start = clock_now_ns();

	if (show_subject(client, &request, nowhere) != 0)
		rte_exit(EXIT_FAILURE, "sessions cannot be listed: %s\n", client->error);
	lister->ns += clock_now_ns() - start;
	lister->lists++;
}

static void *lister_main(void *argument)
{
	struct lister *lister = argument;
	FILE *nowhere = fopen("/dev/null", "w");
	struct telemetry_client client;
	char path[160];

	snprintf(path, sizeof(path), "%s/dpdk_telemetry.v2", rte_eal_get_runtime_dir());
	if (nowhere == NULL || client_open(&client, path, CLIENT_TIMEOUT_MS) != 0)
		rte_exit(EXIT_FAILURE, "no telemetry: %s\n", client.error);
	do
		list_all(lister, &client, nowhere);
	while (!lister->stop);
	client_close(&client);
	fclose(nowhere);
	return NULL;
}

void lister_start(struct lister *lister)
{
	int here = sched_getcpu();
	cpu_set_t others;

	CPU_ZERO(&others);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (cpu != here)
			CPU_SET(cpu, &others);
	lister->stop = false;
	if (pthread_create(&lister->thread, NULL, lister_main, lister) != 0)
		rte_exit(EXIT_FAILURE, "no thread to list sessions\n");
	pthread_setaffinity_np(lister->thread, sizeof(others), &others);
}

void lister_stop(struct lister *lister)
{
	lister->stop = true;
	pthread_join(lister->thread, NULL);
}
