/* SPDX-License-Identifier: BSD-3-Clause */
/* The search for hosts that moved without a word. How it decides is told, with a timeline, in README.md of this
 * folder; in short: a MAC that we send to and do not hear is asked by unicast ARP where we believe it to be. A host
 * that is merely a quiet receiver answers, and is left alone for a while. Only one that does not answer there is asked
 * for by flooding the segment, with growing pauses, and each flood needs a packet that was sent to it since the one
 * before. Any frame from it ends the search: packet lcores follow the move by that frame, as with any other. */
#include "slowpath/slowpath_private.h"

#define UNICAST_PROBES 2
#define BACKOFF_MAX_NS (5 * NS_PER_SECOND)
#define SENT_LATELY_NS NS_PER_SECOND /* a packet longer ago is no reason to start a search */

enum probe_state {
	PROBE_IDLE,    /* probe_due_ns: no new search before */
	PROBE_UNICAST, /* asked where it was, probes_sent times */
	PROBE_FLOOD,   /* asked for everywhere, probes_sent times */
	PROBE_FOUND,   /* answered a flood; until probe_due_ns, so that its move is put down to the search */
};

static struct fdb_record *record_of(const struct slowpath *slowpath, uint32_t at)
{
	return &slowpath->plane->fdb->record[at];
}

static bool is_searching(const struct fdb_record *record)
{
	return record->probe_state == PROBE_UNICAST || record->probe_state == PROBE_FLOOD;
}

/* Of a host that answers but never speaks by itself: a silent move of it is to be noticed within a second too. */
static uint64_t pause_ns(const struct slowpath *slowpath)
{
	return 2 * slowpath->silent_after_ns;
}

void silent_move_heard(struct slowpath *slowpath, uint32_t at)
{
	struct fdb_record *record = record_of(slowpath, at);

	record->seen_tick =
		atomic_load_explicit(&slowpath->plane->fdb->entry[at].last_seen, memory_order_relaxed);
	record->seen_ns = slowpath->now_ns;
	record->unanswered_ns = 0;
	if (!is_searching(record))
		return;
	slowpath->counters.silent_found += record->probe_state == PROBE_FLOOD;
	record->probe_state = record->probe_state == PROBE_FLOOD ? PROBE_FOUND : PROBE_IDLE;
	record->probe_due_ns = slowpath->now_ns + pause_ns(slowpath);
}

bool silent_move_was_searched(const struct slowpath *slowpath, uint32_t at)
{
	const struct fdb_record *record = record_of(slowpath, at);

	/* A host that goes on speaking after it was found stays in PROBE_FOUND: its next move is its own word. */
	return record->probe_state == PROBE_FLOOD ||
	       (record->probe_state == PROBE_FOUND && slowpath->now_ns < record->probe_due_ns);
}

void silent_move_consider(struct slowpath *slowpath, uint32_t at)
{
	struct fdb_record *record = record_of(slowpath, at);
	uint64_t now = slowpath->now_ns;

	if (is_searching(record) || now < record->probe_due_ns)
		return;
	record->probe_state = PROBE_IDLE;
	if (record->unanswered_ns == 0 || now - record->unanswered_ns < slowpath->silent_after_ns)
		return;
	if (now - record->sent_ns > SENT_LATELY_NS) {
		record->unanswered_ns = 0;
		return;
	}
	if (record->neighbour == INDEX_NONE || slowpath->search_count == SEARCH_MAX ||
		slowpath->plane->neighbours->record[record->neighbour].state == NEIGHBOUR_FIXED)
		return;
	record->probe_state = PROBE_UNICAST;
	record->probes_sent = 0;
	record->probe_due_ns = now;
	slowpath->search[slowpath->search_count].fdb = at;
	slowpath->search[slowpath->search_count++].key =
		atomic_load_explicit(&slowpath->plane->fdb->entry[at].key, memory_order_relaxed);
	slowpath->search_due_ns = now;
}

