/* SPDX-License-Identifier: BSD-3-Clause */
/* Records of sessions that have ended, until no lcore can be at them any more.
 *
 * Where several lcores own sessions, each of them reads the tables of the others, and notes packets in their records (nat_session.h
 * says what). It takes no lock. So a record that nothing leads to any more is not used again before each of these lcores has
 * been seen between two of its turns, or asleep: quiescent state based reclamation, as rte_rcu_qsbr.h does it. The records are
 * linked by `next`, which no other lcore reads, so that there is room for however many.
 *
 * The owner lcore only. */
#pragma once

#include <rte_rcu_qsbr.h>
#include <stdint.h>

struct nat_owner;

struct nat_retired_list {
	uint32_t first; /* or INDEX_NONE */
	uint32_t count;
};

struct nat_retired {
	struct rte_rcu_qsbr *readers; /* the lcores; NULL: none but the owner */
	struct nat_retired_list now;  /* since the grace period of `before` began */
	struct nat_retired_list before;
	uint64_t token; /* of that grace period */
};

void nat_retired_init(struct nat_owner *owner);
/* While no lcore runs: which ones read the owner's tables from now on. NULL: none; what has waited for them is free. */
void nat_retired_read_by(struct nat_owner *owner, struct rte_rcu_qsbr *readers);
/* The record is nobody's from now on, and free when its time has come. Nothing may lead to it. */
void nat_record_retire(struct nat_owner *owner, uint32_t number);
/* Once a turn, and when there is no other record: frees those whose time has come. */
void nat_retired_poll(struct nat_owner *owner);
