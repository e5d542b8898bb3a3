/* SPDX-License-Identifier: BSD-3-Clause */
/* A running gateway: everything that start_order.c makes, in that order, and takes down in reverse. Written by the
 * management lcore. */
#pragma once

#include "base/doorbell.h"
#include "management/config_apply.h"
#include "management/steering.h"
#include "port/port.h"
#include "slowpath/slowpath.h"
#include "vxgate/lcore_plan.h"
#include <stdatomic.h>

struct nat_log;
struct packet_lcore;

struct gateway {
	const struct config *config;
	char **eal_extra; /* what the user gave after "--" */
	int eal_extra_count;
	uint64_t started_ns;

	_Atomic int stop_signal; /* by the signal handler; 0: go on */
	struct doorbell management_doorbell;
	char **eal_arguments;
	int eal_argument_count;
	bool eal_runs;
	struct rte_mempool *packet_pool, *control_pool;
	bool sleeps; /* packet lcores that find nothing to do */
	struct port port[PORT_MAX];
	struct port_facts facts[PORT_MAX];
	uint16_t ports_started;
	struct lcore_plan plan;
	struct steering steering;
	struct data_plane *plane;
	struct packet_path *path;
	struct slowpath_channel *channels;
	struct slowpath *slowpath;
	struct nat_log *nat_log;
	struct packet_lcore *lcores; /* [path->count] */
	uint16_t lcores_launched;
	_Atomic bool lcores_stop;
};

static inline bool gateway_stopping(struct gateway *gateway)
{
	return atomic_load_explicit(&gateway->stop_signal, memory_order_relaxed) != 0;
}

/* Starts, runs until a signal, stops. The exit status of the process. */
int gateway_run(struct gateway *gateway);

/* May this process use the CPUs of the lcores here? 0, or -EINVAL with a sentence that starts with the JSON path. */
int cpus_check(const struct config_lcores *lcores, char *error, size_t size);

/* packet_pools.c: 0 or -errno, logged. */
int packet_pools_create(struct gateway *gateway);
void packet_pools_free(struct gateway *gateway);

/* packet_lcore.c: launches one thread of the EAL for each context. */
int packet_lcores_start(struct gateway *gateway);
void packet_lcores_stop(struct gateway *gateway);

/* management_lcore.c: returns when a signal says to stop. */
void management_lcore_run(struct gateway *gateway);

/* dpdk_log.c: DPDK's own messages, as lines of our log. */
int dpdk_log_start(void);

/* service_notice.c: tells systemd (sd_notify protocol) where there is one. */
void service_notice(const char *state);
