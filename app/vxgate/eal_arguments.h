/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of DPDK's EAL, made from the configuration: nobody should have to write it. Pure. */
#pragma once

#include "base/log.h"
#include "management/config.h"

struct eal_settings {
	const struct config *config;
	bool hugepages; /* decided by hugepage_choose (hugepages.h) */
	enum log_level level;
	char **extra; /* what the user gave after "--" */
	int extra_count;
};

/* A null-terminated list, [0] the program's name; NULL with errno. The EAL may reorder it. */
char **eal_arguments_make(const struct eal_settings *settings, int *count);
void eal_arguments_free(char **arguments, int count);
