/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/lcore_command.h"
#include "base/clock.h"
#include "stage/lcore_context.h"
#include <errno.h>

#define WAIT_NS (1 * NS_PER_SECOND)

int lcore_command_run(struct lcore_context *context, struct lcore_command *command)
{
	const struct timespec nap = { .tv_nsec = 20 * NS_PER_US };
	struct lcore_command *none = NULL, *mine = command;
	uint64_t start = clock_now_ns();

	atomic_store(&command->done, false);
	if (!atomic_compare_exchange_strong(&context->command, &none, command))
		return -EBUSY;
	doorbell_ring(&context->doorbell);
	while (!atomic_load_explicit(&command->done, memory_order_acquire)) {
		/* Withdrawn only from the mailbox: while the lcore runs a slice, the mailbox is empty. */
		if (clock_now_ns() - start > WAIT_NS &&
			atomic_compare_exchange_strong(&context->command, &mine, NULL))
			return -ETIMEDOUT;
		mine = command;
		nanosleep(&nap, NULL);
	}
	return 0;
}

bool lcore_command_poll(struct lcore_context *context)
{
	struct lcore_command *command;

	if (likely(atomic_load_explicit(&context->command, memory_order_relaxed) == NULL))
		return false;
	command = atomic_exchange_explicit(&context->command, NULL, memory_order_acquire);
	if (command == NULL)
		return false;
	if (command->step(context, command->argument))
		atomic_store_explicit(&command->done, true, memory_order_release);
	else
		atomic_store_explicit(&context->command, command, memory_order_release);
	return true;
}
