/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/doorbell.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>

static bool rung(const struct doorbell *bell, int timeout_ms)
{
	struct pollfd entry = { .fd = bell->fd, .events = POLLIN };

	return poll(&entry, 1, timeout_ms) == 1;
}

Test(doorbell, ringing_a_sleeper_wakes_it)
{
	struct doorbell bell;

	cr_assert_eq(doorbell_open(&bell, true), 0);
	doorbell_arm(&bell);
	cr_assert_not(rung(&bell, 0));
	doorbell_ring(&bell);
	cr_assert(rung(&bell, 0));
	doorbell_disarm(&bell);
	cr_assert_not(rung(&bell, 0), "disarming empties it, or the next sleep would end at once");
	doorbell_close(&bell);
}

Test(doorbell, ringing_somebody_awake_makes_no_system_call)
{
	struct doorbell bell;

	cr_assert_eq(doorbell_open(&bell, true), 0);
	doorbell_ring(&bell);
	cr_assert_not(rung(&bell, 0));
	doorbell_close(&bell);
}

Test(doorbell, a_lcore_that_polls_has_none)
{
	struct doorbell bell;

	cr_assert_eq(doorbell_open(&bell, false), 0);
	cr_assert_eq(bell.fd, -1);
	doorbell_arm(&bell);
	doorbell_ring(&bell);
	doorbell_disarm(&bell);
	doorbell_close(&bell);
	doorbell_ring(NULL);
}

#define DELIVERIES 20000

struct mailbox {
	struct doorbell bell;
	_Atomic unsigned delivered;
};

static void *deliver(void *argument)
{
	struct mailbox *box = argument;

	for (unsigned i = 0; i < DELIVERIES; i++) {
		atomic_fetch_add_explicit(&box->delivered, 1, memory_order_relaxed);
		doorbell_ring(&box->bell);
	}
	return NULL;
}

Test(doorbell, no_delivery_is_slept_through, .timeout = 60)
{
	struct mailbox box = { .delivered = 0 };
	pthread_t thread;
	unsigned seen = 0;

	cr_assert_eq(doorbell_open(&box.bell, true), 0);
	cr_assert_eq(pthread_create(&thread, NULL, deliver, &box), 0);
	while (seen < DELIVERIES) {
		doorbell_arm(&box.bell);
		unsigned now = atomic_load_explicit(&box.delivered, memory_order_relaxed);
		if (now == seen)
			cr_assert(rung(&box.bell, 20000), "asleep with a delivery waiting at %u", seen);
		doorbell_disarm(&box.bell);
		seen = atomic_load_explicit(&box.delivered, memory_order_relaxed);
	}
	pthread_join(thread, NULL);
	doorbell_close(&box.bell);
}
