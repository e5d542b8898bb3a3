/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/doorbell.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int doorbell_open(struct doorbell *bell, bool enabled)
{
	atomic_init(&bell->armed, false);
	bell->enabled = enabled;
	bell->fd = -1;
	if (!enabled)
		return 0;
	bell->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return bell->fd < 0 ? -errno : 0;
}

void doorbell_close(struct doorbell *bell)
{
	if (bell->fd >= 0)
		close(bell->fd);
	bell->fd = -1;
	bell->enabled = false;
}

void doorbell_arm(struct doorbell *bell)
{
	atomic_store_explicit(&bell->armed, true, memory_order_relaxed);
	/* The other half of the fence in doorbell_ring: the flag must be seen before the sleeper looks again. */
	atomic_thread_fence(memory_order_seq_cst);
}

void doorbell_disarm(struct doorbell *bell)
{
	uint64_t rings;

	atomic_store_explicit(&bell->armed, false, memory_order_relaxed);
	/* Always, not only when rung: a waker may have taken the flag in the last sleep and write only now. Such a
	 * late write costs one needless wake-up; left unread it would cost every sleep from here on. */
	if (bell->fd >= 0 && read(bell->fd, &rings, sizeof(rings)) < 0)
		return; /* EAGAIN: nobody rang */
}

void doorbell_wake(struct doorbell *bell)
{
	const uint64_t one = 1;

	/* Of several that ring at once, one makes the system call. */
	if (!atomic_exchange_explicit(&bell->armed, false, memory_order_acq_rel))
		return;
	if (write(bell->fd, &one, sizeof(one)) < 0)
		return; /* EAGAIN: the counter is full, so the sleeper wakes all the same */
}
