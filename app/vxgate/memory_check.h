/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether the memory is enough, as errors of the configuration: before anything is allocated. */
#pragma once

#include "management/config_check.h"
#include "vxgate/hugepages.h"
#include "vxgate/memory_limit.h"

/* Rules (config_check.h): what needs more than `memory.mib` grants, or more than this machine has. */
void memory_check_granted(const struct config *config, struct config_document *document);
void memory_check_machine(const struct config *config, struct config_document *document);

/* The same of the machine as a sentence for people, behind `path`. False: it fits. */
bool memory_machine_lacks(const struct config *config, char *path, size_t path_size, char *text, size_t size);
/* The same of a machine with this memory. */
bool memory_lacks(const struct config *config, const struct hugepage_facts *facts, char *path,
	size_t path_size, char *text, size_t size);
#define MEMORY_LACK_PATH 128
#define MEMORY_LACK_TEXT (HUGEPAGE_REASON + 512)

/* memory.mib, which is what the gateway needs when it is not given. */
uint32_t memory_mib(const struct config *config);
