/* SPDX-License-Identifier: BSD-3-Clause */
/* One or two threads, each on a CPU of its own, that work at the same time: lcores of one gateway, of two, or the bound.
 *
 * They work by batches. Each lane writes its packets and puts them on its receive queues; they meet, and begin at the same
 * moment; what counts is how long it takes until the last of them has sent the last packet. Then each takes what it has sent
 * off its transmit queues, counts it and looks at a part of it. While one lane runs there is nothing that another one
 * does, and with one lane the other thread sleeps; or, at real-time priority, keeps its CPU and does nothing with it. */
#pragma once

#include "interference.h"
#include "scenario.h"
#include "speed_of_light.h"
#include "subject.h"
#include <pthread.h>
#include <semaphore.h>

#define LANES_MAX    2u
#define TEAM_PACKETS 2048u /* a batch, of all lanes together */

struct lane {
	struct gateway *gateway; /* and its lcore; or NULL: */
	uint16_t lcore;
	struct speed_of_light *bound;
	bool swaps; /* of the bound: half of the packets that it works on the other lane has written */
	struct traffic traffic;                  /* with random numbers of its own */
	uint16_t workload[WORKLOADS], workloads; /* to or from which its packets are; 0: it receives none */
	/* of a batch */
	struct rte_mbuf **packet;
	uint32_t packets;
	uint32_t taken; /* off its transmit queues */
	uint64_t spent; /* cycles from the common start */
	/* of a measurement */
	struct interference before;
	bool disturbed;
	uint64_t checked;
};

struct team { /* start with zeros */
	uint16_t lanes, receivers;
	struct lane lane[LANES_MAX];
};

struct crew {
	unsigned cpu[LANES_MAX];
	pthread_t second;
	sem_t begin, end;
	bool over;
	struct rte_mbuf *packet[TEAM_PACKETS];
	bool realtime;
	struct team *team; /* that works now */
	enum way way;
	uint32_t batches;
	_Alignas(64) _Atomic uint32_t arrived;
	_Alignas(64) _Atomic uint32_t meeting;
	_Atomic bool done; /* the first one is, that works alone */
	uint64_t start;    /* that was agreed on when they met last: time stamp counter */
	uint64_t packets, checked;
};

/* On the calling thread, which is pinned to the first CPU, and another one; with `realtime` both at a priority that takes the
 * CPUs from everything else. Exits on failure, as all here. */
struct crew *crew_create(const unsigned cpu[LANES_MAX], bool realtime, struct rte_mempool *pool);
void crew_free(struct crew *crew);

/* Adds a lane that runs a lcore of the subject's gateway. If the lcore has a receive queue, it receives packets of those workloads
 * whose `receiver` it is; NULL: of all. */
void team_add_lcore(struct team *team, struct subject *subject, uint16_t lcore, const uint8_t *receiver);
/* Packets of the first `flows` flows. */
struct lane *team_add_bound(
	struct team *team, struct speed_of_light *bound, const struct traffic *traffic, uint32_t flows);
/* Cycles a packet of all lanes together. False: somebody else had one of the CPUs meanwhile. */
bool team_measure(struct crew *crew, struct team *team, enum way way, uint32_t batches, double *cycles);