static void probe_unicast(struct slowpath *slowpath, uint32_t at, uint64_t key)
{
	struct fdb_record *record = record_of(slowpath, at);
	uint64_t neighbour = slowpath->plane->neighbours->entry[record->neighbour].key;
	uint32_t location =
		atomic_load_explicit(&slowpath->plane->fdb->entry[at].location, memory_order_relaxed);

	record->probe_due_ns = slowpath->now_ns + slowpath->probe_interval_ns;
	if (!token_bucket_take(&slowpath->probes, slowpath->now_ns))
		return;
	record->probes_sent++;
	slowpath->counters.silent_probes_unicast++;
	arp_ask_host(slowpath, neighbour_key_interface(neighbour), neighbour_key_ip(neighbour),
		key & UINT64_C(0xffffffffffff), location);
}

static void probe_flooded(struct slowpath *slowpath, uint32_t at)
{
	struct fdb_record *record = record_of(slowpath, at);
	uint64_t neighbour = slowpath->plane->neighbours->entry[record->neighbour].key;
	uint64_t backoff = RTE_MIN(2 * slowpath->probe_interval_ns << RTE_MIN(record->probes_sent, 16),
		(uint64_t)BACKOFF_MAX_NS);

	if (record->unanswered_ns == 0) { /* nothing was sent to it since the last one */
		record->probe_due_ns = slowpath->now_ns + slowpath->probe_interval_ns;
		if (slowpath->now_ns - record->sent_ns > BACKOFF_MAX_NS)
			record->probe_state = PROBE_IDLE;
		return;
	}
	record->probe_due_ns = slowpath->now_ns + slowpath->probe_interval_ns;
	if (!token_bucket_take(&slowpath->floods, slowpath->now_ns))
		return;
	record->probe_due_ns = slowpath->now_ns + backoff;
	record->unanswered_ns = 0; /* the sweep notes the next packet to it */
	if (record->probes_sent < UINT8_MAX)
		record->probes_sent++;
	slowpath->counters.silent_probes_flooded++;
	arp_ask(slowpath, neighbour_key_interface(neighbour), neighbour_key_ip(neighbour));
}

static void search_step(struct slowpath *slowpath, uint32_t at, uint64_t key)
{
	struct fdb_record *record = record_of(slowpath, at);
	const struct fdb_entry *entry = &slowpath->plane->fdb->entry[at];

	if (atomic_load_explicit(&entry->last_seen, memory_order_relaxed) != record->seen_tick) {
		silent_move_heard(slowpath, at);
		return;
	}
	if (record->neighbour == INDEX_NONE) { /* given up as unreachable: nobody is asked for it any more */
		record->probe_state = PROBE_IDLE;
		return;
	}
	if (record->probe_state == PROBE_UNICAST && record->probes_sent < UNICAST_PROBES) {
		probe_unicast(slowpath, at, key);
		return;
	}
	if (record->probe_state == PROBE_UNICAST) {
		record->probe_state = PROBE_FLOOD;
		record->probes_sent = 0;
	}
	probe_flooded(slowpath, at);
}

void silent_move_run(struct slowpath *slowpath)
{
	uint64_t next = UINT64_MAX;

	if (slowpath->search_count == 0 || slowpath->now_ns < slowpath->search_due_ns)
		return;
	for (uint32_t i = slowpath->search_count; i-- > 0;) {
		uint32_t at = slowpath->search[i].fdb;
		uint64_t key = slowpath->search[i].key;
		struct fdb_record *record = record_of(slowpath, at);
		bool there = atomic_load_explicit(
				     &slowpath->plane->fdb->entry[at].key, memory_order_relaxed) == key;

		if (there && is_searching(record) && record->probe_due_ns <= slowpath->now_ns)
			search_step(slowpath, at, key);
		if (there && is_searching(record))
			next = RTE_MIN(next, record->probe_due_ns);
		else
			slowpath->search[i] = slowpath->search[--slowpath->search_count];
	}
	slowpath->search_due_ns = next;
}
