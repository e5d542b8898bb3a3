/* SPDX-License-Identifier: BSD-3-Clause */
/* The gateways that run on this machine, by their telemetry sockets. */
#pragma once

#include <stddef.h>

struct instance {
	char name[64];
	char socket[108]; /* path */
};

/* Those that a client can connect to, by name, at most `max`; how many there are. */
size_t instances_find(struct instance *found, size_t max);

/* The one that is meant: by name, or with NULL the only one that runs. 0, or -ENOENT with a sentence in `error`. */
int instance_choose(const char *name, struct instance *chosen, char *error, size_t error_size);
