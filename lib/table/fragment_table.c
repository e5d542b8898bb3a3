/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/fragment_table.h"
#include "base/clock.h"
#include "table/nat_memory.h"
#include <rte_common.h>
#include <string.h>

#define NONE        UINT32_MAX
#define RANGES      24u /* a datagram of 64 KiB in any order of Ethernet's fragments has at most 23 */
#define SOURCES     1024u
#define ENTRY_SHARE (FRAGMENT_SHARE * 2) /* of both halves */

enum kind { AWAITED, KNOWN, KINDS };

struct range {
	uint16_t from, to;
};

struct packet_list { /* linked by rte_mbuf.next: what waits is in one piece each */
	struct rte_mbuf *first, *last;
};

struct datagram {
	rte_be32_t source, destination;
	uint32_t rest; /* id, protocol; see same() */
	interface_id ingress;
	uint8_t kind; /* enum kind */
	uint8_t ranges;
	uint16_t end; /* of the last fragment, once that has come; else 0 */
	uint16_t waiting;
	uint32_t ports;
	uint32_t since; /* tick: when it became what it is */
	uint32_t next;  /* in its bucket, or free */
	uint32_t older, newer;
	uint32_t bucket;
	uint32_t source_slot;
	struct packet_list packets;
	struct range range[RANGES]; /* by offset, none touching the next */
};

struct age_list {
	uint32_t oldest, newest, count;
};

struct fragment_table {
	struct datagram *datagram; /* [entries] */
	uint32_t *bucket;          /* [entries] */
	uint32_t entries, free;
	struct flow_hash_key key;
	struct age_list age[KINDS];
	uint32_t waiting, waiting_bytes;
	uint32_t under_way; /* packets released or discarded, not fetched yet */
	struct packet_list released, discarded[FRAGMENT_DISCARDS];
	uint64_t forgotten; /* written by the owner, read by any thread */
	struct source {     /* by a hash: two may share */
		uint16_t datagrams, packets;
	} of_source[SOURCES];
};

size_t fragment_table_bytes(uint32_t entries)
{
	return sizeof(struct fragment_table) + entries * (sizeof(struct datagram) + sizeof(uint32_t));
}

struct fragment_table *fragment_table_create(uint32_t entries, const struct flow_hash_key *key)
{
	struct fragment_table *table = nat_memory_take(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	table->entries = entries;
	table->key = *key;
	table->datagram = nat_memory_take(entries, sizeof(*table->datagram));
	table->bucket = nat_memory_take(entries, sizeof(*table->bucket));
	if (table->datagram == NULL || table->bucket == NULL) {
		fragment_table_destroy(table);
		return NULL;
	}
	for (uint32_t i = 0; i < entries; i++) {
		table->bucket[i] = NONE;
		table->datagram[i].next = i + 1 < entries ? i + 1 : NONE;
	}
	for (int kind = 0; kind < KINDS; kind++)
		table->age[kind] = (struct age_list){ NONE, NONE, 0 };
	return table;
}

static void packet_add(struct packet_list *list, struct rte_mbuf *packet)
{
	packet->next = NULL;
	if (list->first == NULL)
		list->first = packet;
	else
		list->last->next = packet;
	list->last = packet;
}

static struct rte_mbuf *packet_take(struct packet_list *list)
{
	struct rte_mbuf *packet = list->first;

