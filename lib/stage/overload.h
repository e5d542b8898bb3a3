/* SPDX-License-Identifier: BSD-3-Clause */
/* What an lcore does that cannot keep up: it goes on with the established sessions, and opens no more new ones than
 * nat.new_sessions_in_overload says; those of sources that ask for few come first (base/admission.h).
 *
 * It is behind when each of some turns in a row has had a full burst in some queue. That holds on for a while: then one full
 * turn is enough, so that a flood it can only just refuse is not let in again every few bursts. A turn without a full burst
 * means that the queues are empty and that there is time: what comes next is opened, all of it. So nothing is refused that
 * there would have been time for, and a host's burst of new flows by itself never is. */
#pragma once

#include "stage/lcore_context.h"
#include "table/nat_session.h"

#define BEHIND_TURNS        8u                   /* full ones: half of the usual receive queue */
#define OVERLOAD_HOLD_TICKS 10u                  /* a tenth of a second */
#define OVERLOAD_REMOTE     RTE_BE32(0xffffff00) /* those of a /24 outside count as one source */
/* A segment's number times this makes another source of an address there: it differs in all bits. */
#define OVERLOAD_SEGMENT    UINT32_C(0x85ebca6b)

/* Once the lcore's NAT is known. */
void overload_init(struct lcore_context *context);
/* At the end of each turn. */
void overload_note(struct lcore_context *context);

static inline uint32_t overload_source_salt(uint16_t segment)
{
	return segment * OVERLOAD_SEGMENT;
}

/* May a new session be opened for a packet from this source address, while the lcore is overloaded? `segment`: the one it
 * comes from, when it goes up. */
static inline bool overload_admits(
	struct lcore_context *context, enum nat_way way, uint16_t segment, rte_be32_t source)
{
	return admission_take(&context->admission, way,
		way == NAT_UP ? source ^ overload_source_salt(segment) : source & OVERLOAD_REMOTE);
}
