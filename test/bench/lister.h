/* SPDX-License-Identifier: BSD-3-Clause */
/* Somebody who lists all sessions, over and over, with the code of vxgatectl: over the telemetry socket, as JSON, into
 * nowhere, and on other CPUs than that of the caller. Exits on failure. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct lister { /* start with zeros */
	pthread_t thread;
	_Atomic bool stop;
	uint64_t lists, ns; /* that were done, and how long they took together */
};

void lister_start(struct lister *lister);
void lister_stop(struct lister *lister); /* waits for the end of the list */
