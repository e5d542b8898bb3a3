/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/trouble_watch.h"
#include "base/flood_watch.h"
#include "base/log.h"
#include "slowpath/slowpath.h"
#include "stage/packet_path.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define LOOK_NS         NS_PER_SECOND
#define REASONS_WATCHED 4 /* of one trouble, at most */

/* Each drop reason once, of those that say that something is full or too much. A flood is what a busy gateway with
 * nothing wrong does not see: stray packets from outside are always there. */
static const struct trouble {
	const char *what;
	uint64_t least; /* a second */
	uint8_t reason[REASONS_WATCHED];
	uint8_t reasons;
} troubles[] = {
	{ "the session table is full (nat.max_sessions): new sessions are refused", 1,
		{ DROP_NAT_TABLE_FULL }, 1 },
	{ "a NAT pool has no free port: new sessions are refused", 1, { DROP_NAT_NO_PORTS }, 1 },
	{ "hosts have all that the limits of their pool allow: new sessions of theirs are refused", 1,
		{ DROP_NAT_HOST_PORTS, DROP_NAT_HOST_SESSIONS, DROP_NAT_HOST_RATE }, 3 },
	{ "the fragment table is full: fragments are dropped", 1,
		{ DROP_NAT_FRAGMENT_TABLE_FULL, DROP_NAT_FRAGMENT_SHARE }, 2 },
	{ "packet lcores cannot keep up: new sessions beyond nat.new_sessions_in_overload are refused", 1000,
		{ DROP_NAT_NEW_SESSION_BUDGET }, 1 },
	{ "a flood from outside of packets that nothing inside asked for", 10000,
		{ DROP_NAT_NO_BINDING, DROP_NAT_FILTERED, DROP_NAT_TCP_STATE }, 3 },
	{ "a flood of packets for the gateway itself", 1000, { DROP_PUNT_RATE, DROP_PUNT_RING_FULL }, 2 },
	{ "a flood of tunnel packets from VTEPs or of segments that are not configured", 1000,
		{ DROP_VXLAN_UNKNOWN_VNI, DROP_VXLAN_UNKNOWN_VTEP }, 2 },
	{ "packet lcores or transmit queues are behind: packets are lost", 1000,
		{ DROP_RING_FULL, DROP_TRANSMIT_FULL }, 2 },
};

struct trouble_watch {
	const struct packet_path *path;
	const struct slowpath *slowpath;
	uint64_t due_ns;
	struct flood_watch trouble[RTE_DIM(troubles)], neighbours;
	struct flood_watch macs[]; /* by segment */
};

static uint64_t drops_of(const struct packet_path *path, const struct trouble *trouble)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < path->count; i++)
		for (unsigned r = 0; r < trouble->reasons; r++)
			sum += __atomic_load_n(
				&path->context[i]->counters.drop[trouble->reason[r]], __ATOMIC_RELAXED);
	return sum;
}

/* `where`: "" or a segment's name and ": ". */
static void look(struct flood_watch *watch, const char *where, const char *colon, const char *what,
	uint64_t total, uint64_t least, uint64_t now_ns)
{
	uint64_t count, seconds;

	switch (flood_watch_look(watch, total, least, now_ns, &count, &seconds)) {
	case FLOOD_NOTHING:
		break;
	case FLOOD_BEGINS:
		log_warning("%s%s%s (%" PRIu64 " so far)", where, colon, what, count);
		break;
	case FLOOD_GOES_ON:
		log_warning("%s%s%s (for %" PRIu64 " s now; %" PRIu64 " since the last message)", where,
			colon, what, seconds, count);
		break;
	case FLOOD_OVER:
		log_info("%s%s%s: over after %" PRIu64 " s (%" PRIu64 " since the last message)", where,
			colon, what, seconds, count);
		break;
	}
}

struct trouble_watch *trouble_watch_create(const struct packet_path *path, const struct slowpath *slowpath)
{
	uint16_t segments = path->plane->segments->count;
	struct trouble_watch *watch = calloc(1, sizeof(*watch) + segments * sizeof(watch->macs[0]));

	if (watch == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	watch->path = path;
	watch->slowpath = slowpath;
	return watch;
}

void trouble_watch_destroy(struct trouble_watch *watch)
{
	free(watch);
}

void trouble_watch_look(struct trouble_watch *watch, uint64_t now_ns)
{
	const struct segment_table *segments = watch->path->plane->segments;

	if (now_ns < watch->due_ns)
		return;
	watch->due_ns = now_ns + LOOK_NS;
	for (unsigned i = 0; i < RTE_DIM(troubles); i++)
		look(&watch->trouble[i], "", "", troubles[i].what, drops_of(watch->path, &troubles[i]),
			troubles[i].least, now_ns);
	look(&watch->neighbours, "", "", "the neighbour table is full: new hosts are not resolved",
		slowpath_counters(watch->slowpath)->neighbours_refused, 1, now_ns);
	for (uint16_t s = 0; s < segments->count; s++)
		look(&watch->macs[s], segments->segment[s].name, ": ",
			"the FDB or its share of it (mac_limit) is full: new MACs are not learned and get no "
			"answer",
			segments->segment[s].mac_refused, 1, now_ns);
}
