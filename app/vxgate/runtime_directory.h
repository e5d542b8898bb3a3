/* SPDX-License-Identifier: BSD-3-Clause */
/* The EAL's run-time directory (/var/run/dpdk/vxgate-NAME): locks, shared tables, the telemetry socket. */
#pragma once

#include <sys/types.h>

/* The process that runs with our name, or 0. Also after an rte_eal_init that failed for it. */
pid_t runtime_directory_holder(void);
/* Removes it with all in it: the EAL leaves it behind. After rte_eal_cleanup. */
void runtime_directory_remove(void);