	if (packet != NULL) {
		list->first = packet->next;
		packet->next = NULL;
	}
	return packet;
}

static void packets_free(struct packet_list *list)
{
	for (struct rte_mbuf *packet = packet_take(list); packet != NULL; packet = packet_take(list))
		rte_pktmbuf_free(packet);
}

void fragment_table_destroy(struct fragment_table *table)
{
	if (table == NULL)
		return;
	if (table->datagram != NULL)
		for (uint32_t at = table->age[AWAITED].oldest; at != NONE; at = table->datagram[at].newer)
			packets_free(&table->datagram[at].packets);
	packets_free(&table->released);
	for (int why = 0; why < FRAGMENT_DISCARDS; why++)
		packets_free(&table->discarded[why]);
	nat_memory_give(table->datagram);
	nat_memory_give(table->bucket);
	nat_memory_give(table);
}

static uint32_t rest_word(const struct fragment *fragment)
{
	return (uint32_t)fragment->protocol << 16 | fragment->id;
}

static bool same(const struct datagram *datagram, const struct fragment *fragment)
{
	return datagram->source == fragment->source && datagram->destination == fragment->destination &&
	       datagram->rest == rest_word(fragment) && datagram->ingress == fragment->ingress;
}

static void age_add(struct fragment_table *table, uint32_t at, enum kind kind, uint32_t now)
{
	struct datagram *datagram = &table->datagram[at];
	struct age_list *age = &table->age[kind];

	datagram->kind = (uint8_t)kind;
	datagram->since = now;
	datagram->newer = NONE;
	datagram->older = age->newest;
	if (age->newest == NONE)
		age->oldest = at;
	else
		table->datagram[age->newest].newer = at;
	age->newest = at;
	age->count++;
}

static void age_remove(struct fragment_table *table, uint32_t at)
{
	const struct datagram *datagram = &table->datagram[at];
	struct age_list *age = &table->age[datagram->kind];

	if (datagram->older == NONE)
		age->oldest = datagram->newer;
	else
		table->datagram[datagram->older].newer = datagram->newer;
	if (datagram->newer == NONE)
		age->newest = datagram->older;
	else
		table->datagram[datagram->newer].older = datagram->older;
	age->count--;
}

/* Moves what waits for a datagram to `to`. */
static void packets_move(struct fragment_table *table, struct datagram *datagram, struct packet_list *to)
{
	struct rte_mbuf *packet;

	while ((packet = packet_take(&datagram->packets)) != NULL) {
		table->waiting_bytes -= packet->data_len;
		packet_metadata(packet)->ports = datagram->ports;
		packet_add(to, packet);
	}
	table->waiting -= datagram->waiting;
	table->under_way += datagram->waiting;
	table->of_source[datagram->source_slot].packets =
		(uint16_t)(table->of_source[datagram->source_slot].packets - datagram->waiting);
	datagram->waiting = 0;
}

static void forget(struct fragment_table *table, uint32_t at)
{
	struct datagram *datagram = &table->datagram[at];
	uint32_t *link = &table->bucket[datagram->bucket];

	while (*link != at)
		link = &table->datagram[*link].next;
	*link = datagram->next;
	age_remove(table, at);
	table->of_source[datagram->source_slot].datagrams--;
	datagram->next = table->free;
	table->free = at;
}

static void let_go(struct fragment_table *table, uint32_t at, enum fragment_discard why)
{
	packets_move(table, &table->datagram[at], &table->discarded[why]);
	forget(table, at);
}

/* A place in one half of the table. */
static void make_room(struct fragment_table *table, enum kind kind)
{
	if (table->age[kind].count < table->entries / KINDS)
		return;
	let_go(table, table->age[kind].oldest, FRAGMENT_EVICTED);
	if (kind == KNOWN)
		table->forgotten++;
}

static uint32_t find(const struct fragment_table *table, const struct fragment *fragment, uint32_t bucket)
{
	uint32_t at = table->bucket[bucket];

	while (at != NONE && !same(&table->datagram[at], fragment))
		at = table->datagram[at].next;
	return at;
}

/* NONE when the source has its share. */
static uint32_t begin(
	struct fragment_table *table, const struct fragment *fragment, uint32_t bucket, uint32_t now)
{
	uint32_t slot = (uint32_t)(flow_hash(&table->key, fragment->source, fragment->ingress) % SOURCES);
	enum kind kind = fragment->from == 0 ? KNOWN : AWAITED;

	if (table->of_source[slot].datagrams >= table->entries / ENTRY_SHARE)
		return NONE;
	make_room(table, kind);
	uint32_t at = table->free;
	struct datagram *datagram = &table->datagram[at];
	table->free = datagram->next;
	*datagram = (struct datagram){ .source = fragment->source,
		.destination = fragment->destination,
		.rest = rest_word(fragment),
		.ingress = fragment->ingress,
		.next = table->bucket[bucket],
		.bucket = bucket,
		.source_slot = slot };
	table->bucket[bucket] = at;
	table->of_source[slot].datagrams++;
	age_add(table, at, kind, now);
	return at;
}

/* Notes what has come: FRAGMENT_PASSES, or why it cannot be. */
static enum fragment_result range_add(struct datagram *datagram, const struct fragment *fragment)
{
	struct range *range = datagram->range, now = { fragment->from, fragment->to };
	uint32_t at = 0, count = datagram->ranges;

