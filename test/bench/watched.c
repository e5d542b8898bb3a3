/* SPDX-License-Identifier: BSD-3-Clause */
#include "watched.h"

#include "base/clock.h"
#include "table/nat.h"
#include <pthread.h>
#include <rte_debug.h>
#include <sched.h>
#include <stdatomic.h>

#define VIEWS       32
#define RECORDS     4096
#define ROUNDS_MOST 256

struct watcher {
	const struct nat_owner *owner;
	pthread_t thread;
	_Atomic bool stop;
	uint64_t looks, sessions, ns;
};

static void *watcher_main(void *argument)
{
	struct watcher *watcher = argument;
	struct nat_session_view view[VIEWS];

	while (!watcher->stop) {
		uint64_t start = clock_now_ns();
		uint32_t cursor = 0;

		while (cursor != UINT32_MAX)
			watcher->sessions +=
				nat_owner_sessions(watcher->owner, &cursor, NULL, view, VIEWS, RECORDS, 0);
		watcher->ns += clock_now_ns() - start;
		watcher->looks++;
	}
	return NULL;
}

static void watcher_start(struct watcher *watcher)
{
	int here = sched_getcpu();
	cpu_set_t others;

	CPU_ZERO(&others);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (cpu != here)
			CPU_SET(cpu, &others);
	watcher->stop = false;
	if (pthread_create(&watcher->thread, NULL, watcher_main, watcher) != 0)
		rte_exit(EXIT_FAILURE, "no thread to look at sessions\n");
	pthread_setaffinity_np(watcher->thread, sizeof(others), &others);
}

static void watcher_stop(struct watcher *watcher)
{
	watcher->stop = true;
	pthread_join(watcher->thread, NULL);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

void watched_measure(struct subject *subject, uint32_t rounds, uint32_t bursts, FILE *out)
{
	struct watcher watcher = { .owner = nat_owner(subject->gateway->plane->nat, 0) };
	double alone[ROUNDS_MOST], watched[ROUNDS_MOST];

	rounds = RTE_MIN(rounds, (uint32_t)ROUNDS_MOST);
	for (int d = 0; d < DIRECTIONS; d++) {
		for (uint32_t i = 0; i < rounds; i++) {
			struct measure measure;

			subject_measure(subject, (enum direction)d, bursts, &measure);
			alone[i] = measure.cycles;
			watcher_start(&watcher);
			subject_measure(subject, (enum direction)d, bursts, &measure);
			watcher_stop(&watcher);
			watched[i] = measure.cycles;
		}
		qsort(alone, rounds, sizeof(*alone), by_size);
		qsort(watched, rounds, sizeof(*watched), by_size);
		fprintf(out, "%s: %.0f cycles a packet, %.0f while all sessions are read over and over\n",
			direction_name[d], alone[rounds / 2], watched[rounds / 2]);
	}
	fprintf(out, "a look at %lu sessions takes %.0f ms\n", watcher.sessions / RTE_MAX(watcher.looks, 1u),
		(double)watcher.ns / (double)RTE_MAX(watcher.looks, 1u) / 1e6);
}
