/* SPDX-License-Identifier: BSD-3-Clause */
/* Wakes a lcore that sleeps because its rings and queues were empty. Whoever puts something on a ring of a lcore
 * rings its doorbell; that costs a fence and a load, and a system call only when the other really sleeps.
 *
 * The sleeper: doorbell_arm, look at all rings once more, sleep on the file descriptor, doorbell_disarm. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct doorbell {
	_Atomic bool armed; /* written by the sleeper and by whoever wakes it */
	bool enabled;       /* false for a lcore that polls: ringing is then free */
	int fd;             /* an eventfd, or -1 */
} __attribute__((aligned(64)));

int doorbell_open(struct doorbell *bell, bool enabled); /* 0 or -errno */
void doorbell_close(struct doorbell *bell);
void doorbell_arm(struct doorbell *bell);
void doorbell_disarm(struct doorbell *bell); /* and empty the eventfd */
void doorbell_wake(struct doorbell *bell);   /* the slow half of doorbell_ring */

static inline void doorbell_ring(struct doorbell *bell)
{
	if (bell == NULL || !bell->enabled)
		return;
	/* The store to the ring must be seen before the flag is read, or the last look of the sleeper and this
	 * read could miss each other. */
	atomic_thread_fence(memory_order_seq_cst);
	if (__builtin_expect(atomic_load_explicit(&bell->armed, memory_order_relaxed), 0))
		doorbell_wake(bell);
}
