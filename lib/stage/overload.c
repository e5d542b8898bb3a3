/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/overload.h"
#include "base/clock.h"
#include "table/nat_owner.h"
#include <string.h>

_Static_assert(NAT_WAYS == ADMISSION_SIDES, "each way counts apart");

void overload_init(struct lcore_context *context)
{
	admission_init(&context->admission, context->nat->nat->new_sessions_in_overload, TICKS_PER_S,
		context->cycles_per_tick * TICKS_PER_S);
}

void overload_note(struct lcore_context *context)
{
	context->full_turns = context->turn_is_full ? context->full_turns + 1 : 0;
	if (likely(context->full_turns == 0 || context->admission.a_token == 0)) {
		context->overloaded = false;
		return;
	}
	if (context->full_turns >= BEHIND_TURNS)
		context->overload_hold = context->now + OVERLOAD_HOLD_TICKS * context->cycles_per_tick;
	if (likely(context->now >= context->overload_hold)) {
		context->overloaded = false;
		return;
	}
	if (!context->overloaded)
		memset(context->fast_rest, 0,
			sizeof(context->fast_rest)); /* what it left so far it can refuse now */
	context->overloaded = true;
	admission_advance(&context->admission, context->now, context->tick,
		(uint32_t)flow_hash(&context->nat->hash_key, context->tick, UINT64_C(1) << 61));
}
