/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "port/port.h"

/* Configures queues and offloads of the attached device and starts it. 0 or -errno, logged. */
int ethernet_device_start(struct port *port, const struct port_settings *settings, struct rte_mempool *pool);
void ethernet_device_stop(struct port *port);