	while (at < count && range[at].to <= now.from)
		at++;
	if ((at < count && range[at].from < now.to) || (datagram->end != 0 && now.to > datagram->end) ||
		(fragment->last && (datagram->end != 0 || (count > 0 && range[count - 1].to > now.to))))
		return FRAGMENT_OVERLAPS;
	bool joins_before = at > 0 && range[at - 1].to == now.from;
	bool joins_after = at < count && range[at].from == now.to;
	if (!joins_before && !joins_after && count == RANGES)
		return FRAGMENT_NO_ROOM;
	if (joins_before && joins_after) {
		range[at - 1].to = range[at].to;
		memmove(&range[at], &range[at + 1], (count - at - 1) * sizeof(*range));
		datagram->ranges--;
	} else if (joins_before) {
		range[at - 1].to = now.to;
	} else if (joins_after) {
		range[at].from = now.from;
	} else {
		memmove(&range[at + 1], &range[at], (count - at) * sizeof(*range));
		range[at] = now;
		datagram->ranges++;
	}
	if (fragment->last)
		datagram->end = now.to;
	return FRAGMENT_PASSES;
}

static bool is_whole(const struct datagram *datagram)
{
	return datagram->end != 0 && datagram->ranges == 1 && datagram->range[0].from == 0 &&
	       datagram->range[0].to == datagram->end;
}

static void wait_for_first(struct fragment_table *table, struct datagram *datagram, struct rte_mbuf *packet)
{
	table->of_source[datagram->source_slot].packets++;
	datagram->waiting++;
	table->waiting++;
	table->waiting_bytes += packet->data_len;
	packet_add(&datagram->packets, packet);
	while (table->waiting > FRAGMENT_WAITING_PACKETS || table->waiting_bytes > FRAGMENT_WAITING_BYTES)
		let_go(table, table->age[AWAITED].oldest, FRAGMENT_EVICTED);
}

/* The first fragment has come: what waits may go. */
static void become_known(struct fragment_table *table, uint32_t at, uint32_t ports, uint32_t now)
{
	struct datagram *datagram = &table->datagram[at];

	datagram->ports = ports;
	if (datagram->kind == KNOWN)
		return;
	make_room(table, KNOWN);
	age_remove(table, at);
	age_add(table, at, KNOWN, now);
	packets_move(table, datagram, &table->released);
}

enum fragment_result fragment_table_take(struct fragment_table *table, const struct fragment *fragment,
	struct rte_mbuf *packet, uint32_t now, uint32_t *ports)
{
	uint64_t pair = (uint64_t)fragment->source << 32 | fragment->destination;
	uint64_t rest = (uint64_t)fragment->ingress << 32 | rest_word(fragment);
	uint32_t bucket = (uint32_t)flow_hash(&table->key, pair, rest) & (table->entries - 1);
	uint32_t at = find(table, fragment, bucket);
	enum fragment_result result;

	if (at == NONE)
		at = begin(table, fragment, bucket, now);
	if (at == NONE)
		return FRAGMENT_SHARE_USED;
	struct datagram *datagram = &table->datagram[at];
	/* Only what can wait counts as come. */
	if (fragment->from != 0 && datagram->kind == AWAITED &&
		table->of_source[datagram->source_slot].packets >= FRAGMENT_WAITING_PACKETS / FRAGMENT_SHARE)
		return FRAGMENT_SHARE_USED;
	result = range_add(datagram, fragment);
	if (result != FRAGMENT_PASSES)
		return result;
	if (fragment->from == 0)
		become_known(table, at, fragment->ports, now);
	if (datagram->kind == AWAITED) {
		wait_for_first(table, datagram, packet);
		return FRAGMENT_WAITS;
	}
	*ports = datagram->ports;
	if (is_whole(datagram))
		forget(table, at);
	return FRAGMENT_PASSES;
}

bool fragment_table_expire(struct fragment_table *table, uint32_t now)
{
	static const uint32_t life[KINDS] = {
		[AWAITED] = FRAGMENT_WAIT_S * TICKS_PER_S, [KNOWN] = FRAGMENT_LIFE_S * TICKS_PER_S
	};

	for (int kind = 0; kind < KINDS; kind++)
		while (table->age[kind].count > 0 &&
			tick_age(now, table->datagram[table->age[kind].oldest].since) >= life[kind])
			let_go(table, table->age[kind].oldest, FRAGMENT_TIMED_OUT);
	return table->under_way > 0;
}

struct rte_mbuf *fragment_table_release(struct fragment_table *table)
{
	struct rte_mbuf *packet = packet_take(&table->released);

	table->under_way -= packet != NULL;
	return packet;
}

struct rte_mbuf *fragment_table_discard(struct fragment_table *table, enum fragment_discard *why)
{
	for (int of = 0; of < FRAGMENT_DISCARDS; of++) {
		struct rte_mbuf *packet = packet_take(&table->discarded[of]);
		if (packet == NULL)
			continue;
		table->under_way--;
		*why = (enum fragment_discard)of;
		return packet;
	}
	return NULL;
}

uint32_t fragment_table_waiting(const struct fragment_table *table)
{
	return table->waiting + table->under_way;
}

uint32_t fragment_table_datagrams(const struct fragment_table *table)
{
	return table->age[AWAITED].count + table->age[KNOWN].count;
}

uint64_t fragment_table_forgotten(const struct fragment_table *table)
{
	return __atomic_load_n(&table->forgotten, __ATOMIC_RELAXED);
}
