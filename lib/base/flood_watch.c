/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/flood_watch.h"

static enum flood_event tell(
	struct flood_watch *watch, enum flood_event event, uint64_t now_ns, uint64_t *count)
{
	*count = watch->count;
	watch->count = 0;
	if (event != FLOOD_OVER)
		watch->told_ns = now_ns;
	return event;
}

enum flood_event flood_watch_look(struct flood_watch *watch, uint64_t total, uint64_t least, uint64_t now_ns,
	uint64_t *count, uint64_t *seconds)
{
	uint64_t more = total - watch->total;
	enum flood_event was = watch->state;

	watch->total = total;
	if (more >= least) {
		watch->last_ns = now_ns;
		if (was == FLOOD_NOTHING) {
			watch->began_ns = now_ns;
			watch->state = FLOOD_BEGINS;
		}
	}
	if (watch->state == FLOOD_NOTHING)
		return FLOOD_NOTHING;
	watch->count += more;
	*seconds = (now_ns - watch->began_ns) / NS_PER_SECOND;
	if (now_ns - watch->last_ns >= FLOOD_OVER_NS) {
		watch->state = FLOOD_NOTHING;
		*seconds = (watch->last_ns - watch->began_ns) / NS_PER_SECOND + 1;
		/* One of which nobody was told, as another one had just been, is told of with the next. */
		return was == FLOOD_GOES_ON ? tell(watch, FLOOD_OVER, now_ns, count) : FLOOD_NOTHING;
	}
	if (watch->told_ns != 0 && now_ns - watch->told_ns < FLOOD_AGAIN_NS)
		return FLOOD_NOTHING;
	watch->state = FLOOD_GOES_ON;
	return tell(watch, was == FLOOD_GOES_ON ? FLOOD_GOES_ON : FLOOD_BEGINS, now_ns, count);
}
