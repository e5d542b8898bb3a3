/* SPDX-License-Identifier: BSD-3-Clause */
/* Which stages run on which lcore and which queues each serves, from the configuration and from what the ports got.
 * Pure: the same input makes the same plan. */
#pragma once

#include "management/config.h"
#include "stage/packet_path.h"
#include <stddef.h>

/* Two lcores may share a CPU: a ring holds what comes in while the other has its time slice. */
#define LCORE_RING_SIZE 2048u

struct lcore_plan_port { /* in the order of the configuration */
	const char *name;
	uint16_t device;
	uint16_t rx_queues, tx_queues;
};

/* How many lcores will send, so how many TX queues to ask of a port. */
uint16_t lcore_plan_senders(const struct config_lcores *lcores);

/* 0 or -EINVAL with a sentence in `error`, starting with the JSON path. */
int lcore_plan_make(const struct config_lcores *lcores, const struct lcore_plan_port *ports,
	uint16_t port_count, bool sleeps, struct lcore_plan *plan, char *error, size_t size);

/* How many lcores own sessions. */
uint16_t lcore_plan_owners(const struct lcore_plan *plan);

/* The plan as an aligned table, one line a lcore; free it. NULL with errno. */
char *lcore_plan_table(const struct lcore_plan *plan, const struct lcore_plan_port *ports);
