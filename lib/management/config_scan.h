/* SPDX-License-Identifier: BSD-3-Clause */
/* A strict look over JSON text (RFC 8259): cJSON tells no position of what it reads, says little about what is wrong,
 * and takes some texts that are not JSON. This finds the position of every value, and the first syntax error. */
#pragma once

#include "management/config_error.h"

#define CONFIG_DEPTH_MAX 32                  /* objects and lists within each other */
#define CONFIG_SIZE_MAX  (16u * 1024 * 1024) /* bytes of text */

struct config_offset {
	size_t key; /* of the key's quote; of the value where there is no key */
	size_t value;
};

/* All values of the text in the order in which they start: a list or object before what is in it. */
struct config_offsets {
	struct config_offset *list;
	size_t count, capacity;
};

/* Scans errors->text. False when there was an error, which is then among the errors. Free offsets->list either way. */
bool config_scan(struct config_errors *errors, struct config_offsets *offsets);
