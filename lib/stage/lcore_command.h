/* SPDX-License-Identifier: BSD-3-Clause */
/* A question to a packet lcore about state that it alone owns (sessions): the lcore runs `step` once each loop, a
 * small slice at a time, until it says that it is done. One command at a time and lcore; callers serialise. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

struct lcore_context;

struct lcore_command {
	/* On the packet lcore: do a bounded slice of work; true when done. */
	bool (*step)(struct lcore_context *context, void *argument);
	void *argument;
	_Atomic bool done; /* release by the lcore */
};

/* Any other thread: hands the command over, waits for it; -ETIMEDOUT after a second (the command is withdrawn, and
 * the lcore will not touch it any more), -EBUSY when another one is under way. */
int lcore_command_run(struct lcore_context *context, struct lcore_command *command);
/* The packet lcore, once a loop. True when it did a slice of one. */
bool lcore_command_poll(struct lcore_context *context);
