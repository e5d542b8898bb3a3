/* SPDX-License-Identifier: BSD-3-Clause */
/* From a checked configuration to what the slow path and its services are told. Needs no EAL. */
#pragma once

#include "management/config.h"
#include "slowpath/slowpath.h"

/* Fills in what the configuration says; free it once the slow path is made. 0 or -ENOMEM. */
int config_services_make(const struct config *config, struct slowpath_settings *settings);
void config_services_free(struct slowpath_settings *settings);
