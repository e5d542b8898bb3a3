/* SPDX-License-Identifier: BSD-3-Clause */
/* A gateway with a number of sessions, and the bound with as many. */
#pragma once

#include "speed_of_light.h"
#include "traffic.h"
#include "world.h"

struct subject {
	struct gateway *gateway;
	struct traffic *traffic;
	struct traffic
		*bound_traffic; /* the same flows with outside ends of its own; NULL: there is no bound */
	struct speed_of_light *bound;
	struct rte_mempool *pool;    /* small and hot, as a NIC's buffers in the last-level cache */
	double cycles_a_new_session; /* first packets, from an empty table to a full one */
	double bytes_a_session;
	uint64_t packets, checked;
	uint64_t later; /* how far the gateway's clock is ahead of the machine's, in cycles */
	void (*beside)(struct subject *subject); /* run before each burst and not timed; NULL: nothing */
	bool busy; /* the gateway's clock goes on in its turns alone, as of an lcore that always has the next one to do */
	uint64_t turn_ended; /* the machine's clock after the last one, while it is busy */
};

/* Creates the gateway and makes the workloads known. Exits on failure, as all here. */
struct subject *subject_create(
	const struct world_size *size, uint32_t flows, const struct tuples *tuples, struct rte_mempool *pool);
void subject_destroy(struct subject *subject);
/* For plain flows only. */
void subject_add_bound(struct subject *subject);
/* Opens the sessions of all flows with their first packets, which is timed. */
void subject_open(struct subject *subject);
/* The first packets of 64 flows from `first` on, all of which must come out. Returns the cycles. */
uint64_t subject_open_burst(struct subject *subject, uint32_t first);
/* From now on it opens as many sessions a second, while it is overloaded, as it does by default. */
void subject_guard(struct subject *subject);
/* Begins, or ends, to be busy. */
void subject_keep_busy(struct subject *subject, bool busy);
/* Runs the turn on the gateway's clock and returns its cycles. */
struct turn;
uint64_t subject_turn(struct subject *subject, struct turn *turn);
/* On the gateway's clock, with nothing coming in. */
void subject_time_pass(struct subject *subject, uint32_t seconds);
/* Ends the sessions of a protocol (0: of any), as an operator's command does. Returns the cycles. */
uint64_t subject_clear(struct subject *subject, uint8_t protocol);
