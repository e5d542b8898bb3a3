/* SPDX-License-Identifier: BSD-3-Clause */
/* The settings of NAT out of a checked configuration. */
#pragma once

#include "management/config.h"
#include "table/nat.h"

struct config_nat_settings {
	struct nat_settings settings; /* points to what follows, and into the configuration */
	struct nat_pool_range *range;
	struct nat_pool_settings *pool;
	struct nat_source_settings *source;
	struct nat_static_settings *binding;
	struct nat_forward_settings *forward;
	struct nat_bypass_settings *bypass;
};

/* 0 or -ENOMEM. For `owners` lcores that own sessions. */
int config_nat_settings_make(const struct config *config, uint16_t owners, struct config_nat_settings *made);
void config_nat_settings_free(struct config_nat_settings *made);
