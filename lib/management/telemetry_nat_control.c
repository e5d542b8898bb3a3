/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools, the log, and ending sessions. */
#include "management/telemetry_private.h"

#include "base/clock.h"
#include "nat_log/nat_log.h"
#include "stage/lcore_command.h"
#include "table/nat_host_view.h"
#include <errno.h>
#include <inttypes.h>
#include <rte_cycles.h>
#include <stdlib.h>

#define RECORDS_A_LOOP 64 /* that an owner looks at between two rounds of packets */
#define ENDED_A_LOOP   16 /* of these; each touches half a dozen cache lines */
#define COMMAND_MS     100
#define REPLY_TIME_NS  (500 * NS_PER_MS)

static void pool_row(const struct nat_pool_view *pool, struct telemetry_object *row)
{
	object_start(row);
	object_string(row, "name", pool->name);
	object_u64(row, "addresses", pool->addresses);
	object_u64(row, "ports", pool->ports);
	object_u64(row, "used_tcp", pool->used[0]);
	object_u64(row, "used_udp", pool->used[1]);
	object_u64(row, "used_icmp", pool->used[2]);
	object_u64(row, "most_tcp", pool->most[0]);
	object_u64(row, "most_udp", pool->most[1]);
	object_u64(row, "most_icmp", pool->most[2]);
	object_u64(row, "resting_tcp", pool->resting[0]);
	object_u64(row, "resting_udp", pool->resting[1]);
	object_u64(row, "resting_icmp", pool->resting[2]);
	object_u64(row, "block_size", pool->block_size);
	object_u64(row, "blocks", pool->blocks);
	object_u64(row, "blocks_used", pool->blocks_used);
	object_u64(row, "blocks_most", pool->blocks_most);
	object_u64(row, "blocks_resting", pool->blocks_resting);
}

int nat_pools_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	uint32_t max = sources->config->nat.pool_count;
	struct nat_pool_view *pools = calloc(RTE_MAX(max, 1u), sizeof(*pools));
	struct telemetry_reply reply;

	if (pools == NULL)
		return -ENOMEM;
	uint32_t count = RTE_MIN(nat_pools(sources->plane->nat, pools, max), max);
	reply_start(&reply, data, asked->count);
	for (uint64_t i = asked->cursor; i < count; i++) {
		struct telemetry_object row;

		if (reply_room(&reply, 640) == 0) {
			reply.next = i;
			break;
		}
		pool_row(&pools[i], &row);
		reply_row(&reply, &row);
	}
	free(pools);
	return reply_end(&reply, "nat_pools");
}

int nat_log_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	struct nat_log_counters counters = { 0 };
	struct telemetry_object object;

	(void)asked;
	if (sources->nat_log != NULL)
		counters = nat_log_counters(sources->nat_log);
	object_start_in(&object, data);
	object_u64(&object, "configured", sources->config->nat.log.present);
	object_u64(&object, "events", counters.events);
	object_u64(&object, "queue_lost", counters.queue_lost);
	object_u64(&object, "json_lines", counters.json_lines);
	object_u64(&object, "json_bytes", counters.json_bytes);
	object_u64(&object, "json_lost", counters.json_lost);
	object_u64(&object, "syslog_messages", counters.syslog_messages);
	object_u64(&object, "syslog_lost", counters.syslog_lost);
	object_u64(&object, "ipfix_messages", counters.ipfix_messages);
	object_u64(&object, "ipfix_records", counters.ipfix_records);
	object_u64(&object, "ipfix_templates", counters.ipfix_templates);
	object_u64(&object, "ipfix_lost", counters.ipfix_lost);
	return 0;
}

/* Whose port a deterministic pool computes it to be, or who has its block now. */
int nat_who_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	const struct telemetry_endpoint *outside = &asked->outside;
	const struct nat *nat = sources->plane->nat;
	struct telemetry_object object;
	rte_be32_t inside;
	uint16_t segment;

	if (outside->address == 0 || outside->port == 0)
		return reply_error(data, "whose? outside=ADDRESS:PORT is wanted");
	bool computed = nat_deterministic_who(nat, outside->address, outside->port, &segment, &inside);
	bool found = computed || nat_block_who(nat, outside->address, outside->port, &segment, &inside);
	object_start_in(&object, data);
	object_u64(&object, "found", found);
	if (found) {
		object_string(
			&object, "segment", interface_name(sources->plane, interface_of_segment(segment)));
		object_endpoint(&object, "inside", inside, 0);
		object_endpoint(&object, "outside", outside->address, outside->port);
		object_string(&object, "kind", computed ? "deterministic" : "block");
	}
	return 0;
}

/* ---- ending sessions ---- */

struct clearing { /* written by the owner lcore while the command runs */
	struct nat_filter filter;
	uint32_t cursor;
	uint64_t ended;
	uint64_t end_cycles; /* time stamp counter */
};

static bool clearing_step(struct lcore_context *context, void *argument)
{
	struct clearing *clearing = argument;
	uint32_t ended = nat_owner_clear(
		context->nat, &clearing->cursor, &clearing->filter, ENDED_A_LOOP, RECORDS_A_LOOP);

	if (ended > 0) /* a mapping may be among them: port control is told */
		doorbell_ring(context->management_doorbell);
	clearing->ended += ended;
	return clearing->cursor == UINT32_MAX || rte_rdtsc() >= clearing->end_cycles;
}

/* The reply tells how many have ended, and, when the time was over before the end, the cursor to go on by. */
int nat_clear_view(const struct telemetry_sources *sources, const struct telemetry_parameters *asked,
	struct rte_tel_data *data)
{
	uint64_t end_ns = clock_now_ns() + REPLY_TIME_NS, next = 0;
	struct clearing clearing = { .filter = telemetry_nat_filter(asked),
		.cursor = (uint32_t)asked->cursor };
	struct lcore_command command = { .step = clearing_step, .argument = &clearing };

	if ((asked->given & ~(uint32_t)TELEMETRY_PAGED) == 0)
		return reply_error(data, "which sessions? a filter is wanted, or all=1");
	for (uint64_t position = RTE_MAX(asked->cursor >> 32, 1u);
		position <= sources->path->count && next == 0; position++) {
		struct lcore_context *context = sources->path->context[position - 1];

		while (context->nat != NULL && clearing.cursor != UINT32_MAX && next == 0) {
			clearing.end_cycles = rte_rdtsc() + rte_get_tsc_hz() / 1000 * COMMAND_MS;
			if (lcore_command_run(context, &command) != 0)
				return reply_error(data,
					"lcore %u did not answer in time; %" PRIu64 " sessions have ended",
					context->lcore, clearing.ended);
			if (clearing.cursor != UINT32_MAX && clock_now_ns() > end_ns)
				next = position << 32 | clearing.cursor;
		}
		clearing.cursor = 0;
	}
	rte_tel_data_start_dict(data);
	rte_tel_data_add_dict_u64(data, "next", next);
	return rte_tel_data_add_dict_u64(data, "ended", clearing.ended);
}
