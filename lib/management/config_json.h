/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON for people: two spaces a level, and on one line what fits there. */
#pragma once

#include <cjson/cJSON.h>
#include <stdio.h>

void config_json_print(const cJSON *node, FILE *out);
